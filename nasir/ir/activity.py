"""When a node, and when a decision, is part of the derived network.

An activity is a disjunction of conjunctions of tests `selector in values`, as frozen sets; `ALWAYS` is the empty
conjunction alone. A node is active where a user of it is: for a mixture only under the options it stands for, for
a shortcut's first end only where the shapes are equal.
"""

from collections.abc import Iterator, Mapping

from nasir.ir.dims import SELECT
from nasir.ir.distributions import Distributions
from nasir.ir.graph import Graph, Node
from nasir.ir.values import Ref, Scalar, Value, key

Test = tuple[str, frozenset[Scalar]]
Conjunction = frozenset[Test]
Activity = frozenset[Conjunction]

ALWAYS: Activity = frozenset((frozenset[Test](),))
NEVER: Activity = frozenset()


def node_activities(graph: Graph, distributions: Distributions) -> Mapping[str, Activity]:
    """The condition under which each node is in the derived network."""
    found: dict[str, Activity] = {node.name: NEVER for node in graph.nodes}
    found[graph.output] = ALWAYS
    for node in reversed(graph.nodes):
        mine = found[node.name]
        for operand, under in _operand_activities(node, mine, distributions):
            found[operand] = union(found[operand], under, distributions)
    return found


def _operand_activities(node: Node, mine: Activity, distributions: Distributions) -> Iterator[tuple[str, Activity]]:
    if node.op == "shortcut" and isinstance(equal := node["equal"], Ref):
        ends = dict(node.operands)
        yield ends["y"], mine
        yield ends["x"], narrow(mine, (equal.name, frozenset((True,))), distributions)
        return
    selector = node["selector"] if node.op == "mix" else None
    if not isinstance(selector, Ref):
        yield from ((operand, mine) for operand in dict.fromkeys(node.inputs))
        return
    options: dict[str, set[Scalar]] = {}
    for option in distributions.support(selector):
        options.setdefault(dict(node.operands)[key(option)], set()).add(option)
    for operand, values in options.items():
        yield operand, narrow(mine, (selector.name, frozenset(values)), distributions)


def decision_activities(graph: Graph, distributions: Distributions) -> Mapping[str, Activity]:
    """The condition under which each decision changes the derived network: some active node depends on it."""
    nodes = node_activities(graph, distributions)
    found: dict[str, Activity] = dict.fromkeys((*graph.decision_map, *graph.dim_map), NEVER)

    def mark(value: Value, under: Activity) -> None:
        if isinstance(value, Ref):
            found[value.name] = union(found[value.name], under, distributions)

    for node in graph.nodes:
        for _, value in node.attributes:
            mark(value, nodes[node.name])
    for dim in reversed(graph.dims):  # users before what they use: each dim is visited once
        under = found[dim.name]
        if dim.function == SELECT:
            selector, *cases = dim.args
            mark(selector, under)
            assert isinstance(selector, Ref), "a decided selection is folded"
            for option, case in zip(dim.keys, cases, strict=True):
                mark(case, narrow(under, (selector.name, frozenset((option,))), distributions))
            continue
        for argument in dim.args:
            mark(argument, under)
    return {name: found[name] for name in graph.decision_map}


def narrow(activity: Activity, test: Test, distributions: Distributions) -> Activity:
    """`activity and test`."""
    name, values = test
    narrowed: Activity = NEVER
    for conjunction in activity:
        tests = dict(conjunction)
        tests[name] = tests.get(name, values) & values
        if tests[name]:
            narrowed = union(narrowed, frozenset((frozenset(tests.items()),)), distributions)
    return narrowed


def union(a: Activity, b: Activity, distributions: Distributions) -> Activity:
    """`a or b`, with conjunctions that differ in one test merged and implied ones dropped."""
    conjunctions = {_without_tautologies(c, distributions) for c in a | b}
    while merged := _merge_once(conjunctions):
        old, new = merged
        conjunctions = (conjunctions - old) | {_without_tautologies(new, distributions)}
    return frozenset(conjunctions)


def _without_tautologies(conjunction: Conjunction, distributions: Distributions) -> Conjunction:
    return frozenset(
        (name, values) for name, values in conjunction if not values >= set(distributions.support(Ref(name)))
    )


def _merge_once(conjunctions: set[Conjunction]) -> tuple[set[Conjunction], Conjunction] | None:
    ordered = sorted(conjunctions, key=lambda c: sorted((name, sorted(map(str, values))) for name, values in c))
    for i, a in enumerate(ordered):
        for b in ordered[i + 1 :]:
            if _implies(a, b):
                return {a, b}, b
            if _implies(b, a):
                return {a, b}, a
            different = {name for name, _ in a ^ b}
            left, right = dict(a), dict(b)
            if left.keys() == right.keys() and len(different) == 1:
                (name,) = different
                return {a, b}, frozenset({**left, name: left[name] | right[name]}.items())
    return None


def _implies(a: Conjunction, b: Conjunction) -> bool:
    tests = dict(a)
    return all(name in tests and tests[name] <= values for name, values in b)


def holds(activity: Activity, known: Mapping[str, Scalar]) -> bool:
    """Whether it is true, given the values of the decisions and dims it tests."""
    return any(all(known[name] in values for name, values in conjunction) for conjunction in activity)


def selectors(activity: Activity) -> tuple[str, ...]:
    """The decisions and dims that it tests, sorted."""
    return tuple(sorted({name for conjunction in activity for name, _ in conjunction}))


def probability(activity: Activity, distributions: Distributions) -> int | None:
    """The slot of P(activity); None where it is certain."""
    if activity == ALWAYS:
        return None
    names = selectors(activity)
    return distributions.event(
        tuple(map(Ref, names)), lambda assignment: holds(activity, dict(zip(names, assignment, strict=True)))
    )
