"""When a part of a block is there, told by the block's own numbers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
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

    First the part's own parameter, which only uses with the part have; then a flag of the program's; then what makes
    the part needless: for a shortcut that the ends differ, for others that two widths are equal. `before` are the
    conditions of earlier groups, and the uses that they are true of.
    """
    own = {name for name, parameter in parameters.items() if _is_own(parameter, group)}
    if own:
        return Condition(f"{min(own, key=list(parameters).index)} is not None")
    for name in (name for name in uses[0].values if safe(name) == name):
        flags = [use.values.get(name) for use in uses]
        if tuple(flags) == group.present and all(isinstance(flag, bool) for flag in flags):
            return Condition(name, {name: [flag is True for flag in flags]})
    for text, holds in _comparisons(group.steps, parameters):
        if _tells(holds, group.present):
            return Condition(text)
    for text, present in before.items():
        for more, holds in _comparisons(group.steps, parameters):
            both = [a and b for a, b in zip(present, map(holds, range(len(present))), strict=True)]
            if tuple(both) == group.present:
                return Condition(f"{text} and {more}" if " or " not in text else f"({text}) and {more}")
    return None


def _is_own(parameter: Values, group: Group) -> bool:
    """Whether a parameter has a value exactly where the group is there."""
    return tuple(value is not None for value in parameter.values) == group.present


def _tells(holds: Callable[[int], bool], present: tuple[bool, ...]) -> bool:
    return tuple(map(holds, range(len(present)))) == present


def _comparisons(
    steps: Sequence[Step], parameters: Mapping[str, Values]
) -> Iterator[tuple[str, Callable[[int], bool]]]:
    """Comparisons of the class's numbers, the most telling first, each with whether it holds for a use."""
    values = {name: p.values for name, p in parameters.items() if all(type(v) is int for v in p.values)}
    widths = [name for name in values if name != IN_CHANNELS]
    if all(step.call is not None and step.call.kind == "operator" for step in steps) and IN_CHANNELS in values:
        for width in widths:
            if "stride" in values and width != "stride":
                yield f"stride == 1 and {width} == {IN_CHANNELS}", _both(values, width)
        for width in widths:
            yield f"{width} == {IN_CHANNELS}", _equal(values[width], values[IN_CHANNELS])
        if "stride" in values:
            yield "stride == 1", _is_one(values["stride"])
        return
    if IN_CHANNELS in values:
        for width in widths:
            yield f"{width} != {IN_CHANNELS}", _differ(values[width], values[IN_CHANNELS])
    for name in widths:
        yield f"{name} > 1", _above_one(values[name])


def _equal(a: Sequence[Hole], b: Sequence[Hole]) -> Callable[[int], bool]:
    return lambda i: a[i] == b[i]


def _differ(a: Sequence[Hole], b: Sequence[Hole]) -> Callable[[int], bool]:
    return lambda i: a[i] != b[i]


def _is_one(a: Sequence[Hole]) -> Callable[[int], bool]:
    return lambda i: a[i] == 1


def _above_one(a: Sequence[Hole]) -> Callable[[int], bool]:
    return lambda i: isinstance(value := a[i], int) and value > 1


def _both(values: Mapping[str, Sequence[Hole]], width: str) -> Callable[[int], bool]:
    equal, one = _equal(values[width], values[IN_CHANNELS]), _is_one(values["stride"])
    return lambda i: equal(i) and one(i)
