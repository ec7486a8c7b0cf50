"""Mixtures that one op computes: nothing is kept, or multiplied, for each option."""

from nasir.ir.graph import Graph, Node
from nasir.ir.ops import OPS, Activation


def mixes_kernels(graph: Graph, node: Node) -> bool:
    """Whether a mixture is of convolutions of one value that differ in the kernel alone: they mix as one.

    Convolution is linear in its weights, and a kernel padded with zeros by half the difference is the same kernel.
    """
    operands = _own_operands(graph, node)
    same = {(o.op, o.inputs, tuple(a for a in o.attributes if a[0] != "kernel")) for o in operands}
    return len(same) == 1 and all(o.op in {"conv", "dwconv"} for o in operands)


def mixes_activations(graph: Graph, node: Node) -> bool:
    """Whether a mixture is of activations of one value: they need keep that value alone for backward."""
    operands = _own_operands(graph, node)
    return len({o.inputs for o in operands}) == 1 and all(isinstance(OPS[o.op], Activation) for o in operands)


def _own_operands(graph: Graph, node: Node) -> list[Node]:
    """A mixture's operands, where nothing else reads them."""
    operands = [graph.by_name[name] for name in node.inputs] if node.op == "mix" else []
    return operands if all(graph.users[o.name] == (node,) for o in operands) else []
