"""When a node, and when a decision, is part of the derived network.

An activity is a diagram (`ir/diagrams.py`) over the decisions and dims that switch parts on and off. A node is active
where a user of it is: for a mixture only under the options it stands for, for a shortcut's first end only where the
shapes are equal.
"""

from collections.abc import Mapping

from nasir.ir.diagrams import FALSE, TRUE, Diagram
from nasir.ir.dims import SELECT
from nasir.ir.distributions import Distributions
from nasir.ir.graph import Graph
from nasir.ir.ops import OPS
from nasir.ir.values import Ref, Scalar, Value

Activity = Diagram
ALWAYS, NEVER = TRUE, FALSE


def node_activities(graph: Graph, distributions: Distributions) -> Mapping[str, Activity]:
    """The condition under which each node is in the derived network."""
    diagrams = distributions.diagrams
    found: dict[str, Activity] = {node.name: NEVER for node in graph.nodes}
    found[graph.output] = ALWAYS
    for node in reversed(graph.nodes):
        for operand, condition in OPS[node.op].live(node, distributions.support):
            under = found[node.name]
            if condition is not None:
                selector, options = condition
                under = diagrams.both(under, diagrams.test(selector.name, options))
            found[operand] = diagrams.either(found[operand], under)
    return found


def decision_activities(graph: Graph, distributions: Distributions) -> Mapping[str, Activity]:
    """The condition under which each decision changes the derived network: some active node depends on it."""
    diagrams = distributions.diagrams
    nodes = node_activities(graph, distributions)
    found: dict[str, Activity] = dict.fromkeys((*graph.decision_map, *graph.dim_map), NEVER)

    def mark(value: Value, under: Activity) -> None:
        if isinstance(value, Ref):
            found[value.name] = diagrams.either(found[value.name], under)

    for node in graph.nodes:
        for _, value in node.attributes:
            mark(value, nodes[node.name])
    for dim in reversed(graph.dims):  # users before what they use: each dim is visited once
        under = found[dim.name]
        if dim.function == SELECT:
            selector, *cases = dim.args
            mark(selector, under)
            assert isinstance(selector, Ref), "a decided selection is folded"
            options: dict[str, set[Scalar]] = {}
            for option, case in zip(dim.keys, cases, strict=True):
                if isinstance(case, Ref):
                    options.setdefault(case.name, set()).add(option)
            for name, values in options.items():
                mark(Ref(name), diagrams.both(under, diagrams.test(selector.name, values)))
            continue
        for argument in dim.args:
            mark(argument, under)
    return {name: found[name] for name in graph.decision_map}


def holds(activity: Activity, known: Mapping[str, Scalar]) -> bool:
    """Whether it is true, given the values of the decisions and dims it tests."""
    return bool(activity.at(known))


def probability(activity: Activity, distributions: Distributions) -> int | None:
    """The slot of P(activity); None where it is certain."""
    return None if activity is ALWAYS else distributions.truth(activity)
