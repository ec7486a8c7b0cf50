"""Multiply-adds and parameters: one formula an op, evaluated on exact integers or on effective sizes (Eq. 10).

`macs` are the multiply-adds of convolutions and linear layers for one image, biases left out: what this field's papers
call FLOPs, and half of what torch's flop counter reports. `params` is everything trainable: weights, biases and two a
batch-norm channel.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from nasir.cost.names import COST_NAMES
from nasir.ir.activity import Activity, holds, node_activities, probability, selectors
from nasir.ir.circuit import Polynomial, total
from nasir.ir.dims import SELECT
from nasir.ir.distributions import Distributions
from nasir.ir.graph import Choices, Graph, values_of
from nasir.ir.ops import OPS, Op, Tensors
from nasir.ir.sizes import Number, Sizing, evaluate, evaluator, exact
from nasir.ir.values import Ref, Scalar

Rule = Callable[[Op, Tensors, Sizing], Number]

COSTS: Mapping[str, Rule] = {
    "macs": lambda op, it, size: op.macs(it, size),
    "params": lambda op, it, size: op.params(it, size),
    "published_macs": lambda op, it, size: op.macs(it, size) + op.pooled(it, size),
    "published_params": lambda op, it, size: op.weight_count(it, size),
}
_RULES = (Op.macs, Op.params, Op.weight_count, Op.pooled)


@dataclass(frozen=True)
class Links:
    """What follows from what: of each decision and dim the numbers of the dims that read it, of the priced nodes whose
    sizes it is, by their conditions, and the conditions that ask it; of each condition the numbers of its nodes."""

    dims: Mapping[str, Sequence[int]]
    sizes: Mapping[str, Mapping[Activity, Sequence[int]]]
    conditions: Mapping[str, Sequence[Activity]]
    nodes: Mapping[Activity, Sequence[int]]


class CostModel:
    """The costs of a graph with shapes."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.distributions = Distributions(graph.decision_map, graph.dim_map)

    @cached_property
    def priced(self) -> tuple[tuple[Op, Tensors, Activity], ...]:
        """Each node that can cost something, with its operands' types and when it is active."""
        activities = node_activities(self.graph, self.distributions)
        return tuple(
            (OPS[node.op], tensors(self.graph, node.name), activities[node.name])
            for node in self.graph.nodes
            if any(getattr(type(OPS[node.op]), rule.__name__) is not rule for rule in _RULES)
        )

    @cached_property
    def evaluators(self) -> Sequence[Callable[[Mapping[str, Scalar]], Scalar]]:
        """What computes each dim from the decisions and the dims before it."""
        return tuple(map(evaluator, self.graph.dims))

    @cached_property
    def links(self) -> Links:
        """Where a change of one decision leads."""
        names = (*self.graph.decision_map, *self.graph.dim_map)
        dims = {name: list[int]() for name in names}
        sizes: dict[str, dict[Activity, list[int]]] = {name: {} for name in names}
        conditions: dict[str, list[Activity]] = {name: [] for name in names}
        nodes: dict[Activity, list[int]] = {}
        for i, dim in enumerate(self.graph.dims):
            for name in {a.name for a in dim.args if isinstance(a, Ref)}:
                dims[name].append(i)
        for i, (_, it, activity) in enumerate(self.priced):
            for name in _sizes(it):
                sizes[name].setdefault(activity, []).append(i)
            if activity not in nodes:
                for name in selectors(activity):
                    conditions[name].append(activity)
            nodes.setdefault(activity, []).append(i)
        return Links(dims, sizes, conditions, nodes)

    @cached_property
    def switched(self) -> Mapping[str, Sequence[tuple[Activity, Sequence[int]]]]:
        """For each decision the conditions that ask it, with those of their nodes whose sizes do not follow from it."""
        roots = self.distributions.decisions_of
        found: dict[str, list[tuple[Activity, Sequence[int]]]] = {}
        for decision in self.graph.decisions:
            found[decision.name] = []
            for activity in self.links.conditions[decision.name]:
                nodes = [
                    i
                    for i in self.links.nodes[activity]
                    if not any(decision.name in roots(name) for name in _sizes(self.priced[i][1]))
                ]
                found[decision.name].append((activity, nodes))
        return found

    @cached_property
    def growing(self) -> frozenset[str]:
        """Decisions that every cost grows with, whatever the others are: numbers that reach costs as sizes alone, by
        functions that grow with them. Formulas of costs have no minus."""
        switching = {name for activity in self.links.nodes for name in selectors(activity)}
        sizing = {name for _, it, _ in self.priced for name in _sizes(it)}
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
        support = self.distributions.support(value)
        return all(isinstance(v, (int, float)) and not isinstance(v, bool) and v >= 0 for v in support)

    @cached_property
    def _activities(self) -> frozenset[Activity]:
        return frozenset(activity for _, _, activity in self.priced)

    def at(self, choices: Choices, names: Sequence[str] = COST_NAMES) -> Mapping[str, int]:
        """The exact costs of the network of `choices`, by the names of `cost/names.py`."""
        known = evaluate(self.graph, choices)
        size = exact(known)
        truth = {activity: holds(activity, known) for activity in self._activities}
        active = [(op, it) for op, it, activity in self.priced if truth[activity]]
        totals: dict[str, int] = {}
        for name in names:
            rule = COSTS[name]
            cost = sum((rule(op, it, size) for op, it in active), 0)
            assert isinstance(cost, int), "sizes are exact, and so are costs"
            totals[name] = cost
        return totals

    def expected(self) -> Mapping[str, Polynomial]:
        """The effective costs as polynomials over the gates: each op's formula on mean sizes, as Eq. 10 has it, times
        the probability that the op is in the network. Exact at one-hot gates.
        """
        size = self.distributions.mean
        parts: dict[str, list[Polynomial]] = {name: [] for name in COST_NAMES}
        for op, it, activity in self.priced:
            slot = probability(activity, self.distributions)
            weight = Polynomial({(() if slot is None else (slot,)): 1.0})
            for name in COST_NAMES:
                parts[name].append(weight * COSTS[name](op, it, size))
        return {name: total(polynomials) for name, polynomials in parts.items()}


_MANY = range(1, 1_000_000)
_GROWS: Mapping[str, Collection[int]] = {
    "add": (0, 1),
    "mul": (0, 1),
    "min": (0, 1),
    "max": (0, 1),
    "round_to": (1,),
    "conv_out": (0,),
    "sub": (0,),
    "div": (0,),
    SELECT: _MANY,
}
"""Arguments, by their place, that a function of dims grows with: those of a selection but for what it selects by."""


def _sizes(it: Tensors) -> set[str]:
    """The decisions and dims that a node's costs are computed from."""
    mentioned = {v.name for type in it.operands.values() for v in type.values() if isinstance(v, Ref)}
    return mentioned | {v.name for v in values_of(it.node) if isinstance(v, Ref)}


def tensors(graph: Graph, name: str) -> Tensors:
    """A node with its operands' types, as its op sees it."""
    node = graph.by_name[name]
    return Tensors(node, {label: graph.by_name[operand].shape for label, operand in node.operands})
