"""fold-masks: no feature map is multiplied by a mask or a gate where a weight can be.

A mask on a batch norm's output scales its affine weight and bias; a mask on a convolution's input scales the
convolution's weight; a mixture is a sum whose gates go the same way, into the batch norm that ends each branch; and
`squeeze_excite() when se` blends the squeeze's factor with 1. It changes no result, only what is computed and kept.

Folding into a batch norm needs the masked value to be that batch norm's only use; where it is not, a multiply stays.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from nasir.ir.distributions import Distributions
from nasir.ir.facts import Fact
from nasir.ir.graph import Graph, Node, Type
from nasir.ir.mixtures import mixes_activations, mixes_kernels
from nasir.ir.ops import OPS, Placement
from nasir.ir.pending import maps, placement
from nasir.ir.regions import runs
from nasir.ir.values import Ref, Scalar, key
from nasir.passes.base import Pass

Event = tuple[Ref, Scalar]
Product = tuple[Event, ...]
Gates = tuple[Product, ...]
"""A sum of products of events `dim = option`; the empty product is 1."""

ONE: Gates = ((),)
SCALAR = Type(())


@dataclass(frozen=True)
class FoldMasks(Pass):
    name = "fold-masks"
    needs = frozenset((Fact.SHAPED, Fact.MASKED))

    def run(self, graph: Graph) -> Graph:
        return _fold_masks(_fold_gates(graph))

    def note(self, graph: Graph) -> str:
        masks = sum(node.op == "mask" for node in graph.nodes)
        gates = sum(label.endswith(".gate") for node in graph.nodes for label, _ in node.operands)
        return f"values still multiplied: {masks} by a mask, {gates} by a gate"


# Mixtures and shortcuts to sums


@dataclass(frozen=True)
class Term:
    """A value in a sum, and its gate."""

    value: str
    gates: Gates


def _fold_gates(graph: Graph) -> Graph:
    """Mixtures and shortcuts as sums, their gates in the batch norms that end their branches."""
    sums = _sums(graph)
    readers = _readers(graph, sums)
    blends = {
        name: blend for name, terms in sums.items() if (blend := _blended(graph, graph.by_name[name], terms, readers))
    }
    absorbed: dict[str, Gates] = {}
    left = {
        name: tuple(_absorb(graph, term, readers, absorbed) for term in terms)
        for name, terms in sums.items()
        if readers[name] and name not in blends
    }
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.name in absorbed:
            nodes += _gated(node, absorbed[node.name])
        elif node.name in blends:
            nodes += blends[node.name]
        elif node.name in left:
            nodes += _sum(node, left[node.name])
        elif readers[node.name]:
            nodes.append(node)
    return _without_unread(replace(graph, nodes=tuple(nodes)))


def _sums(graph: Graph) -> dict[str, tuple[Term, ...]]:
    """The terms of each mixture, shortcut and addition; one that only another of them reads is part of that one, and
    what that one reads twice is a term with the sum of its gates."""
    widths = Distributions(graph.decision_map, graph.dim_map)

    def width(name: str) -> int:
        return sum(widths.largest(segment) for segment in graph.by_name[name].shape.channels)

    part = {node.name: i for i, run in enumerate(runs(graph)) for node in run.nodes}
    found: dict[str, tuple[Term, ...]] = {}
    for node in graph.nodes:
        terms: dict[str, Gates] = {}
        for term in _terms(graph, node, widths):
            inner = found.get(term.value)
            # A sum crops what is wider than itself, so that a wider sum around it must not see the whole.
            whole = inner is not None and all(width(t.value) <= width(term.value) for t in inner)
            # What another part makes stays that part's: it may run at several resolutions, and this one not.
            is_own = graph.users[term.value] == (node,) and part.get(term.value) == part[node.name]
            if inner is None or not (whole and is_own):
                inner = (Term(term.value, ONE),)
            for one in inner:
                terms[one.value] = _total(terms.get(one.value, ()), _product(one.gates, term.gates))
        if terms:
            found[node.name] = tuple(Term(value, gates) for value, gates in terms.items())
    return found


def _terms(graph: Graph, node: Node, distributions: Distributions) -> Iterator[Term]:
    if node.op == "mix" and not mixes_kernels(graph, node) and not mixes_activations(graph, node):
        selector = node["selector"]
        assert isinstance(selector, Ref), "a decided mixture is canonicalised away"
        operands = dict(node.operands)
        for option in distributions.support(selector):
            yield Term(operands[key(option)], (((selector, option),),))
    elif node.op == "shortcut":
        operands, equal = dict(node.operands), node["equal"]
        x, y = (graph.by_name[operands[label]].shape for label in "xy")
        if isinstance(equal, Ref) and (x.height, x.width) == (y.height, y.width):
            yield Term(operands["y"], ONE)
            yield Term(operands["x"], (((equal, True),),))
    elif node.op == "add":
        yield from (Term(name, ONE) for name in node.inputs)


def _product(a: Gates, b: Gates) -> Gates:
    return tuple((*left, *right) for left in a for right in b)


def _total(a: Gates, b: Gates) -> Gates:
    return (*a, *b)


def _readers(graph: Graph, sums: Mapping[str, tuple[Term, ...]]) -> Counter[str]:
    """How many read each value once sums have their terms for operands; the output is read."""
    readers = Counter([graph.output])
    for node in reversed(graph.nodes):
        if readers[node.name]:
            readers.update([t.value for t in sums[node.name]] if node.name in sums else set(node.inputs))
    return readers


def _absorb(graph: Graph, term: Term, readers: Counter[str], absorbed: dict[str, Gates]) -> Term:
    """The term without its gate, where the batch norm that makes the value can carry it."""
    value = graph.by_name[term.value]
    norm = graph.by_name[value.inputs[0]] if value.op == "mask" else value
    if term.gates == ONE or norm.op != "bn" or readers[value.name] > 1 or readers[norm.name] > 1:
        return term
    absorbed[norm.name] = term.gates
    return Term(term.value, ONE)


def _gated(norm: Node, gates: Gates) -> Iterator[Node]:
    """The batch norm with its gate."""
    *before, gate = _gate_nodes(f"{norm.name}.gate", gates, norm)
    yield from (*before, gate)
    yield replace(norm, operands=(*norm.operands, ("gate", gate.name)))


def _sum(node: Node, terms: tuple[Term, ...]) -> Iterator[Node]:
    """The node as the sum of the terms; an addition of just these stays as it is."""
    if node.op == "add" and all(t.gates == ONE for t in terms) and tuple(t.value for t in terms) == node.inputs:
        yield node
        return
    operands: list[tuple[str, str]] = []
    for i, term in enumerate(terms):
        operands.append((f"x{i}", term.value))
        if term.gates != ONE:
            *before, gate = _gate_nodes(f"{node.name}.x{i}.gate", term.gates, node)
            yield from (*before, gate)
            operands.append((f"x{i}.gate", gate.name))
    yield replace(node, op="sum", operands=tuple(operands), attributes=())


def _blended(graph: Graph, node: Node, terms: tuple[Term, ...], readers: Counter[str]) -> list[Node]:
    """`x * s` under a gate, and x where it is not: x times s blended with 1."""
    if node.op != "mix" or {t.value for t in terms} != set(node.inputs) or len(terms) != 2:
        return []
    for term, other in (terms, terms[::-1]):
        product = graph.by_name[term.value]
        factors = [name for name in product.inputs if name != other.value]
        if product.op != "mul" or other.value not in product.inputs or len(factors) != 1 or readers[product.name] > 1:
            continue
        *before, gate = _gate_nodes(f"{node.name}.gate", term.gates, node)
        type = graph.by_name[factors[0]].type
        blend = Node(
            f"{node.name}.blend", "blend", (("x", factors[0]), ("gate", gate.name)), (), type, node.span, (), node.flow
        )
        operands = (("a", other.value), ("b", blend.name))
        return [*before, gate, blend, replace(node, op="mul", operands=operands, attributes=())]
    return []


def _gate_nodes(name: str, gates: Gates, owner: Node) -> Iterator[Node]:
    """Nodes that compute the gates; the last one is their value and has the name. An empty product is 1: a value that
    is a term of its own and again under a gate."""
    products: list[str] = []
    for i, product in enumerate(gates):
        sub = name if len(gates) == 1 else f"{name}.{i}"
        factors: list[str] = []
        for j, (ref, option) in enumerate(product):
            factor = sub if len(product) == 1 else f"{sub}.{j}"
            yield Node(factor, "gate", (), (("selector", ref), ("option", option)), SCALAR, owner.span, (), owner.flow)
            factors.append(factor)
        if len(factors) != 1:
            yield Node(sub, "gate_product", _numbered(factors), (), SCALAR, owner.span, (), owner.flow)
        products.append(sub)
    if len(products) > 1:
        yield Node(name, "gate_sum", _numbered(products), (), SCALAR, owner.span, (), owner.flow)


def _numbered(names: list[str]) -> tuple[tuple[str, str], ...]:
    return tuple((f"x{i}", name) for i, name in enumerate(names))


# Masks into weights


def _fold_masks(graph: Graph) -> Graph:
    """Masks in the batch norms before them, or else in the convolutions after them."""
    masks = {node.name: node.inputs[0] for node in graph.nodes if node.op == "mask"}
    norms = {mask: norms for mask, value in masks.items() if (norms := _norms(graph, value, mask))}
    clearing = {norm for found in norms.values() for norm in found}
    forwarded = {mask: masks[mask] for mask in norms}
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.name in forwarded:
            continue
        operands = tuple((label, forwarded.get(name, name)) for label, name in node.operands)
        if node.name in clearing:
            node = replace(node, attributes=(*node.attributes, ("clears_output", True)))
        elif OPS[node.op].placement is Placement.MIXES and operands[0][1] in masks:
            operands = ((operands[0][0], masks[operands[0][1]]),)
            node = replace(node, attributes=(*node.attributes, ("clears_input", True)))
        nodes.append(replace(node, operands=operands))
    output = forwarded.get(graph.output, graph.output)
    return _without_unread(replace(graph, nodes=tuple(nodes), output=output))


def _norms(graph: Graph, value: str, reader: str) -> list[str]:
    """The batch norms that make a value for this reader alone: one, or those that a sum adds up; else none."""
    node = graph.by_name[value]
    if [user.name for user in graph.users[value]] != [reader]:
        return []
    if node.op == "bn":
        return [value]
    if node.op != "sum" or placement(graph, node) is not Placement.SUM:
        return []
    terms = [_norms(graph, term, value) for term in maps(graph, node)]
    return [norm for found in terms for norm in found] if all(terms) else []


def _without_unread(graph: Graph) -> Graph:
    """The graph without the products and masks that nothing reads any more."""
    read = {graph.output}
    for node in reversed(graph.nodes):  # users before what they use
        if node.name in read:
            read.update(node.inputs)
    return replace(graph, nodes=tuple(node for node in graph.nodes if node.name in read))
