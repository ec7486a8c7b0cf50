"""The cost of a network whose choices change one decision at a time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

from nasir.cost.base import Cost
from nasir.cost.model import Change, CostModel, Network, Sums
from nasir.cost.steps import Computed, Thing
from nasir.ir.activity import Activity, holds
from nasir.ir.graph import Choices
from nasir.ir.sizes import Number, evaluate
from nasir.ir.values import Scalar


class Anew:
    """A cost that is computed anew at each step, of the whole network."""

    def __init__(self, model: CostModel, cost: Cost, choices: Choices) -> None:
        self._model, self._cost = model, cost
        self._choices = dict(choices)
        self.total: int = self._at(self._choices)

    @property
    def choices(self) -> dict[str, Scalar]:
        """The choices where it stands."""
        return dict(self._choices)

    def _at(self, choices: Choices) -> int:
        return self._cost.at(Network(self._model, evaluate(self._model.graph, choices)))

    def after(self, changes: Sequence[Change]) -> int:
        """What the cost would be after these changes; it stands where it stood."""
        return self._at({**self._choices, **dict(changes)})

    def change(self, decision: str, option: Scalar) -> None:
        """Change one decision."""
        self._choices[decision] = option
        self.total = self._at(self._choices)


_MOST_FRONT = 4
_MOST_OUTCOMES = 200_000

Front = tuple[tuple[int, int, Scalar], ...]
"""The things that have changed and that later steps read: the last of these, their own numbers, their values."""


@dataclass
class Changed:
    """What changes have overwritten, and the place of the last step that reads any of it."""

    known: dict[str, Scalar] = field(default_factory=dict[str, Scalar])
    active: dict[Activity, bool] = field(default_factory=dict[Activity, bool])
    prices: dict[int, int] = field(default_factory=dict[int, int])
    last: int = -1


class Sum:
    """A sum over the parts of a network whose choices change one at a time, its ops or its kernels: `rule` makes of
    the decisions and dims, which change, what tells the price of one; `constant` is added to every network.

    A change goes along the steps (`nasir/cost/steps.py`) that read what changed, and prices only their parts. What
    comes of it from a step on follows from the few things that have changed and that later steps read: these outcomes
    are kept. Behind a row of skips, whose widths all follow from one before them, most changes meet one that is known.
    """

    def __init__(
        self,
        model: Sums,
        rule: Callable[[Mapping[str, Scalar]], Callable[[Any], Number]],
        choices: Choices,
        constant: int = 0,
    ) -> None:
        self.model = model
        self._steps = model.steps
        self._known = dict(evaluate(model.graph, choices))
        self._rule = rule(self._known)
        self._active = {activity: holds(activity, self._known) for activity in model.distinct}
        self._prices = [self._price(i) for i in range(len(model.parts))]
        self.total = constant + sum(self._prices)
        self._outcomes: dict[int, dict[Front, int]] = {}
        """By the step and the front before it: by how much the total changes from there on."""
        self._places: list[int] = []
        """The steps with outcomes, as a heap."""
        self._count = 0

    @property
    def choices(self) -> dict[str, Scalar]:
        """The choices where it stands."""
        return {d.name: self._known[d.name] for d in self.model.graph.decisions}

    def after(self, changes: Sequence[Change]) -> int:
        """What the cost would be after these changes; it stands where it stood."""
        changed, total = self._changed(changes, looks_up=True)
        self._known.update(changed.known)
        self._active.update(changed.active)
        for i, price in changed.prices.items():
            self._prices[i] = price
        return total

    def change(self, decision: str, option: Scalar) -> None:
        """Change one decision."""
        changed, self.total = self._changed(((decision, option),))
        while self._places and self._places[0] <= changed.last:  # later steps read nothing of what changed
            self._count -= len(self._outcomes.pop(heappop(self._places)))

    def _changed(self, changes: Sequence[Change], *, looks_up: bool = False) -> tuple[Changed, int]:
        """Make the changes; what they have overwritten, and the total. With `looks_up` only as far as the outcome is
        not known."""
        changed, total = Changed(), self.total
        due: list[int] = []
        front: list[tuple[int, int, Scalar]] = []  # a heap: what no step reads any more goes
        for decision, option in dict(changes).items():
            if self._known[decision] != option:
                self._set(decision, option, changed, due, front)
        passed: list[tuple[int, Front, int]] = []
        done = -1
        while due:
            place = heappop(due)
            if place == done:
                continue
            done, step = place, self._steps.order[place]
            if isinstance(step, int):
                price = self._price(step)
                total += price - self._prices[step]
                changed.prices[step], self._prices[step] = self._prices[step], price
                continue
            while front and front[0][0] < place:
                heappop(front)
            if looks_up and len(front) <= _MOST_FRONT:
                now = tuple(sorted(front))
                known = self._outcomes.get(place)
                if known is not None and now in known:
                    total += known[now]
                    break
                passed.append((place, now, total))
            if isinstance(step, Computed):
                value = step.value(self._known)
                if value != self._known[step.name]:
                    self._set(step.name, value, changed, due, front)
            else:
                truth = holds(step, self._known)
                if truth != self._active[step]:
                    self._set(step, truth, changed, due, front)
        self._keep(passed, total)
        return changed, total

    def _set(
        self, thing: Thing, value: Scalar, changed: Changed, due: list[int], front: list[tuple[int, int, Scalar]]
    ) -> None:
        """Give a thing another value; those that read it are due."""
        steps = self._steps
        if isinstance(thing, str):
            before = changed.known[thing] = self._known[thing]
            self._known[thing] = value
            for one in (before, value):
                for place in steps.asking[thing].get(one, ()):
                    heappush(due, place)
        else:
            changed.active[thing], self._active[thing] = self._active[thing], bool(value)
        for place in steps.readers[thing]:
            heappush(due, place)
        for activity, places in steps.sized[thing].items():
            if self._active[activity]:  # most of what changes is in alternatives that are not chosen
                for place in places:
                    heappush(due, place)
        last = steps.last[thing]
        changed.last = max(changed.last, last)
        heappush(front, (last, steps.numbers[thing], value))

    def _keep(self, passed: Sequence[tuple[int, Front, int]], total: int) -> None:
        """Keep what came of each front that was passed."""
        if self._count + len(passed) > _MOST_OUTCOMES:
            self._outcomes, self._places, self._count = {}, [], 0
        for place, front, before in passed:
            if place not in self._outcomes:
                self._outcomes[place] = {}
                heappush(self._places, place)
            self._outcomes[place][front] = total - before
        self._count += len(passed)

    def _price(self, number: int) -> int:
        """The price of a part, 0 where it is not active."""
        one = self.model.parts[number]
        if not self._active[one.activity]:
            return 0
        price = self._rule(one)
        assert isinstance(price, int), "sizes are exact, and so are costs"
        return price
