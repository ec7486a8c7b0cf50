"""place-masks: channel masks where they are due, as late as they can stand.

A mask before a batch norm would be divided away again, and hard swish is not homogeneous: masks move down past both,
to the first op that mixes channels or adds differently laid-out values (`ir/pending.py`). This defines the soft model.
"""

from dataclasses import dataclass, replace

from nasir.ir.facts import Fact
from nasir.ir.graph import Graph, Node
from nasir.ir.pending import due_masks
from nasir.passes.base import Pass


@dataclass(frozen=True)
class PlaceMasks(Pass):
    """Masks where they are due, behind batch norm and activation.

    Before::

        graph g {
          decision w = {4, 8}
          %x = image() {channels=3, size=8} : [3, 8, 8]
          %y = conv(x=%x) {kernel=3, width=$w} : [$w, 8, 8]
          %bn = bn(x=%y) : [$w, 8, 8]
          %act = relu(x=%bn) : [$w, 8, 8]
          %out = conv(x=%act) {kernel=1, width=4} : [4, 8, 8]
          return %out
        }

    After::

        graph g {
          decision w = {4, 8}
          %x = image() {channels=3, size=8} : [3, 8, 8]
          %y = conv(x=%x) {kernel=3, width=$w} : [$w, 8, 8]
          %bn = bn(x=%y) : [$w, 8, 8]
          %act = relu(x=%bn) : [$w, 8, 8]
          %act.mask = mask(x=%act) : [$w, 8, 8]
          %out = conv(x=%act.mask) {kernel=1, width=4} : [4, 8, 8]
          return %out
        }
    """

    name = "place-masks"
    needs = frozenset((Fact.SHAPED,))
    gives = frozenset((Fact.MASKED,))

    def run(self, graph: Graph) -> Graph:
        due = set(due_masks(graph))
        masked = {value for _, value in due}
        nodes: list[Node] = []
        for node in graph.nodes:
            operands = tuple(
                (label, mask_name(name) if (node.name, name) in due else name) for label, name in node.operands
            )
            nodes.append(replace(node, operands=operands))
            if node.name in masked:
                # One mask a value: all who need it masked read the same node.
                operands = (("x", node.name),)
                nodes.append(Node(mask_name(node.name), "mask", operands, (), node.type, node.span, (), node.flow))
        output = mask_name(graph.output) if ("", graph.output) in due else graph.output
        return replace(graph, nodes=tuple(nodes), output=output)


def mask_name(value: str) -> str:
    """The name of the mask on a value."""
    return f"{value}.mask"
