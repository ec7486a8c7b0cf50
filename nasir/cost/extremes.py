"""The cheapest and the dearest network of a space."""

from collections.abc import Callable
from typing import Literal

from nasir.cost.model import CostModel
from nasir.ir.graph import Choices
from nasir.ir.values import Scalar


def extreme(model: CostModel, cost: str, end: Literal["smallest", "largest"]) -> dict[str, Scalar]:
    """The choices whose network has the least or the most of `cost`.

    Coordinate search: each decision in turn takes its best option given the others, until none changes. Exact where a
    cost never falls as a width or an expansion grows, whatever the other choices are, as in all spaces of convolutions
    (tests compare it with enumeration); elsewhere it is a local extreme.
    """
    sign = 1 if end == "smallest" else -1
    choices: dict[str, Scalar] = {d.name: _end(d.options, end) for d in model.graph.decisions}
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
    return choices


def _end(options: tuple[Scalar, ...], end: Literal["smallest", "largest"]) -> Scalar:
    pick: Callable[..., Scalar] = min if end == "smallest" else max
    return options[0] if isinstance(options[0], str) else pick(options)


def cost_range(model: CostModel, cost: str) -> tuple[int, int]:
    """The least and the most of `cost` over the space."""

    def at(choices: Choices) -> int:
        return model.at(choices, (cost,))[cost]

    return at(extreme(model, cost, "smallest")), at(extreme(model, cost, "largest"))
