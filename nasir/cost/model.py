"""The costs of a graph: at one network exactly, under the gates as polynomials."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, TypeVar, cast

from nasir.cost.base import AdditiveCost, Cost
from nasir.cost.registry import COSTS, STANDARD
from nasir.cost.steps import Priced, PricedNode, Steps, steps_of
from nasir.ir.activity import Activity, holds, node_activities, probability
from nasir.ir.circuit import Polynomial, total
from nasir.ir.dims import SELECT
from nasir.ir.distributions import Distributions
from nasir.ir.graph import Choices, Graph
from nasir.ir.ops import OPS, Op, Tensors, tensors
from nasir.ir.sizes import Sizing, evaluate, exact
from nasir.ir.values import Ref, Scalar

T = TypeVar("T")
Change = tuple[str, Scalar]
"""A decision, and the option that it takes."""


class Walk(Protocol):
    """One cost of a network whose choices change one at a time."""

    total: int

    @property
    def choices(self) -> dict[str, Scalar]:
        """The choices where it stands."""
        ...

    def after(self, changes: Sequence[Change]) -> int:
        """What the cost would be after these changes; it stands where it stood."""
        ...

    def change(self, decision: str, option: Scalar) -> None:
        """Change one decision."""
        ...


class CostModel:
    """The costs of a graph with shapes: those that there are, and `own` ones of the program, as of a device file."""

    def __init__(self, graph: Graph, own: Sequence[Cost] = ()) -> None:
        self.graph = graph
        self.costs: Mapping[str, Cost] = {**COSTS, **{cost.name: cost for cost in own}}
        self.distributions = Distributions(graph.decision_map, graph.dim_map)
        self._sums: dict[str, NodeSums] = {}
        self._kept: dict[str, Any] = {}

    def kept(self, name: str, make: Callable[[], T]) -> T:
        """What a cost has made of this graph, made once."""
        if name not in self._kept:
            self._kept[name] = make()
        return cast(T, self._kept[name])

    def at(self, choices: Choices, names: Sequence[str] = STANDARD) -> Mapping[str, int]:
        """The exact costs of the network of `choices`."""
        network = Network(self, evaluate(self.graph, choices))
        return {name: self.costs[name].at(network) for name in names}

    def expected(self, names: Sequence[str] = STANDARD) -> Mapping[str, Polynomial | tuple[Polynomial, ...]]:
        """The effective costs as polynomials over the gates, exact at one-hot gates; of several the largest counts."""
        found: dict[str, Polynomial | tuple[Polynomial, ...]] = {}
        together: dict[int, list[AdditiveCost]] = {}
        for cost in map(self.costs.__getitem__, names):
            if isinstance(cost, AdditiveCost) and type(cost).expected is AdditiveCost.expected:
                together.setdefault(id(self.sums(cost)), []).append(cost)
            else:
                found[cost.name] = cost.expected(self)
        for costs in together.values():
            found |= self.sums(costs[0]).expected(costs)
        return {name: found[name] for name in names}

    def walk(self, cost: str, choices: Choices) -> Walk:
        """The cost at `choices`, to be changed one decision at a time."""
        return self.costs[cost].walk(self, choices)

    @cached_property
    def activities(self) -> Mapping[str, Activity]:
        """When each node is in the network."""
        return node_activities(self.graph, self.distributions)

    def sums(self, cost: AdditiveCost) -> "NodeSums":
        """The nodes that an additive cost prices; costs that price the same ops share it."""
        if cost.name not in self._sums:
            priced = frozenset(name for name, op in OPS.items() if cost.prices(op))
            shared = next((sums for sums in self._sums.values() if sums.ops == priced), None)
            self._sums[cost.name] = shared or NodeSums(self, priced)
        return self._sums[cost.name]


@dataclass
class Network:
    """One network of a space: `known` holds the value of every decision and dim."""

    model: CostModel
    known: Mapping[str, Scalar]
    _active: dict[int, list[tuple[Op, Tensors]]] = field(default_factory=dict[int, "list[tuple[Op, Tensors]]"])

    @cached_property
    def size(self) -> Sizing:
        """What each size is."""
        return exact(self.known)

    def nodes(self) -> list[Tensors]:
        """The nodes that are in the network, in order, as their ops see them."""
        graph = self.model.graph
        present = {name for name, activity in self.model.activities.items() if holds(activity, self.known)}
        return [tensors(graph, node.name) for node in graph.nodes if node.name in present]

    def active(self, cost: AdditiveCost) -> list[tuple[Op, Tensors]]:
        """The ops that are in the network, of those that the cost prices."""
        sums = self.model.sums(cost)
        if id(sums) not in self._active:
            truth = {activity: holds(activity, self.known) for activity in sums.distinct}
            self._active[id(sums)] = [(one.op, one.it) for one in sums.priced if truth[one.activity]]
        return self._active[id(sums)]


class Sums:
    """What of a graph a cost is a sum over, and where a change of one decision leads among it."""

    def __init__(self, model: CostModel, priced: Sequence[Priced]) -> None:
        self.model, self.graph, self.parts = model, model.graph, priced
        self.distinct = frozenset(one.activity for one in priced)

    @cached_property
    def steps(self) -> Steps:
        """What is computed of a network, and where a change of one decision leads."""
        return steps_of(self.graph, self.parts)


class NodeSums(Sums):
    """The nodes of a graph that a cost is a sum over."""

    def __init__(self, model: CostModel, ops: frozenset[str]) -> None:
        self.ops = ops
        self.priced: tuple[PricedNode, ...] = tuple(
            PricedNode(OPS[node.op], tensors(model.graph, node.name), model.activities[node.name])
            for node in model.graph.nodes
            if OPS[node.op].name in ops
        )
        super().__init__(model, self.priced)

    def expected(self, costs: Sequence[AdditiveCost]) -> dict[str, Polynomial]:
        """These costs under the gates, in one walk over the nodes: each op's price at mean sizes, times the probability
        that the op is there."""
        distributions = self.model.distributions
        parts: dict[str, list[Polynomial]] = {cost.name: [] for cost in costs}
        for one in self.priced:
            slot = probability(one.activity, distributions)
            weight = Polynomial({(() if slot is None else (slot,)): 1.0})
            for cost in costs:
                parts[cost.name].append(weight * cost.price(one.op, one.it, distributions.mean))
        return {name: total(polynomials) for name, polynomials in parts.items()}

    @cached_property
    def growing(self) -> frozenset[str]:
        """Decisions that every cost grows with, whatever the others are: numbers that reach costs as sizes alone, by
        functions that grow with them. Formulas of costs have no minus."""
        switching = {name for activity in self.distinct for name in activity.asks()}
        sizing = {name for one in self.priced for name in one.reads}
        for dim in reversed(self.graph.dims):  # users before what they use
            grows = _GROWS.get(dim.function, ()) if dim.name not in switching else ()
            if dim.name not in switching | sizing:
                continue
            for i, argument in enumerate(dim.args):
                if isinstance(argument, Ref):
                    (sizing if i in grows and self._counts(argument) else switching).add(argument.name)
        return frozenset(d.name for d in self.graph.decisions if d.name not in switching and self._counts(Ref(d.name)))

    def _counts(self, value: Ref) -> bool:
        """Whether its values are numbers, none of them below 0."""
        support = self.model.distributions.support(value)
        return all(isinstance(v, (int, float)) and not isinstance(v, bool) and v >= 0 for v in support)


_MANY = range(1, 1_000_000)
_GROWS: Mapping[str, Collection[int]] = {
    "add": (0, 1),
    "mul": (0, 1),
    "min": (0, 1),
    "max": (0, 1),
    "round_to": (1,),
    "window": (0,),
    "window_ceil": (0,),
    "first": (0,),
    "second": (0,),
    "sub": (0,),
    "div": (0,),
    SELECT: _MANY,
}
"""Arguments, by their place, that a function of dims grows with: those of a selection but for what it selects by."""
