"""The cost of a network whose choices change one decision at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from heapq import heappop, heappush

from nasir.cost.base import AdditiveCost, Cost
from nasir.cost.model import CostModel, Network, Sums
from nasir.ir.activity import Activity, holds
from nasir.ir.graph import Choices
from nasir.ir.sizes import evaluate, exact
from nasir.ir.values import Scalar


@dataclass(frozen=True)
class Before:
    """Where a walk stood before a step."""

    decision: str
    option: Scalar
    total: int


class Anew:
    """A cost that is computed anew at each step, of the whole network."""

    def __init__(self, model: CostModel, cost: Cost, choices: Choices) -> None:
        self._model, self._cost = model, cost
        self._choices = dict(choices)
        self.total: int = self._now()

    @property
    def choices(self) -> dict[str, Scalar]:
        """The choices where it stands."""
        return dict(self._choices)

    def _now(self) -> int:
        return self._cost.at(Network(self._model, evaluate(self._model.graph, self._choices)))

    def change(self, decision: str, option: Scalar) -> object:
        """Change one decision; what comes back takes the step back, with `undo`."""
        before = Before(decision, self._choices[decision], self.total)
        self._choices[decision] = option
        self.total = self._now()
        return before

    def at_least(self, decision: str, option: Scalar) -> int:
        """Nothing is known without a look."""
        return 0

    def undo(self, change: object) -> None:
        """Take a step back."""
        assert isinstance(change, Before), "steps are taken back by what they returned"
        self._choices[change.decision] = change.option
        self.total = change.total


@dataclass(frozen=True)
class Change:
    """What a step overwrote."""

    known: Mapping[str, Scalar]
    prices: Mapping[int, int]
    active: Mapping[Activity, bool]


class Sum:
    """A sum over the ops of a network whose choices change one at a time: each step prices only what its decision
    changes."""

    def __init__(self, model: Sums, cost: AdditiveCost, choices: Choices) -> None:
        self.model = model
        self._rule = cost.price
        self._known = dict(evaluate(model.graph, choices))
        self._size = exact(self._known)
        self._active = {activity: holds(activity, self._known) for activity in model.links.nodes}
        self._prices = [self._price(i) for i in range(len(model.priced))]
        self.total = sum(self._prices)

    @property
    def choices(self) -> dict[str, Scalar]:
        """The choices where it stands."""
        return {d.name: self._known[d.name] for d in self.model.graph.decisions}

    def change(self, decision: str, option: Scalar) -> Change:
        """Take an option; what it overwrote comes back, for `undo`."""
        links, dims = self.model.links, self.model.graph.dims
        known: dict[str, Scalar] = {}
        if self._known[decision] != option:
            known[decision], self._known[decision] = self._known[decision], option
        due = [*links.dims[decision]] if known else []  # a sorted list is a heap
        last = -1
        while due:
            number = heappop(due)
            if number == last:
                continue
            last, dim = number, dims[number]
            value = self.model.evaluators[number](self._known)
            if value != self._known[dim.name]:
                known[dim.name], self._known[dim.name] = self._known[dim.name], value
                for user in links.dims[dim.name]:
                    heappush(due, user)
        return self._priced_anew(known)

    def at_least(self, decision: str, option: Scalar) -> int:
        """What the cost would be at least with this option: the prices of what it switches on, whose sizes do not
        change with it."""
        now = self._known[decision]
        self._known[decision] = option
        least = 0
        for activity, nodes in self.model.switched[decision]:
            if not self._active[activity] and holds(activity, self._known):
                for i in nodes:
                    price = self._rule(*self.model.priced[i][:2], self._size)
                    assert isinstance(price, int), "sizes are exact, and so are costs"
                    least += price
        self._known[decision] = now
        return least

    def _priced_anew(self, known: Mapping[str, Scalar]) -> Change:
        """Price what follows from the values that changed; `known` are the old ones."""
        links = self.model.links
        switched: dict[Activity, bool] = {}
        stale: set[int] = set()
        for name in known:
            for activity, nodes in links.sizes[name].items():
                if self._active[activity]:  # most of what a step changes is in alternatives that are not chosen
                    stale.update(nodes)
            for activity in links.conditions[name]:
                active = holds(activity, self._known)
                if active != self._active[activity]:
                    switched[activity], self._active[activity] = self._active[activity], active
                    stale.update(links.nodes[activity])
        prices: dict[int, int] = {}
        for i in stale:
            price = self._price(i)
            if price != self._prices[i]:
                prices[i], self._prices[i] = self._prices[i], price
                self.total += price - prices[i]
        return Change(known, prices, switched)

    def undo(self, change: object) -> None:
        """Take a step back."""
        assert isinstance(change, Change), "steps are taken back by what they returned"
        for i, price in change.prices.items():
            self.total += price - self._prices[i]
            self._prices[i] = price
        self._known.update(change.known)
        self._active.update(change.active)

    def _price(self, number: int) -> int:
        """The price of a node, 0 where it is not active."""
        op, it, activity = self.model.priced[number]
        if not self._active[activity]:
            return 0
        price = self._rule(op, it, self._size)
        assert isinstance(price, int), "sizes are exact, and so are costs"
        return price
