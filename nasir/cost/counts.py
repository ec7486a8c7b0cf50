"""How many networks a space holds, exactly."""

import math
from collections.abc import Iterator, Mapping
from itertools import product

from nasir.ir.activity import Activity, decision_activities
from nasir.ir.diagrams import FALSE, TRUE, Diagram, TooManyNodes
from nasir.ir.dims import FUNCTIONS, SELECT, Dim
from nasir.ir.distributions import Distributions, TableTooLarge
from nasir.ir.graph import Graph
from nasir.ir.values import Ref, Scalar, Value


def assignments(graph: Graph) -> int:
    """The product of the options of all decisions."""
    return math.prod(len(d.options) for d in graph.decisions)


def networks(graph: Graph) -> int | None:
    """Assignments with inactive decisions merged: two that differ only in what neither network uses are one.

    That is the number of assignments whose inactive decisions all have their first option. Each decision is a factor
    (one where it is active or first, else zero); decisions are summed out from the oldest on. None where the diagrams
    of the factors outgrow their limit (`ir/diagrams.py`), or a condition on sizes its own (`ir/distributions.py`).
    """
    distributions = Distributions(graph.decision_map, graph.dim_map)
    try:
        activities = decision_activities(graph, distributions)
        conditions = _OverDecisions(graph, distributions)
        return _count(graph, {name: conditions.of(activity) for name, activity in activities.items()}, distributions)
    except (TooManyNodes, TableTooLarge):
        return None


def _count(graph: Graph, activities: dict[str, Activity], distributions: Distributions) -> int:
    diagrams = distributions.diagrams
    controls = set[str]().union(*(activity.asks() for activity in activities.values()))
    total = 1
    factors: dict[str, list[Diagram]] = {name: [] for name in controls}

    def keep(factor: Diagram) -> None:
        nonlocal total
        if factor.cases:
            factors[factor.name].append(factor)
        else:
            total *= factor.value

    for decision in graph.decisions:
        active = activities[decision.name]
        if decision.name in controls:
            keep(diagrams.either(active, diagrams.test(decision.name, decision.options[:1])))
        else:
            keep(diagrams.weighted(active, len(decision.options), 1))
    for decision in graph.decisions:
        if decision.name not in controls:
            continue
        joint: Diagram = TRUE
        for factor in factors[decision.name]:
            joint = diagrams.product(joint, factor)
        asks_it = joint.cases and joint.name == decision.name
        options = diagrams.leaf(len(decision.options))
        keep(diagrams.sum_over(joint) if asks_it else diagrams.product(joint, options))
    return total


class _OverDecisions:
    """Conditions that ask dims as conditions that ask decisions alone."""

    def __init__(self, graph: Graph, distributions: Distributions) -> None:
        self._graph = graph
        self._distributions = distributions
        self._diagrams = distributions.diagrams
        self._known: dict[Diagram, Diagram] = {TRUE: TRUE, FALSE: FALSE}
        self._events: dict[str, Mapping[Scalar, Diagram]] = {}

    def of(self, condition: Diagram) -> Diagram:
        """The same condition."""
        if condition.asks() <= self._graph.decision_map.keys():
            return condition
        for diagram in condition.nodes():
            if diagram in self._known:
                continue
            events = self._values(diagram.name)
            found: Diagram = FALSE
            for value, case in zip(diagram.index, diagram.cases, strict=True):
                under = self._diagrams.both(events.get(value, FALSE), self._known[case])
                found = self._diagrams.either(found, under)
            self._known[diagram] = found
        return self._known[condition]

    def _values(self, name: str) -> Mapping[Scalar, Diagram]:
        """For each value of a decision or a dim, when it has it."""
        if name in self._graph.decision_map:
            self._events.setdefault(name, self._computed(name))
        if name not in self._events:
            needed = {name}
            for dim in reversed(self._graph.dims):  # users before what they use
                if dim.name in needed:
                    needed.update(a.name for a in dim.args if isinstance(a, Ref))
            for known in (*self._graph.decision_map, *self._graph.dim_map):
                if known in needed and known not in self._events:
                    self._events[known] = self._computed(known)
        return self._events[name]

    def _computed(self, name: str) -> Mapping[Scalar, Diagram]:
        if name in self._graph.decision_map:
            options = self._graph.decision_map[name].options
            return {option: self._diagrams.test(name, (option,)) for option in options}
        dim = self._graph.dim_map[name]
        found: dict[Scalar, Diagram] = {}
        for value, under in self._selected(dim) if dim.function == SELECT else self._applied(dim):
            if under is not FALSE:
                found[value] = self._diagrams.either(found.get(value, FALSE), under)
        return found

    def _selected(self, dim: Dim) -> Iterator[tuple[Scalar, Diagram]]:
        selector, *cases = dim.args
        for option, case in zip(dim.keys, cases, strict=True):
            chosen = self._of(selector).get(option, FALSE)
            for value, under in self._of(case).items():
                yield value, self._diagrams.both(chosen, under)

    def _applied(self, dim: Dim) -> Iterator[tuple[Scalar, Diagram]]:
        for combination in product(*(self._of(argument).items() for argument in dim.args)):
            under: Diagram = TRUE
            for _, event in combination:
                under = self._diagrams.both(under, event)
            if under is not FALSE:
                yield FUNCTIONS[dim.function](*(value for value, _ in combination)), under

    def _of(self, value: Value) -> Mapping[Scalar, Diagram]:
        return self._events[value.name] if isinstance(value, Ref) else {value: TRUE}
