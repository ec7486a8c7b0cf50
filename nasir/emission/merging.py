"""Uses of one block as one class: steps that some of them lack stand under conditions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from nasir.emission.steps import Step, Use


@dataclass(frozen=True)
class Group:
    """Neighbouring steps that the same uses have. Where `present` is not true of every use, `result` is the value that
    others read of the group, and `otherwise` the value that they read in its place."""

    steps: tuple[Step, ...]
    present: tuple[bool, ...]
    result: str = ""
    otherwise: str = ""

    @property
    def is_optional(self) -> bool:
        return not all(self.present)


@dataclass(frozen=True)
class Merged:
    """The body of a class for several uses; `names` are what its inputs are called."""

    inputs: tuple[str, ...]
    groups: tuple[Group, ...]
    output: str
    names: tuple[str, ...]

    @property
    def arguments(self) -> dict[str, str]:
        """What the forward's parameters are called, by the inputs' keys."""
        return dict(zip(self.inputs, self.names, strict=True))

    @property
    def steps(self) -> Iterator[Step]:
        return (step for group in self.groups for step in group.steps)

    def split(self, value: str, name: str) -> "tuple[Merged, Merged]":
        """The steps up to `value`, and those behind it, which read nothing else and call it `name`; of one use."""
        steps = list(self.steps)
        end = next(i for i, step in enumerate(steps) if step.key == value) + 1
        before, behind = (Group(tuple(part), (True,)) for part in (steps[:end], steps[end:]))
        return Merged(self.inputs, (before,), value, self.names), Merged((value,), (behind,), self.output, (name,))


def merged(uses: Sequence[Use]) -> Merged | None:
    """The uses as one body; None where they do not have their steps in one order, or differ in more than in steps that
    are left out and in holes."""
    if len({use.inputs for use in uses}) > 1:
        return None
    order = _order([[step.key for step in use.steps] for use in uses])
    return None if order is None else _Merging(uses, order).merged()


def _order(sequences: Sequence[Sequence[str]]) -> list[str] | None:
    """One order that every sequence is a part of."""
    found: list[str] = []
    for sequence in sorted(dict.fromkeys(map(tuple, sequences)), key=len, reverse=True):
        places = {key: i for i, key in enumerate(found)}
        joined: list[str] = []
        at = 0
        for key in sequence:
            place = places.get(key, at)
            if place < at:
                return None
            joined += found[at:place]
            joined.append(key)
            at = place + (key in places)
        found = [*joined, *found[at:]]
    return found


class _Merging:
    def __init__(self, uses: Sequence[Use], order: Sequence[str]) -> None:
        self._uses, self._order = uses, order
        self._inputs = uses[0].inputs
        self._rank = {key: i for i, key in enumerate((*self._inputs, *order))}
        self._steps = [{step.key: step for step in use.steps} for use in uses]
        self._stand_ins: dict[str, str] = {}

    def merged(self) -> Merged | None:
        steps: list[Step] = []
        reads: list[tuple[int, str, str]] = []
        """Of a use, the value that the merged step reads, and the one that this use reads there."""
        for key in self._order:
            having = {i: own[key] for i, own in enumerate(self._steps) if key in own}
            first, *others = having.values()
            if any(not _alike(first, other) for other in others):
                return None
            operands: list[str] = []
            for place in range(len(first.operands)):
                found = {i: step.operands[place] for i, step in having.items()}
                latest = max(found.values(), key=self._rank.__getitem__)
                operands.append(latest)
                reads += [(i, latest, actual) for i, actual in found.items()]
            steps.append(_with_operands(first, operands))
        outputs = {i: use.output for i, use in enumerate(self._uses)}
        output = max(outputs.values(), key=self._rank.__getitem__)
        reads += [(i, output, actual) for i, actual in outputs.items()]
        if not self._stand(reads):
            return None
        groups = self._groups(steps, output)
        return None if groups is None else Merged(self._inputs, groups, output, self._names())

    def _names(self) -> tuple[str, ...]:
        """What the inputs are called, by a number where the uses do not agree."""
        called = zip(*(use.arguments for use in self._uses), strict=True)
        return tuple(names[0] if len({*names}) == 1 else f"x{i + 1}" for i, names in enumerate(called))

    def _stand(self, reads: Sequence[tuple[int, str, str]]) -> bool:
        """What stands in for each value where its step is left out: of what uses read there, the latest. Whether that
        tells what every use reads."""
        for i, value, actual in reads:
            if value != actual:
                if value in self._steps[i]:
                    return False
                known = self._stand_ins.get(value, actual)
                self._stand_ins[value] = max(known, actual, key=self._rank.__getitem__)
        return all(self._resolved(i, value) == actual for i, value, actual in reads)

    def _resolved(self, use: int, value: str) -> str:
        while value in self._stand_ins and value not in self._steps[use]:
            value = self._stand_ins[value]
        return value

    def _groups(self, steps: Sequence[Step], output: str) -> tuple[Group, ...] | None:
        by_uses = groupby(steps, lambda step: tuple(step.key in own for own in self._steps))
        found: list[Group] = []
        for group in (Group(tuple(neighbours), present) for present, neighbours in by_uses):
            if not group.is_optional:
                found.append(group)
                continue
            own = {step.key for step in group.steps}
            read = {o for step in steps if step.key not in own for o in step.operands} | {output}
            results = own & read
            if len(results) != 1 or not results <= self._stand_ins.keys():
                return None
            (result,) = results
            found.append(Group(group.steps, group.present, result, self._stand_ins[result]))
        return tuple(found)


def _alike(a: Step, b: Step) -> bool:
    """Whether they are one step of a class, whatever their operands and holes."""
    return _with_operands(a, ()) == _with_operands(b, ()) and len(a.operands) == len(b.operands)


def _with_operands(step: Step, operands: Sequence[str]) -> Step:
    return replace(step, operands=tuple(operands))


def by_signature(uses: Sequence[Use]) -> Mapping[object, list[Use]]:
    """The uses by what they have in common but for their holes."""
    found: dict[object, list[Use]] = {}
    for use in uses:
        found.setdefault(use.signature, []).append(use)
    return found
