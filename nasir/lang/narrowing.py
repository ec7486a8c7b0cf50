"""`space mine = base(sizes = {128}) with trunk.block = {ir_k3, skip}`: a library's space with other parameters and
fewer options."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from nasir.diagnostics import closest
from nasir.ir.values import Scalar, key, pair_of, text
from nasir.lang import composition, mistakes
from nasir.lang import syntax as s
from nasir.lang.imports import Module

MOST_OPTIONS = 4_096
"""As many as one decision can have."""


@dataclass
class Narrowing:
    """Decisions of the place `pattern`, layers left out, keep those of their options that are `allowed`. `met` are the
    options that such decisions had."""

    source: s.Narrowing
    pattern: str
    allowed: tuple[str, ...]
    met: set[str] = field(default_factory=set[str])

    def matches(self, name: str) -> bool:
        """Whether a decision is of that place: `trunk.block` is `trunk.3.block` in every layer."""
        return self.pattern in {name, _place(name)}

    def kept(self, options: tuple[Scalar, ...]) -> tuple[Scalar, ...]:
        """Those of the options that are allowed.

        Raises:
            Mistake: where none is.
        """
        self.met.update(map(key, options))
        kept = tuple(option for option in options if key(option) in self.allowed)
        if not kept:
            raise composition.narrowed_to_nothing(self.source.span, self.pattern, list(map(text, options)))
        return kept


def _place(name: str) -> str:
    """What a decision is called, the numbers of layers left out."""
    return re.sub(r"\.[0-9]+(?=\.)", "", name)


def base_of(module: Module, space: s.Space | s.NarrowedSpace) -> tuple[s.Space, Module, list[Narrowing]]:
    """The space that a file means: its own, or that of a library with other defaults, under the file's own name.

    Raises:
        Mistake: where the base is no space, or an argument none of its parameters.
    """
    if isinstance(space, s.Space):
        return space, module, []
    owner, base = module.names.get(space.base.text, (module, None))
    if not isinstance(base, s.Space):
        known = [name for name, (_, one) in module.names.items() if isinstance(one, s.Space)]
        raise composition.unknown_base(space.base.span, space.base.text, known)
    parameters = {p.name.text: p for p in base.parameters}
    for argument in space.arguments:
        if argument.name is None:
            raise composition.unnamed_parameter(argument.span, list(parameters))
        if argument.name.text not in parameters:
            raise mistakes.unknown_argument(argument.name.span, base.name.text, argument.name.text, tuple(parameters))
        name = argument.name.text
        parameters[name] = replace(parameters[name], default=argument.value)
    narrowings = [Narrowing(one, ".".join(one.path), tuple(map(key, _values(one)))) for one in space.narrowings]
    changed = replace(
        base, span=space.span, name=space.name, parameters=tuple(parameters.values()), doc=space.doc or base.doc
    )
    return changed, owner, narrowings


def _values(narrowing: s.Narrowing) -> Sequence[Scalar]:
    """The options that a narrowing allows: constants, and names of alternatives."""
    items = narrowing.value.items if isinstance(narrowing.value, s.Set) else (narrowing.value,)
    found: list[Scalar] = []
    for item in items:
        match item:
            case s.Number(value=value) | s.Bool(value=value):
                found.append(value)
            case s.Sides(height=height, width=width):
                found.append(pair_of(height, width))
            case s.Range(low=s.Number(value=low), high=s.Number(value=high), step=s.Number(value=step)) if step > 0:
                if (high - low) / step > MOST_OPTIONS:
                    message = f"the range has {(high - low) / step + 1:,.0f} options"
                    raise mistakes.too_large(item.span, message, MOST_OPTIONS)
                values = (low + i * step for i in range(int((high - low) / step + 1e-9) + 1))
                found += [value if isinstance(value, int) else round(value, 10) for value in values]
            case s.Name(text=name):
                found.append(name)
            case s.String(value=name):
                found.append(name)
            case _:
                raise composition.no_option_here(item.span)
    return found


def check_met(narrowings: Sequence[Narrowing], decisions: Sequence[str]) -> None:
    """Every narrowing found its decisions, and its options among theirs.

    Raises:
        Mistake: where it did not.
    """
    for narrowing in narrowings:
        if not narrowing.met:
            places = sorted(set(map(_place, decisions)))
            hints = closest(narrowing.pattern, places) or (f"there are {', '.join(places[:8])}",)
            raise composition.nothing_to_narrow(narrowing.source.span, narrowing.pattern, hints)
        if missing := [option for option in narrowing.allowed if option not in narrowing.met]:
            raise composition.no_such_option(
                narrowing.source.span, narrowing.pattern, missing[0], sorted(narrowing.met)
            )
