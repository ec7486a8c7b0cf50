"""How many networks a space holds, exactly."""

import math
from collections.abc import Iterator, Mapping
from itertools import product

from nasir.ir.activity import Activity, decision_activities, holds, selectors
from nasir.ir.distributions import Distributions
from nasir.ir.graph import Graph
from nasir.ir.sizes import evaluate
from nasir.ir.values import Scalar

MOST_COMBINATIONS = 200_000


def assignments(graph: Graph) -> int:
    """The product of the options of all decisions."""
    return math.prod(len(d.options) for d in graph.decisions)


def networks(graph: Graph) -> int | None:
    """Assignments with inactive decisions merged: two that differ only in what neither network uses are one.

    Decisions that switch others on and off are enumerated together where they depend on each other, the others
    multiply in. None where a group has more than `MOST_COMBINATIONS` combinations.
    """
    distributions = Distributions(graph.decision_map, graph.dim_map)
    activities = decision_activities(graph, distributions)
    total = 1
    for group in _groups(graph, distributions, activities):
        count = _count(graph, distributions, group, activities)
        if count is None:
            return None
        total *= count
    return total


def _groups(graph: Graph, distributions: Distributions, activities: Mapping[str, Activity]) -> list[list[str]]:
    """Decisions that must be counted together: each with the decisions that its activity depends on."""
    import networkx as nx

    links: nx.Graph[str] = nx.Graph()
    links.add_nodes_from(d.name for d in graph.decisions)
    for name, activity in activities.items():
        for control in _controls(distributions, activity):
            links.add_edge(name, control)
    order = {d.name: i for i, d in enumerate(graph.decisions)}
    return [sorted(group, key=order.__getitem__) for group in nx.connected_components(links)]


def _controls(distributions: Distributions, activity: Activity) -> set[str]:
    found: set[str] = set()
    for name in selectors(activity):
        found |= distributions.decisions_of(name)
    return found


def _count(
    graph: Graph, distributions: Distributions, group: list[str], activities: Mapping[str, Activity]
) -> int | None:
    controls = sorted(set[str]().union(*(_controls(distributions, activities[name]) for name in group)))
    leaves = [name for name in group if name not in controls]
    options = [graph.decision_map[name].options for name in controls]
    if math.prod(map(len, options)) > MOST_COMBINATIONS:
        return None
    total = 0
    for values in product(*options):
        known = _known(graph, dict(zip(controls, values, strict=True)), activities, group)
        # An inactive control is counted at its first option only, so that its other options add nothing.
        if all(holds(activities[n], known) or known[n] == graph.decision_map[n].options[0] for n in controls):
            total += math.prod(len(graph.decision_map[n].options) for n in leaves if holds(activities[n], known))
    return total


def _known(
    graph: Graph, controls: Mapping[str, Scalar], activities: Mapping[str, Activity], group: list[str]
) -> Mapping[str, Scalar]:
    tested = set(_tested(activities, group))
    if tested <= controls.keys():
        return controls
    first = {d.name: d.options[0] for d in graph.decisions}
    return evaluate(graph, {**first, **controls})


def _tested(activities: Mapping[str, Activity], group: list[str]) -> Iterator[str]:
    for name in group:
        yield from selectors(activities[name])
