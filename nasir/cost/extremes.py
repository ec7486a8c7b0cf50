"""The cheapest and the dearest network of a space."""

from collections.abc import Callable
from typing import Literal

from nasir.cost.model import CostModel
from nasir.ir.graph import Choices
from nasir.ir.values import Scalar


def extreme(model: CostModel, cost: str, end: Literal["smallest", "largest"]) -> dict[str, Scalar]:
    """The choices whose network has the least or the most of `cost`.

    Coordinate search: each decision in turn takes its best option given the others, until none changes; once from the
    first and once from the last of all alternatives, which is most often a skip. No change of one decision betters what
    it finds; where two must change together it can miss the best.
    """
    starts = [{d.name: _end(d.options, end, last) for d in model.graph.decisions} for last in (0, -1)]
    sign = 1 if end == "smallest" else -1
    found = [_descend(model, cost, sign, start) for start in starts]
    return min(found, key=lambda f: f[0])[1]


def _descend(model: CostModel, cost: str, sign: int, choices: dict[str, Scalar]) -> tuple[int, dict[str, Scalar]]:
    value = sign * model.at(choices, (cost,))[cost]
    improved = True
    while improved:
        improved = False
        for decision in model.graph.decisions:
            for option in decision.options:
                candidate = {**choices, decision.name: option}
                other = sign * model.at(candidate, (cost,))[cost]
                if other < value:
                    choices, value, improved = candidate, other, True
    return value, choices


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
