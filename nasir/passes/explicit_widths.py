"""explicit-widths: conventional DNAS, the baseline that masks replace (Fig. 7): a copy of the layers for each width.

Every value of a width's support has its own copy of all that lies between the op that makes the channels and the
place where the mask would stand; the copies are mixed under P(width = value), zero-padded (Eq. 1). All else is as in
the masked graph. With tied weights the two compute the same where no squeeze stands between.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from nasir.ir.distributions import Distributions
from nasir.ir.facts import Fact
from nasir.ir.graph import Graph, Node
from nasir.ir.ops import OPS, Contract
from nasir.ir.path import Path
from nasir.ir.pending import pends
from nasir.ir.values import Ref, Scalar, Value, key
from nasir.passes import mistakes
from nasir.passes.base import Pass


@dataclass(frozen=True)
class ExplicitWidths(Pass):
    """A copy for each width, mixed: the baseline that masks replace.

    Before::

        graph g {
          decision w = {4, 8}
          %x = image() {channels=3, size=8} : [3, 8, 8]
          %y = conv(x=%x) {kernel=3, width=$w} : [$w, 8, 8]
          %y.mask = mask(x=%y) : [$w, 8, 8]
          %out = conv(x=%y.mask) {kernel=1, width=4} : [4, 8, 8]
          return %out
        }

    After::

        graph g {
          decision w = {4, 8}
          %x = image() {channels=3, size=8} : [3, 8, 8]
          %y:width_4 = conv(x=%x) {kernel=3, width=4} : [4, 8, 8]
          %y:width_8 = conv(x=%x) {kernel=3, width=8} : [8, 8, 8]
          %y.mask = mix(4=%y:width_4, 8=%y:width_8) {selector=$w} : [$w, 8, 8]
          %out = conv(x=%y.mask) {kernel=1, width=4} : [4, 8, 8]
          return %out
        }
    """

    name = "explicit-widths"
    needs = frozenset((Fact.SHAPED, Fact.MASKED))

    def run(self, graph: Graph) -> Graph:
        pending = pends(graph)
        distributions = Distributions(graph.decision_map, graph.dim_map)
        copied = {node.name: _width(node) for node in graph.nodes if pending[node.name]}
        nodes: list[Node] = []
        mixed: dict[str, str] = {}
        """What reads a copied value without a mask, as the product with a masked one does, reads its copies mixed."""
        for node in graph.nodes:
            if node.name in copied:
                whole = [
                    name for name in node.inputs if name not in copied and _is_wide(graph, name, copied[node.name])
                ]
                if whole:  # a masked value is whole, and a copy would need a part of it
                    raise mistakes.several_widths(node.span)
                nodes += _copies(node, copied, distributions)
            elif OPS[node.op].contract is Contract.CLEARS:
                nodes.append(_mixed(node, _width(node), distributions))
            else:
                for name in {name: None for name in node.inputs if name in copied and name not in mixed}:
                    mixed[name] = f"{name}.mixed"
                    whole = replace(graph.by_name[name], name=mixed[name], operands=(("x", name),))
                    nodes.append(_mixed(whole, copied[name], distributions))
                operands = tuple((label, mixed.get(name, name)) for label, name in node.operands)
                nodes.append(replace(node, operands=operands) if operands != node.operands else node)
        return replace(graph, nodes=tuple(nodes))


def _is_wide(graph: Graph, name: str, width: Ref) -> bool:
    """Whether a value has this undecided width."""
    return width in graph.by_name[name].shape.channels


def _width(node: Node) -> Ref:
    """The one undecided width of a value.

    Raises:
        CompileError: where it has several.
    """
    match node.shape.channels:
        case (Ref() as width,):
            return width
        case _:
            raise mistakes.several_widths(node.span)


def _copies(node: Node, copied: dict[str, Ref], distributions: Distributions) -> Iterator[Node]:
    width = copied[node.name]
    for value in distributions.support(width):

        def fixed(old: Value, value: Scalar = value) -> Value:
            return value if old == width else old

        assert node.type is not None, "masks are placed in a graph with types"
        yield replace(
            node,
            name=copy_name(node.name, value),
            operands=tuple(
                (label, copy_name(name, value) if copied.get(name) == width else name) for label, name in node.operands
            ),
            attributes=tuple((name, fixed(old)) for name, old in node.attributes),
            type=node.type.changed(fixed),
        )


def _mixed(mask: Node, width: Ref, distributions: Distributions) -> Node:
    operands = tuple((key(value), copy_name(mask.inputs[0], value)) for value in distributions.support(width))
    return replace(mask, op="mix", operands=operands, attributes=(("selector", width),))


def copy_name(name: str, value: Scalar) -> str:
    """What the copy of a node for one value of its width is called."""
    return Path(name).alternative(f"width_{key(value)}")
