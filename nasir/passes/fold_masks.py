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
from nasir.ir.gates import ONE, Gate, both, either
from nasir.ir.graph import Graph, Node
from nasir.ir.mixtures import mixes_activations, mixes_kernels, selects
from nasir.ir.ops import OPS, Contract, tensors
from nasir.ir.pending import contract
from nasir.ir.regions import runs
from nasir.passes.base import Pass


@dataclass(frozen=True)
class FoldMasks(Pass):
    """Masks and gates scale weights.

    Before::

        graph g {
          decision w = {4, 8}
          decision skip = {true, false}
          %x = image() {channels=4, size=8} : [4, 8, 8]
          %y = conv(x=%x) {kernel=3, width=$w} : [$w, 8, 8]
          %y.mask = mask(x=%y) : [$w, 8, 8]
          %z = conv(x=%y.mask) {kernel=1, width=4} : [4, 8, 8]
          %bn = bn(x=%z) : [4, 8, 8]
          %out = mix(true=%x, false=%bn) {selector=$skip} : [4, 8, 8]
          return %out
        }

    After::

        graph g {
          decision w = {4, 8}
          decision skip = {true, false}
          %x = image() {channels=4, size=8} : [4, 8, 8]
          %y = conv(x=%x) {kernel=3, width=$w} : [$w, 8, 8]
          %z = conv(x=%y) {kernel=1, width=4} clears x : [4, 8, 8]
          %bn = bn(x=%z) * (P($skip=false)) : [4, 8, 8]
          %out = sum(x0=%bn, x1=%x * (P($skip=true))) : [4, 8, 8]
          return %out
        }
    """

    name = "fold-masks"
    needs = frozenset((Fact.SHAPED, Fact.MASKED))

    def run(self, graph: Graph) -> Graph:
        return _fold_masks(_fold_gates(graph))

    def note(self, graph: Graph) -> str:
        masks = sum(OPS[node.op].contract is Contract.CLEARS for node in graph.nodes)
        gates = sum(len(node.gates) for node in graph.nodes if OPS[node.op].contract is Contract.MIXTURE)
        return f"values still multiplied: {masks} by a mask, {gates} by a gate"


# Mixtures and shortcuts to sums


@dataclass(frozen=True)
class Term:
    """A value in a sum, and its gate."""

    value: str
    gate: Gate


def _fold_gates(graph: Graph) -> Graph:
    """Mixtures and shortcuts as sums, their gates in the batch norms that end their branches."""
    sums = _sums(graph)
    readers = _readers(graph, sums)
    blends = {
        name: blend for name, terms in sums.items() if (blend := _blended(graph, graph.by_name[name], terms, readers))
    }
    absorbed: dict[str, Gate] = {}
    left = {
        name: tuple(_absorb(graph, term, readers, absorbed) for term in terms)
        for name, terms in sums.items()
        if readers[name] and name not in blends
    }
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.name in absorbed:
            nodes.append(replace(node, gates=(("", absorbed[node.name]),)))
        elif node.name in blends:
            nodes += blends[node.name]
        elif node.name in left:
            nodes.append(_sum(node, left[node.name]))
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
        terms: dict[str, Gate] = {}
        for term in _terms(graph, node, widths):
            inner = found.get(term.value)
            # A sum crops what is wider than itself, so that a wider sum around it must not see the whole.
            whole = inner is not None and all(width(t.value) <= width(term.value) for t in inner)
            # What another part makes stays that part's: it may run at several resolutions, and this one not.
            is_own = graph.users[term.value] == (node,) and part.get(term.value) == part[node.name]
            if inner is None or not (whole and is_own):
                inner = (Term(term.value, ONE),)
            for one in inner:
                terms[one.value] = either(terms.get(one.value, ()), both(one.gate, term.gate))
        if terms:
            found[node.name] = tuple(Term(value, gate) for value, gate in terms.items())
    return found


def _terms(graph: Graph, node: Node, distributions: Distributions) -> Iterator[Term]:
    """The terms of what adds up its operands under gates; a mixture that one op computes is none."""
    if mixes_kernels(graph, node) or mixes_activations(graph, node):
        return
    operands = dict(node.operands)
    for label, gate in OPS[node.op].terms(tensors(graph, node.name), distributions.support):
        if not _adds_nothing(graph, operands[label]):
            yield Term(operands[label], gate)


def _adds_nothing(graph: Graph, value: str) -> bool:
    """Whether it is zeros of a value that others read too: without them nothing is lost."""
    node = graph.by_name[value]
    return OPS[node.op].contract is Contract.ZERO and len(graph.users[node.inputs[0]]) > 1


