"""specialise: partial evaluation. Decisions become the constants that `choices` names, and dims fold."""

from dataclasses import dataclass, field, replace

from nasir.ir.facts import Fact
from nasir.ir.graph import Choices, Graph
from nasir.ir.values import Scalar
from nasir.passes.base import Pass
from nasir.passes.rewriting import DimRewriter


@dataclass(frozen=True)
class Specialise(Pass):
    """Decisions become constants.

    Before, with w=8::

        graph g {
          decision w = {4, 8}
          dim half = div($w, 2)
          %x = image() {channels=3, size=8} : [3, 8, 8]
          %y = conv(x=%x) {kernel=3, width=$w} : [$w, 8, 8]
          %out = conv(x=%y) {kernel=1, width=$half} : [$half, 8, 8]
          return %out
        }

    After::

        graph g {
          %x = image() {channels=3, size=8} : [3, 8, 8]
          %y = conv(x=%x) {kernel=3, width=8} : [8, 8, 8]
          %out = conv(x=%y) {kernel=1, width=4} : [4, 8, 8]
          return %out
        }
    """

    name = "specialise"
    needs = frozenset((Fact.SHAPED,))

    choices: Choices = field(default_factory=dict[str, Scalar])

    def run(self, graph: Graph) -> Graph:
        dims = DimRewriter(graph, self.choices)
        nodes = tuple(map(dims.node, graph.nodes))
        regions = tuple(map(dims.region, graph.regions))
        return replace(graph, decisions=dims.decisions, dims=dims.dims, regions=regions, nodes=nodes)
