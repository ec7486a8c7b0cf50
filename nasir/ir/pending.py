"""Where masks pend: which values still have channels that a mask must clear.

A mask starts, pending, at the op that makes fresh undecided channels (or fills cleared ones: batch norm's shift, a
sigmoid's 0.5), moves past channel-wise ops, and is due before an op that mixes channels or adds differently laid-out
values (semantics of the paper's Eq. 3 applied to the block's output, not to a batch norm's input, which would divide
it away again).
"""

from collections.abc import Iterator, Mapping

from nasir.ir.graph import Graph, Node, is_decided
from nasir.ir.ops import GATES, OPS, Placement


def pends(graph: Graph) -> Mapping[str, bool]:
    """For each node, whether a mask on its channels is still due."""
    pending: dict[str, bool] = {}
    for node in graph.nodes:
        pending[node.name] = _pends(node, placement(graph, node), [pending[o] for o in maps(graph, node)])
    return pending


def maps(graph: Graph, node: Node) -> list[str]:
    """The operands that are tensors of the network: all but gates."""
    return [name for name in node.inputs if graph.by_name[name].op not in GATES]


def placement(graph: Graph, node: Node) -> Placement:
    """The op's placement; masks move past a mixture or a sum of operands of one layout."""
    if node.op in {"mix", "sum"}:
        layouts = {graph.by_name[name].shape.channels for name in maps(graph, node)}
        return Placement.SUM if layouts == {node.shape.channels} else Placement.GATED
    return OPS[node.op].placement


def _pends(node: Node, placement: Placement, operands: list[bool]) -> bool:
    if node.op == "mask" or node.has("clears_output") or all(map(is_decided, node.shape.channels)):
        return False
    match placement:
        case Placement.SOURCE | Placement.MIXES:
            return True
        case Placement.CHANNELWISE:
            return any(operands) or OPS[node.op].fills(node)
        case Placement.PRODUCT | Placement.SUM:
            return all(operands)
        case Placement.GATED:
            return False


def due_masks(graph: Graph) -> Iterator[tuple[str, str]]:
    """(user, operand) pairs where the user needs the operand's pending mask applied; the output's user is ''."""
    pending = pends(graph)
    for node in graph.nodes:
        operands = maps(graph, node)
        clears = node.op == "mask" or node.has("clears_input")
        if not clears and _discharges(placement(graph, node), [pending[name] for name in operands]):
            yield from ((node.name, operand) for operand in dict.fromkeys(operands) if pending[operand])
    if pending.get(graph.output):
        yield "", graph.output


def needless_masks(graph: Graph) -> Iterator[str]:
    """Masks on values that have none pending: they would apply twice."""
    pending = pends(graph)
    for node in graph.nodes:
        if (node.op == "mask" or node.has("clears_input")) and not pending[node.inputs[0]]:
            yield node.name


def _discharges(placement: Placement, pending: list[bool]) -> bool:
    match placement:
        case Placement.MIXES | Placement.GATED:
            return True
        case Placement.SUM:
            return not all(pending)
        case _:
            return False
