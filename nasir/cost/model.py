"""Multiply-adds and parameters: one formula an op, evaluated on exact integers or on effective sizes (Eq. 10).

`macs` are the multiply-adds of convolutions and linear layers for one image, biases left out: what this field's papers
call FLOPs, and half of what torch's flop counter reports. `params` is everything trainable: weights, biases and two a
batch-norm channel.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from nasir.cost.names import COST_NAMES
from nasir.ir.activity import Activity, holds, node_activities, probability, selectors
from nasir.ir.circuit import Polynomial
from nasir.ir.dims import Dim
from nasir.ir.distributions import Distributions
from nasir.ir.graph import Choices, Graph, values_of
from nasir.ir.ops import OPS, Op, Tensors
from nasir.ir.sizes import Number, Sizing, evaluate, exact
from nasir.ir.values import Ref

Rule = Callable[[Op, Tensors, Sizing], Number]

COSTS: Mapping[str, Rule] = {
    "macs": lambda op, it, size: op.macs(it, size),
    "params": lambda op, it, size: op.params(it, size),
    "published_macs": lambda op, it, size: op.macs(it, size) + op.pooled(it, size),
    "published_params": lambda op, it, size: op.weight_count(it, size),
}
_RULES = (Op.macs, Op.params, Op.weight_count, Op.pooled)


@dataclass(frozen=True)
class Reach:
    """The dims that depend on a decision, in order, and the numbers of the priced nodes, by when they are active."""

    dims: tuple[Dim, ...]
    priced: Mapping[Activity, Sequence[int]]


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
    def reach(self) -> Mapping[str, "Reach"]:
        """For each decision, what depends on it."""
        roots = self.distributions.decisions_of
        dims: dict[str, list[Dim]] = {d.name: [] for d in self.graph.decisions}
        for dim in self.graph.dims:
            for name in roots(dim.name):
                dims[name].append(dim)
        nodes: dict[str, dict[Activity, list[int]]] = {d.name: {} for d in self.graph.decisions}
        for i, (_, it, activity) in enumerate(self.priced):
            mentioned = {v.name for type in it.operands.values() for v in type.values() if isinstance(v, Ref)}
            mentioned |= {v.name for v in values_of(it.node) if isinstance(v, Ref)} | set(selectors(activity))
            for name in frozenset[str]().union(*map(roots, mentioned)):
                nodes[name].setdefault(activity, []).append(i)
        return {name: Reach(tuple(dims[name]), nodes[name]) for name in dims}

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
            total = sum((rule(op, it, size) for op, it in active), 0)
            assert isinstance(total, int), "sizes are exact, and so are costs"
            totals[name] = total
        return totals

    def expected(self) -> Mapping[str, Polynomial]:
        """The effective costs as polynomials over the gates: each op's formula on mean sizes, as Eq. 10 has it, times
        the probability that the op is in the network. Exact at one-hot gates.
        """
        size = self.distributions.mean
        totals = {name: Polynomial() for name in COST_NAMES}
        for op, it, activity in self.priced:
            slot = probability(activity, self.distributions)
            weight = Polynomial({(() if slot is None else (slot,)): 1.0})
            for name in COST_NAMES:
                totals[name] = totals[name] + weight * COSTS[name](op, it, size)
        return totals


def tensors(graph: Graph, name: str) -> Tensors:
    """A node with its operands' types, as its op sees it."""
    node = graph.by_name[name]
    return Tensors(node, {label: graph.by_name[operand].shape for label, operand in node.operands})
