"""Where masks pend: which values still have channels that a mask must clear.

A mask starts, pending, at the op that makes fresh undecided channels (or fills cleared ones: batch norm's shift, a
sigmoid's 0.5), moves past channel-wise ops, and is due before an op that mixes channels or adds differently laid-out
values (semantics of the paper's Eq. 3 applied to the block's output, not to a batch norm's input, which would divide
it away again).
"""

from collections.abc import Iterator, Mapping

from nasir.ir.graph import Graph, Node, Type, is_decided
from nasir.ir.ops import OPS, Contract


def pends(graph: Graph) -> Mapping[str, bool]:
    """For each node, whether a mask on its channels is still due."""
    pending: dict[str, bool] = {}
    for node in graph.nodes:
        pending[node.name] = _pends(node, contract(graph, node), [pending[o] for o in node.inputs])
    return pending


def contract(graph: Graph, node: Node) -> Contract | None:
    """The op's contract at this node: a mixture is a sum where its operands are laid out as it is."""
    stated = OPS[node.op].contract
    if stated is not Contract.MIXTURE:
        return stated
    layouts = {graph.by_name[name].shape.channels for name in node.inputs}
    return Contract.SUM if layouts == {node.shape.channels} else Contract.GATED


def is_cut(type: Type) -> bool:
    """Whether a network keeps some of its channels only: they are undecided."""
    return not all(map(is_decided, type.channels)) or any(map(is_cut, type.parts))


def _pends(node: Node, contract: Contract | None, operands: list[bool]) -> bool:
    if node.clears == "out" or not is_cut(node.shape):
        return False
    match contract:
        case Contract.SOURCE | Contract.MIXES:
            return True
        case Contract.CHANNELWISE | Contract.STATISTICS:
            return operands[0] or OPS[node.op].fills(node)
        case Contract.PRODUCT | Contract.SUM:
            return all(operands)
        case _:
            return False


def due_masks(graph: Graph) -> Iterator[tuple[str, str]]:
    """(user, operand) pairs where the user needs the operand's pending mask applied; the output's user is ''."""
    pending = pends(graph)
    for node in graph.nodes:
        operands = node.inputs
        if not clears(node) and _discharges(contract(graph, node), [pending[name] for name in operands]):
            yield from ((node.name, operand) for operand in dict.fromkeys(operands) if pending[operand])
    if pending.get(graph.output):
        yield "", graph.output


def needless_masks(graph: Graph) -> Iterator[str]:
    """Masks on values that have none pending: they would apply twice."""
    pending = pends(graph)
    for node in graph.nodes:
        if clears(node) and not pending[node.inputs[0]]:
            yield node.name


def clears(node: Node) -> bool:
    """Whether it applies the mask of its operand: it is one, or its weights read the operand under it."""
    return OPS[node.op].contract is Contract.CLEARS or node.clears == "x"


def _discharges(contract: Contract | None, pending: list[bool]) -> bool:
    match contract:
        case Contract.MIXES | Contract.GATED:
            return True
        case Contract.SUM:
            return not all(pending)
        case _:
            return False
