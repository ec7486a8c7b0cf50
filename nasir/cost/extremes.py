"""The cheapest and the dearest network of a space."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import combinations, product
from typing import Literal

from nasir.cost.model import COSTS, CostModel
from nasir.ir.activity import Activity, holds
from nasir.ir.dims import Decision
from nasir.ir.graph import Choices
from nasir.ir.sizes import evaluate, exact
from nasir.ir.values import Scalar

_MOST_NETWORKS = 3_000
_MOST_PAIRS = 5_000  # a fraction of a second


def extreme(model: CostModel, cost: str, end: Literal["smallest", "largest"]) -> dict[str, Scalar]:
    """The choices whose network has the least or the most of `cost`.

    Decisions that every cost grows with (`CostModel.growing`) take their least or largest option. The others are tried
    in all combinations where there are at most `_MOST_NETWORKS`, which is exact; else by coordinate search: each in
    turn takes its best option given the others, until none changes; once from the first and once from the last of all
    alternatives, which is most often a skip; where there are at most `_MOST_PAIRS` changes of two decisions, those too.
    No such change betters what it finds; where more must change together it can miss the best.
    """
    few = [d for d in model.graph.decisions if d.name not in model.growing]
    sign = 1 if end == "smallest" else -1
    if math.prod(len(d.options) for d in few) <= _MOST_NETWORKS:
        start = {d.name: _end(d.options, end, 0) for d in model.graph.decisions}
        return _enumerated(Walk(model, cost, start), few, sign)
    starts = [{d.name: _end(d.options, end, alternative) for d in model.graph.decisions} for alternative in (0, -1)]
    # Behind a row of skips every width follows from the one before: from the last on, they go first.
    optima: list[Choices] = []
    found = [
        _descend(Walk(model, cost, start), sign, step, optima) for start, step in zip(starts, (1, -1), strict=True)
    ]
    return min(found, key=lambda walk: sign * walk.total).choices


def _enumerated(walk: "Walk", decisions: Sequence[Decision], sign: int) -> dict[str, Scalar]:
    """The best choices of all combinations of the decisions' options."""
    best, choices = walk.total, walk.choices
    for options in product(*(d.options for d in decisions)):
        for decision, option in zip(decisions, options, strict=True):
            walk.change(decision.name, option)
        if sign * walk.total < sign * best:
            best, choices = walk.total, walk.choices
    return choices


def _descend(walk: "Walk", sign: int, step: int, optima: list[Choices]) -> "Walk":
    """Change the walk until nothing betters it, or until it stands where another one ended, in `optima`."""
    growing = walk.model.growing
    open_decisions = [d for d in walk.model.graph.decisions[::step] if d.name not in growing]
    ones = [((d.name, option),) for d in open_decisions for option in d.options]
    few = len(ones) ** 2 / 2 <= _MOST_PAIRS
    while walk.choices not in optima:
        if not _betters(walk, sign, ones) and not (
            few and _betters(walk, sign, (a + b for a, b in combinations(ones, 2)))
        ):
            optima.append(walk.choices)
    return walk


def _betters(walk: "Walk", sign: int, candidates: Iterable[tuple[tuple[str, Scalar], ...]]) -> bool:
    """Take each of the changes that betters the cost; whether any did."""
    improved = False
    for candidate in candidates:
        before = walk.total
        if sign > 0 and len(candidate) == 1 and walk.at_least(*candidate[0]) >= before:
            continue  # most alternatives to a skip; what follows from them need not be looked at
        changes = [walk.change(name, option) for name, option in candidate]
        if sign * walk.total < sign * before:
            improved = True
        else:
            for change in reversed(changes):
                walk.undo(change)
    return improved


@dataclass(frozen=True)
class Change:
    """What a step overwrote."""

    known: Mapping[str, Scalar]
    prices: Mapping[int, int]
    active: Mapping[Activity, bool]


class Walk:
    """One cost of a network whose choices change one at a time: each step prices only what its decision changes."""

    def __init__(self, model: CostModel, cost: str, choices: Choices) -> None:
        self.model = model
        self._rule = COSTS[cost]
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

    def undo(self, change: Change) -> None:
        """Take a step back."""
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


def _end(options: tuple[Scalar, ...], end: Literal["smallest", "largest"], alternative: int) -> Scalar:
    if isinstance(options[0], str):
        return options[alternative]
    pick: Callable[..., Scalar] = min if end == "smallest" else max
    return pick(options)


def cost_range(model: CostModel, cost: str) -> tuple[int, int]:
    """The least and the most of `cost` over the space."""

    def at(choices: Choices) -> int:
        return model.at(choices, (cost,))[cost]

    return at(extreme(model, cost, "smallest")), at(extreme(model, cost, "largest"))
