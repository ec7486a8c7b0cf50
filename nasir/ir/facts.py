"""What a pass may rely on, as named facts with rules that `verify` checks after every pass."""

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from functools import cache

from nasir.ir.dims import SELECT, SHAPE_FUNCTIONS
from nasir.ir.graph import Graph, Node, is_decided, values_of
from nasir.ir.ops import OPS, Op, Parameter
from nasir.ir.pending import due_masks, needless_masks
from nasir.ir.values import Ref, text


class Fact(Enum):
    """A property of a graph that passes need, give or drop."""

    WELL_FORMED = "well-formed"  # every name is defined once and before its use; every op is known
    SHAPED = "shaped"  # every node has a type, and no dim reads a shape
    MASKED = "masked"  # masks are placed: every channel-mixing op reads cleared channels
    CONCRETE = "concrete"  # nothing is left to decide


class InvalidGraph(AssertionError):
    """A pass made a graph that breaks a fact it should hold: a fault of nasir, not of the user's program."""


def verify(graph: Graph, facts: frozenset[Fact]) -> None:
    """Check the rules of every fact.

    Raises:
        InvalidGraph: with every broken rule.
    """
    broken = [f"{fact.value}: {message}" for fact in Fact if fact in facts for message in _RULES[fact](graph)]
    if broken:
        raise InvalidGraph("; ".join(broken[:8]))


def _well_formed(graph: Graph) -> Iterator[str]:
    known = {d.name for d in graph.decisions}
    for dim in graph.dims:
        if dim.name in known:
            yield f"${dim.name} is defined twice"
        yield from (f"${dim.name} uses {a} before it is defined" for a in dim.args if _dangles(a, known))
        if dim.function == SELECT and len(dim.keys) != len(dim.args) - 1:
            yield f"${dim.name} has not one case for each key"
        known.add(dim.name)
    seen: set[str] = set()
    for node in graph.nodes:
        yield from (f"%{node.name} {wrong}" for wrong in _undeclared(node))
        if node.name in seen:
            yield f"%{node.name} is defined twice"
        yield from (f"%{node.name} uses %{o} before it is defined" for o in node.inputs if o not in seen)
        yield from (f"%{node.name} uses the unknown {v}" for v in values_of(node) if _dangles(v, known))
        seen.add(node.name)
    if graph.output not in seen:
        yield f"the output %{graph.output} is not a node"


def _undeclared(node: Node) -> Iterator[str]:
    """What a node has otherwise than its op declares it."""
    op = OPS.get(node.op)
    if op is None:
        yield f"has the unknown op {node.op}"
        return
    labels = tuple(label for label, _ in node.operands)
    if op.operands == ("...",):
        if not labels or len(set(labels)) < len(labels):
            yield f"has the operands {', '.join(labels) or 'of nothing'}"
    elif labels != op.operands:
        yield f"has the operands {', '.join(labels)}, and {op.name} takes {', '.join(op.operands)}"
    declared = _parameters(op)
    names = [name for name, _ in node.attributes]
    if names != [*declared]:
        unknown = sorted(set(names) - {*declared, *op.internal})
        yield from (f"has the attribute {name}, which {op.name} has not" for name in unknown)
        yield from (f"has no {name}, which {op.name} needs" for name in sorted(declared.keys() - set(names)))
    for name, value in node.attributes:
        parameter = declared.get(name)
        if parameter is None or isinstance(value, Ref) or value is parameter.default:
            continue
        if problem := parameter.problem(value):
            yield f"has {name}={text(value)}, which must be {problem}"
    if node.gates:
        yield from (f"has a gate on {label}" for label, _ in node.gates if label not in {"", *labels})
    if node.clears and node.clears != op.carries:
        yield f"clears {node.clears}, which {op.name} cannot"


@cache
def _parameters(op: Op) -> Mapping[str, Parameter]:
    return {parameter.name: parameter for parameter in op.parameters}


def _dangles(value: object, known: set[str]) -> bool:
    return isinstance(value, Ref) and value.name not in known


def _shaped(graph: Graph) -> Iterator[str]:
    yield from (f"%{node.name} has no type" for node in graph.nodes if node.type is None)
    yield from (f"${dim.name} still reads a shape" for dim in graph.dims if dim.function in SHAPE_FUNCTIONS)


def _masked(graph: Graph) -> Iterator[str]:
    yield from (f"%{user} reads %{value} before its mask" for user, value in due_masks(graph))
    yield from (f"%{name} masks what is masked already" for name in needless_masks(graph))


def _concrete(graph: Graph) -> Iterator[str]:
    yield from (f"the decision {d.name} is left" for d in graph.decisions)
    yield from (f"the dim {d.name} is left" for d in graph.dims)
    for node in graph.nodes:
        if OPS[node.op].is_soft:
            yield f"%{node.name} is a {node.op}"
        if not all(map(is_decided, values_of(node))):
            yield f"%{node.name} has an undecided size"


_RULES: Mapping[Fact, Callable[[Graph], Iterator[str]]] = {
    Fact.WELL_FORMED: _well_formed,
    Fact.SHAPED: _shaped,
    Fact.MASKED: _masked,
    Fact.CONCRETE: _concrete,
}
