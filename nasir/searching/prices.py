"""The objective: what the costs add to the loss while searching, and whether its bounds can be kept at all."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from torch import Tensor

from nasir.cost.extremes import extreme
from nasir.cost.model import CostModel
from nasir.diagnostics import CompileError, Diagnostic
from nasir.ir.graph import Choices
from nasir.ir.values import Scalar
from nasir.lang.objectives import Bound, Objective
from nasir.searching import mistakes
from nasir.searching.landing import Standing, repair

_GAIN = 9.0
_LARGEST_PRICE = 10.0


@dataclass(frozen=True)
class Targets:
    """An objective whose bounds are in absolute numbers. `spent` names the costs whose bound some network exceeds, so
    that there is a budget to be used up; `within` is a network that keeps all of them."""

    objective: Objective
    spent: frozenset[str] = frozenset()
    within: Choices = field(default_factory=dict[str, Scalar])

    @property
    def bounds(self) -> tuple[Bound, ...]:
        return self.objective.bounds


def targets(objective: Objective, model: CostModel) -> Targets:
    """The objective for one space: relative bounds become shares of the cost of its largest network.

    Raises:
        CompileError: with the smallest cost the space has, where a bound cannot be kept; where a relative one is of
            nothing; or where no network was found that keeps all of them together.
    """
    found: list[Diagnostic] = []
    bounds: list[Bound] = []
    spent: set[str] = set()
    smallest: list[dict[str, Scalar]] = []
    even = {d.name: dict.fromkeys(d.options, 0.0) for d in model.graph.decisions}
    for bound in objective.bounds:
        most = model.at(extreme(model, bound.cost, "largest"), (bound.cost,))[bound.cost]
        limit = bound.limit * most if bound.relative else bound.limit
        if limit == 0:
            found.append(mistakes.nothing_to_bound(bound.cost))
            continue
        bounds.append(Bound(bound.cost, limit))
        if most > limit:
            spent.add(bound.cost)
        smallest.append(repair(Standing(model, extreme(model, bound.cost, "smallest"), bounds[-1:]), even).choices)
        least = model.at(smallest[-1], (bound.cost,))[bound.cost]
        if least > limit:
            found.append(mistakes.bound_too_low(_written(bounds[-1], model), model.costs[bound.cost].written(least)))
    if found:
        raise CompileError(found)
    tried = [repair(Standing(model, choices, bounds), even) for choices in smallest]
    within = next((one.choices for one in tried if one.now.excess == 0), None)
    if bounds and within is None:
        raise mistakes.bounds_apart([_written(bound, model) for bound in bounds])
    return Targets(replace(objective, bounds=tuple(bounds)), frozenset(spent), within or {})


def _written(bound: Bound, model: CostModel) -> str:
    return f"{bound.cost} <= {model.costs[bound.cost].written(bound.limit)}"


@dataclass
class Prices:
    """The multiplier of each bound: an augmented Lagrangian, with dual ascent on the effective cost and the cost of the
    argmax network, which is what counts in the end: the more, the less the distributions leave undecided.

    A bound is a budget to be used, and the pull of cross-entropy on widths alone is weak late in the schedule: while
    the network is under the tightest of the bounds that are `spent`, that one's price falls below zero. There is one
    such price at most; it goes over to the bound that is the tightest now. `steps` of them make a search.
    """

    targets: Targets
    steps: int
    values: dict[str, float] = field(default_factory=dict[str, float])

    def loss(self, loss: Tensor, cost: Mapping[str, Tensor]) -> Tensor:
        """The loss of the architecture, a float64 scalar, by the network's own."""
        objective = self.targets.objective
        total = loss.double()
        for power in objective.powers:
            total = total * (cost[power.cost] / power.target) ** power.exponent
        for name, weight in objective.weights:
            total = total + weight * cost[name]
        for bound in objective.bounds:
            excess = cost[bound.cost] / bound.limit - 1.0
            total = total + self.values.get(bound.cost, 0.0) * excess + excess.clamp(min=0.0) ** 2
        return total

    def update(self, cost: Mapping[str, float], discrete: Mapping[str, int], undecided: float) -> None:
        """One step of dual ascent; `undecided` is the entropy of the distributions (`Supernet.entropy`): while they are
        uniform, the argmax network is that of the first options, and says nothing."""
        rate = _GAIN / max(1, self.steps)
        excesses = {
            b.cost: (undecided * cost[b.cost] + (1 - undecided) * discrete[b.cost]) / b.limit - 1.0
            for b in self.targets.bounds
        }
        # Paying to use up the other bounds would push past the tightest.
        tightest = max(self.targets.spent & excesses.keys(), key=lambda name: (excesses[name], name), default=None)
        pull = min([0.0, *self.values.values()])
        for name, excess in excesses.items():
            price = max(self.values.get(name, 0.0), 0.0) + rate * excess
            price = max(price + pull, -_LARGEST_PRICE) if name == tightest else max(price, 0.0)
            self.values[name] = min(price, _LARGEST_PRICE)
