"""Where masks pend: which values still have channels that a mask must clear.

A mask starts, pending, at the op that makes fresh undecided channels (or fills cleared ones: batch norm's shift, a
sigmoid's 0.5), moves past channel-wise ops, and is due before an op that mixes channels or adds differently laid-out
values (semantics of the paper's Eq. 3 applied to the block's output, not to a batch norm's input, which would divide
it away again).
"""

from collections.abc import Iterator, Mapping

from nasir.ir.graph import Graph, Node, is_decided
from nasir.ir.ops import OPS, Placement


def pends(graph: Graph) -> Mapping[str, bool]:
    """For each node, whether a mask on its channels is still due."""
    pending: dict[str, bool] = {}
    for node in graph.nodes:
        pending[node.name] = _pends(node, [pending[o] for o in node.inputs])
    return pending


def _pends(node: Node, operands: list[bool]) -> bool:
    op = OPS[node.op]
    if node.op == "mask" or all(map(is_decided, node.shape.channels)):
        return False
    match op.placement:
        case Placement.SOURCE | Placement.MIXES:
            return True
        case Placement.CHANNELWISE:
            return any(operands) or op.fills(node)
        case Placement.PRODUCT | Placement.SUM:
            return all(operands)
        case Placement.GATED:
            return False


def due_masks(graph: Graph) -> Iterator[tuple[str, str]]:
    """(user, operand) pairs where the user needs the operand's pending mask applied; the output's user is ''."""
    pending = pends(graph)
    for node in graph.nodes:
        if node.op != "mask" and _discharges(node, pending):
            yield from ((node.name, operand) for operand in dict.fromkeys(node.inputs) if pending[operand])
    if pending.get(graph.output):
        yield "", graph.output


def _discharges(node: Node, pending: Mapping[str, bool]) -> bool:
    match OPS[node.op].placement:
        case Placement.MIXES | Placement.GATED:
            return True
        case Placement.SUM:
            return not all(pending[operand] for operand in node.inputs)
        case _:
            return False
