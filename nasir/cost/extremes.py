"""The cheapest and the dearest network of a space."""

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations, product
from typing import Literal

from nasir.cost.model import Change, CostModel, Walk
from nasir.ir.dims import Decision
from nasir.ir.graph import Choices
from nasir.ir.values import Scalar

_MOST_NETWORKS = 3_000
_MOST_PAIRS = 5_000  # a fraction of a second


def extreme(model: CostModel, cost: str, end: Literal["smallest", "largest"]) -> dict[str, Scalar]:
    """The choices whose network has the least or the most of `cost`.

    Decisions that the cost grows with (`Cost.growing`) take their least or largest option. The others are tried
    in all combinations where there are at most `_MOST_NETWORKS`, which is exact; else by coordinate search: each in
    turn takes its best option given the others, until none changes; once from the first and once from the last of all
    alternatives, which is most often a skip; where there are at most `_MOST_PAIRS` changes of two decisions, those too.
    No such change betters what it finds; where more must change together it can miss the best.
    """
    growing = model.costs[cost].growing(model)
    few = [d for d in model.graph.decisions if d.name not in growing]
    sign = 1 if end == "smallest" else -1
    if math.prod(len(d.options) for d in few) <= _MOST_NETWORKS:
        start = {d.name: _end(d.options, end, 0) for d in model.graph.decisions}
        return _enumerated(model.walk(cost, start), few, sign)
    starts = [{d.name: _end(d.options, end, alternative) for d in model.graph.decisions} for alternative in (0, -1)]
    # Behind a row of skips every width follows from the one before: from the last on, they go first.
    optima: list[Choices] = []
    found = [
        _descend(model.walk(cost, start), sign, few[::step], optima)
        for start, step in zip(starts, (1, -1), strict=True)
    ]
    return min(found, key=lambda walk: sign * walk.total).choices


def _enumerated(walk: Walk, decisions: Sequence[Decision], sign: int) -> dict[str, Scalar]:
    """The best choices of all combinations of the decisions' options."""
    best, choices = walk.total, walk.choices
    for options in product(*(d.options for d in decisions)):
        for decision, option in zip(decisions, options, strict=True):
            walk.change(decision.name, option)
        if sign * walk.total < sign * best:
            best, choices = walk.total, walk.choices
    return choices


def _descend(walk: Walk, sign: int, decisions: Sequence[Decision], optima: list[Choices]) -> Walk:
    """Change the walk until nothing betters it, or until it stands where another one ended, in `optima`."""
    ones = [((d.name, option),) for d in decisions for option in d.options]
    few = len(ones) ** 2 / 2 <= _MOST_PAIRS
    while walk.choices not in optima:
        if not _betters(walk, sign, ones) and not (
            few and _betters(walk, sign, (a + b for a, b in combinations(ones, 2)))
        ):
            optima.append(walk.choices)
    return walk


def _betters(walk: Walk, sign: int, candidates: Iterable[tuple[Change, ...]]) -> bool:
    """Take each of the changes that betters the cost; whether any did."""
    improved = False
    for candidate in candidates:
        if sign * walk.after(candidate) < sign * walk.total:
            improved = True
            for name, option in candidate:
                walk.change(name, option)
    return improved


def _end(options: tuple[Scalar, ...], end: Literal["smallest", "largest"], alternative: int) -> Scalar:
    if any(isinstance(option, str) for option in options):
        return options[alternative]
    pick: Callable[..., Scalar] = min if end == "smallest" else max
    return pick(options)


def cost_range(model: CostModel, cost: str) -> tuple[int, int]:
    """The least and the most of `cost` over the space."""

    def at(choices: Choices) -> int:
        return model.at(choices, (cost,))[cost]

    return at(extreme(model, cost, "smallest")), at(extreme(model, cost, "largest"))