def _readers(graph: Graph, sums: Mapping[str, tuple[Term, ...]]) -> Counter[str]:
    """How many read each value once sums have their terms for operands; the output is read."""
    readers = Counter([graph.output])
    for node in reversed(graph.nodes):
        if readers[node.name]:
            readers.update([t.value for t in sums[node.name]] if node.name in sums else set(node.inputs))
    return readers


def _absorb(graph: Graph, term: Term, readers: Counter[str], absorbed: dict[str, Gate]) -> Term:
    """The term without its gate, where the batch norm that makes the value can carry it."""
    value = graph.by_name[term.value]
    norm = graph.by_name[value.inputs[0]] if OPS[value.op].contract is Contract.CLEARS else value
    carries = OPS[norm.op].carries == "out"
    if term.gate == ONE or not carries or readers[value.name] > 1 or readers[norm.name] > 1:
        return term
    absorbed[norm.name] = term.gate
    return Term(term.value, ONE)


def _sum(node: Node, terms: tuple[Term, ...]) -> Node:
    """The node as the sum of the terms; an addition of just these stays as it is."""
    if not OPS[node.op].is_soft and all(t.gate == ONE for t in terms) and tuple(t.value for t in terms) == node.inputs:
        return node
    operands = tuple((f"x{i}", term.value) for i, term in enumerate(terms))
    gates = tuple((f"x{i}", term.gate) for i, term in enumerate(terms) if term.gate != ONE)
    return replace(node, op="sum", operands=operands, attributes=(), gates=gates)


def _blended(graph: Graph, node: Node, terms: tuple[Term, ...], readers: Counter[str]) -> list[Node]:
    """`x * s` under a gate, and x where it is not: x times s blended with 1."""
    if not selects(OPS[node.op]) or {t.value for t in terms} != set(node.inputs) or len(terms) != 2:
        return []
    for term, other in (terms, terms[::-1]):
        product = graph.by_name[term.value]
        factors = [name for name in product.inputs if name != other.value]
        multiplies = OPS[product.op].contract is Contract.PRODUCT and other.value in product.inputs
        if not multiplies or len(factors) != 1 or readers[product.name] > 1:
            continue
        blend = replace(
            node,
            name=f"{node.name}.blend",
            op="blend",
            operands=(("x", factors[0]),),
            attributes=(),
            type=graph.by_name[factors[0]].type,
            gates=(("x", term.gate),),
        )
        operands = (("a", other.value), ("b", blend.name))
        return [blend, replace(node, op=product.op, operands=operands, attributes=())]
    return []


# Masks into weights


def _fold_masks(graph: Graph) -> Graph:
    """Masks in the batch norms before them, or else in the convolutions after them."""
    masks = {node.name: node.inputs[0] for node in graph.nodes if OPS[node.op].contract is Contract.CLEARS}
    norms = {mask: norms for mask, value in masks.items() if (norms := _norms(graph, value, mask))}
    clearing = {norm for found in norms.values() for norm in found}
    forwarded = {mask: masks[mask] for mask in norms}
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.name in forwarded:
            continue
        operands = tuple((label, forwarded.get(name, name)) for label, name in node.operands)
        if node.name in clearing:
            node = replace(node, clears="out")
        elif OPS[node.op].carries == "x" and operands[0][1] in masks:
            operands = ((operands[0][0], masks[operands[0][1]]),)
            node = replace(node, clears="x")
        nodes.append(replace(node, operands=operands))
    output = forwarded.get(graph.output, graph.output)
    return _without_unread(replace(graph, nodes=tuple(nodes), output=output))


def _norms(graph: Graph, value: str, reader: str) -> list[str]:
    """The batch norms that make a value for this reader alone: one, or those that a sum adds up; else none."""
    node = graph.by_name[value]
    if [user.name for user in graph.users[value]] != [reader]:
        return []
    if OPS[node.op].carries == "out":
        return [value]
    if OPS[node.op].contract is not Contract.MIXTURE or contract(graph, node) is not Contract.SUM:
        return []
    terms = [_norms(graph, term, value) for term in node.inputs]
    return [norm for found in terms for norm in found] if all(terms) else []


def _without_unread(graph: Graph) -> Graph:
    """The graph without the products and masks that nothing reads any more."""
    read = {graph.output}
    for node in reversed(graph.nodes):  # users before what they use
        if node.name in read:
            read.update(node.inputs)
    return replace(graph, nodes=tuple(node for node in graph.nodes if node.name in read))
