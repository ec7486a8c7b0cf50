"""Bounds on costs: a price for each while searching, and a network that keeps them all at the end."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from nasir.cost.extremes import extreme
from nasir.cost.model import CostModel
from nasir.diagnostics import CompileError, Diagnostic
from nasir.ir.graph import Choices
from nasir.ir.values import Scalar
from nasir.lang.settings import Bound, Objective

_RATE = 0.05
_LARGEST_PRICE = 10.0


@dataclass
class Prices:
    """The multiplier of each bound, by dual ascent on the effective cost and on the argmax network's.

    The price of a single bound falls below zero while the network is under it: a bound is a budget to be used, and the
    pull of cross-entropy on widths alone is weak late in the schedule.
    """

    objective: Objective
    values: dict[str, float] = field(default_factory=dict[str, float])

    def penalty(self, cost: Mapping[str, Tensor]) -> Tensor:
        """What the costs add to the loss, a float64 scalar."""
        total = torch.zeros((), dtype=torch.float64, device=next(iter(cost.values())).device)
        for name, weight in self.objective.weights:
            total = total + weight * cost[name]
        for bound in self.objective.bounds:
            excess = cost[bound.cost] / bound.limit - 1.0
            total = total + self.values.get(bound.cost, 0.0) * excess + excess.clamp(min=0.0) ** 2
        return total

    def update(self, cost: Mapping[str, float], discrete: Mapping[str, int]) -> None:
        """One step of dual ascent."""
        for bound in self.objective.bounds:
            excess = 0.5 * (cost[bound.cost] + discrete[bound.cost]) / bound.limit - 1.0
            price = self.values.get(bound.cost, 0.0) + _RATE * excess
            # Of several bounds one is the tightest, and paying to use the others up would push past it.
            least = -_LARGEST_PRICE if len(self.objective.bounds) == 1 else 0.0
            self.values[bound.cost] = min(max(price, least), _LARGEST_PRICE)


def check_reachable(model: CostModel, bounds: Sequence[Bound]) -> None:
    """Each bound alone can be met.

    Raises:
        CompileError: with the smallest cost the space has, where it cannot.
    """
    found: list[Diagnostic] = []
    for bound in bounds:
        least = model.at(extreme(model, bound.cost, "smallest"))[bound.cost]
        if least > bound.limit:
            message = f"no network of the space has {bound.cost} <= {bound.limit:,.0f}: the smallest has {least:,}"
            found.append(Diagnostic("E0507", message, hints=("raise the bound, or add smaller options to the space",)))
    if found:
        raise CompileError(found)


def within_bounds(
    likeliest: Choices, probabilities: Mapping[str, Mapping[Scalar, float]], model: CostModel, bounds: Sequence[Bound]
) -> dict[str, Scalar]:
    """The likeliest choices, changed as little as it takes to keep every bound.

    Greedy: the change that gives up the least log-probability for each share of the excess it takes away, until
    nothing exceeds.

    Raises:
        CompileError: where no single change helps any more.
    """
    choices = dict(likeliest)
    excess = _excess(model, choices, bounds)
    while excess > 0:
        best: tuple[float, dict[str, Scalar], float] | None = None
        for name, options in probabilities.items():
            for option, probability in options.items():
                candidate = {**choices, name: option}
                less = excess - _excess(model, candidate, bounds)
                if less <= 0:
                    continue
                loss = math.log(options[choices[name]] + 1e-300) - math.log(probability + 1e-300)
                price = max(loss, 0.0) / less if less < excess else max(loss, 0.0) / excess
                if best is None or price < best[0]:
                    best = (price, candidate, excess - less)
        if best is None:
            raise CompileError(
                Diagnostic("E0507", "no network near the searched one keeps all bounds", hints=("raise the bounds",))
            )
        _, choices, excess = best
    return choices


def _excess(model: CostModel, choices: Choices, bounds: Sequence[Bound]) -> float:
    costs = model.at(choices)
    return sum(max(0.0, costs[b.cost] / b.limit - 1.0) for b in bounds)
