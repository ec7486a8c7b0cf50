"""The cheapest and the dearest network of a space."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from nasir.cost.model import COSTS, CostModel
from nasir.ir.activity import Activity, holds
from nasir.ir.graph import Choices
from nasir.ir.sizes import evaluate, exact, value_of
from nasir.ir.values import Scalar

_MOST_PAIRS = 5_000  # a fraction of a second


def extreme(model: CostModel, cost: str, end: Literal["smallest", "largest"]) -> dict[str, Scalar]:
    """The choices whose network has the least or the most of `cost`.

    Coordinate search: each decision in turn takes its best option given the others, until none changes; once from the
    first and once from the last of all alternatives, which is most often a skip; where there are at most `_MOST_PAIRS`
    changes of two decisions, those too. No such change betters what it finds; where more must change together it can
    miss the best.
    """
    starts = [{d.name: _end(d.options, end, last) for d in model.graph.decisions} for last in (0, -1)]
    sign = 1 if end == "smallest" else -1
    found = [_descend(Walk(model, cost, start), sign) for start in starts]
    return min(found, key=lambda walk: sign * walk.total).choices


def _descend(walk: "Walk", sign: int) -> "Walk":
    ones = [((d.name, option),) for d in walk.model.graph.decisions for option in d.options]
    few = len(ones) ** 2 / 2 <= _MOST_PAIRS
    while _betters(walk, sign, ones) or (few and _betters(walk, sign, (a + b for a, b in combinations(ones, 2)))):
        pass
    return walk


def _betters(walk: "Walk", sign: int, candidates: Iterable[tuple[tuple[str, Scalar], ...]]) -> bool:
    """Take each of the changes that betters the cost; whether any did."""
    improved = False
    for candidate in candidates:
        before = walk.total
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
    """One cost of a network whose choices change one at a time: each step prices only what its decision reaches."""

    def __init__(self, model: CostModel, cost: str, choices: Choices) -> None:
        self.model = model
        self._rule = COSTS[cost]
        self._known = dict(evaluate(model.graph, choices))
        groups: dict[Activity, list[int]] = {}
        for i, (_, _, activity) in enumerate(model.priced):
            groups.setdefault(activity, []).append(i)
        self._prices = dict.fromkeys(range(len(model.priced)), 0)
        self._active = dict.fromkeys(groups, False)
        self._prices.update(self._priced(groups, {}))
        self.total = sum(self._prices.values())

    @property
    def choices(self) -> dict[str, Scalar]:
        """The choices where it stands."""
        return {d.name: self._known[d.name] for d in self.model.graph.decisions}

    def change(self, decision: str, option: Scalar) -> Change:
        """Take an option; what it overwrote comes back, for `undo`."""
        reach = self.model.reach[decision]
        known = {name: self._known[name] for name in (decision, *(dim.name for dim in reach.dims))}
        self._known[decision] = option
        for dim in reach.dims:
            self._known[dim.name] = value_of(dim, self._known)
        prices: dict[int, int] = {}
        switched: dict[Activity, bool] = {}
        for i, price in self._priced(reach.priced, switched):
            if price != self._prices[i]:
                prices[i] = self._prices[i]
                self.total += price - prices[i]
                self._prices[i] = price
        return Change(known, prices, switched)

    def undo(self, change: Change) -> None:
        """Take a step back."""
        self.total += sum(change.prices.values()) - sum(self._prices[i] for i in change.prices)
        self._known.update(change.known)
        self._prices.update(change.prices)
        self._active.update(change.active)

    def _priced(
        self, groups: Mapping[Activity, Sequence[int]], switched: dict[Activity, bool]
    ) -> Iterator[tuple[int, int]]:
        """The price of each node, 0 where it is not active; nodes that were inactive and stay so are left out. What
        was active and is not, or the reverse, is noted in `switched`."""
        size = exact(self._known)
        for activity, nodes in groups.items():
            active, before = holds(activity, self._known), self._active[activity]
            if not active and not before:
                continue  # most of what a step reaches is in alternatives that are not chosen
            if active != before:
                switched[activity], self._active[activity] = before, active
            for i in nodes:
                price = self._rule(*self.model.priced[i][:2], size) if active else 0
                assert isinstance(price, int), "sizes are exact, and so are costs"
                yield i, price


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
