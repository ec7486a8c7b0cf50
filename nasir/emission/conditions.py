"""When a part of a block is there, told by the block's own numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from nasir.emission.merging import Group
from nasir.emission.steps import IN_CHANNELS, Hole, Step, Use
from nasir.ir.naming import safe


class Values(Protocol):
    """A parameter of a class: its value in each use."""

    @property
    def values(self) -> Sequence[Hole]: ...


@dataclass(frozen=True)
class Condition:
    """An expression over the parameters of a class; `flags` are parameters that it needs besides."""

    text: str
    flags: Mapping[str, Sequence[bool]] = field(default_factory=dict[str, "Sequence[bool]"])


def condition(
    group: Group,
    parameters: Mapping[str, Values],
    uses: Sequence[Use],
    before: Mapping[str, tuple[bool, ...]],
) -> Condition | None:
    """The condition under which a group of steps is there: true of the uses that have it, false of the others. None
    where nothing that the class knows tells them apart.

    First the part's own parameter, which only uses with the part have; then what makes the part needless: for a
    shortcut that the ends differ, for others that two widths are equal. A flag of the program's comes before that,
    but after what allows a shortcut: any flag may agree with that by chance. `before` are the conditions of earlier
    groups, and the uses that they are true of.
    """
    own = {name for name, parameter in parameters.items() if _is_own(parameter, group)}
    if own:
        return Condition(f"{min(own, key=list(parameters).index)} is not None")
    comparisons = list(_comparisons(group.steps, parameters, len(uses)))
    telling = [Condition(text) for text, holds in comparisons if holds == group.present]
    flags = [Condition(name, {name: list(group.present)}) for name in _flags(uses, group)]
    if found := [*telling, *flags] if _adds(group.steps) else [*flags, *telling]:
        return found[0]
    for text, present in before.items():
        for more, holds in comparisons:
            if tuple(a and b for a, b in zip(present, holds, strict=True)) == group.present:
                return Condition(f"{text} and {more}")
    return None


def _is_own(parameter: Values, group: Group) -> bool:
    """Whether a parameter has a value exactly where the group is there."""
    return tuple(value is not None for value in parameter.values) == group.present


def _flags(uses: Sequence[Use], group: Group) -> list[str]:
    """The program's booleans that are true exactly where the group is there."""
    values = {name: tuple(use.values.get(name) for use in uses) for name in uses[0].values if safe(name) == name}
    return [
        name for name, held in values.items() if held == group.present and all(isinstance(one, bool) for one in held)
    ]


def _adds(steps: Sequence[Step]) -> bool:
    return all(step.call is not None and step.call.kind == "operator" for step in steps)


def _comparisons(
    steps: Sequence[Step], parameters: Mapping[str, Values], uses: int
) -> Iterator[tuple[str, tuple[bool, ...]]]:
    """Comparisons of the class's numbers, the most telling first, each with the uses that it holds for."""
    numbers = {name: p.values for name, p in parameters.items() if all(type(v) is int for v in p.values)}
    widths = [name for name in numbers if name != IN_CHANNELS]
    adds = _adds(steps)
    unstrided = tuple(numbers["stride"][i] == 1 for i in range(uses)) if "stride" in numbers else None
    if IN_CHANNELS in numbers:
        entering = numbers[IN_CHANNELS]
        equal = {w: tuple(a == b for a, b in zip(numbers[w], entering, strict=True)) for w in widths}
        if not adds:
            yield from ((f"{w} != {IN_CHANNELS}", tuple(not one for one in same)) for w, same in equal.items())
        elif unstrided is not None:
            for w in widths:
                if w != "stride":
                    both = tuple(a and b for a, b in zip(unstrided, equal[w], strict=True))
                    yield f"stride == 1 and {w} == {IN_CHANNELS}", both
        if adds:
            yield from ((f"{w} == {IN_CHANNELS}", same) for w, same in equal.items())
    if adds and unstrided is not None:
        yield "stride == 1", unstrided
    if not adds:
        yield from ((f"{w} > 1", tuple(number > 1 for number in _whole(numbers[w]))) for w in widths)


def _whole(values: Sequence[Hole]) -> list[int]:
    return [value for value in values if isinstance(value, int)]
