"""Mixtures that one op computes: nothing is kept, or multiplied, for each option."""

from nasir.ir.graph import Graph, Node
from nasir.ir.ops import OPS, Op


def mixes_kernels(graph: Graph, node: Node) -> bool:
    """Whether a mixture is of convolutions of one value that differ in the kernel alone: they mix as one.

    Convolution is linear in its weights, and a kernel padded with zeros by half the difference is the same kernel.
    """
    operands = _own_operands(graph, node, "kernel")
    alike = {(OPS[o.op].mixed_as(o), o.inputs) for o in operands}
    return len(alike) == 1 and None not in {key for key, _ in alike}


def mixes_activations(graph: Graph, node: Node) -> bool:
    """Whether a mixture is of activations of one value: they need keep that value alone for backward."""
    return len({o.inputs for o in _own_operands(graph, node, "function")}) == 1


def _own_operands(graph: Graph, node: Node, by: str) -> list[Node]:
    """A mixture's operands, where they are ops that mix by `by` and nothing else reads them."""
    operands = [graph.by_name[name] for name in node.inputs] if selects(OPS[node.op]) else []
    alike = all(OPS[o.op].mixes_by == by and graph.users[o.name] == (node,) for o in operands)
    return operands if alike else []


def selects(op: Op) -> bool:
    """Whether it is a mixture of alternatives: the operand that its selector names is what a network keeps."""
    return "selector" in op.internal
