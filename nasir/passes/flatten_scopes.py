"""flatten-scopes: in a network nothing is alternative, so the names of alternatives leave the names of nodes.

`trunk.3:ir_k3.project.conv` becomes `trunk.3.project.conv`: the name that the same network has when it is written
without a choice, and the name that the emitted module's state_dict knows it by.
"""

from dataclasses import dataclass, replace

from nasir.ir.facts import Fact
from nasir.ir.graph import Graph, Region
from nasir.ir.path import Path
from nasir.passes.base import Pass


@dataclass(frozen=True)
class FlattenScopes(Pass):
    """Names of alternatives leave the names of nodes.

    Before::

        graph g {
          %x = image() {channels=3, size=8} : [3, 8, 8]
          region body = layer layer() {
            region :conv_k3 = block conv_k3() {
              %.conv = conv(x=%x) {kernel=3, width=8} : [8, 8, 8]
            }
          }
          return %body:conv_k3.conv
        }

    After::

        graph g {
          %x = image() {channels=3, size=8} : [3, 8, 8]
          region body = block conv_k3() {
            %.conv = conv(x=%x) {kernel=3, width=8} : [8, 8, 8]
          }
          return %body.conv
        }
    """

    name = "flatten-scopes"
    needs = frozenset((Fact.SHAPED, Fact.CONCRETE))

    def run(self, graph: Graph) -> Graph:
        nodes = tuple(
            replace(
                node,
                name=Path(node.name).flat,
                operands=tuple((label, Path(name).flat) for label, name in node.operands),
            )
            for node in graph.nodes
        )
        regions: dict[str, Region] = {}
        with_nodes = {scope for node in graph.nodes for scope in Path(node.name).scopes}
        for region in graph.regions:
            path = Path(region.path)
            # The chosen alternative takes its layer's place. The others' regions went with their nodes; an identity
            # never had any, so it is the chosen one only where no other is left.
            if not path.is_alternative or path in with_nodes or _is_layer(regions.get(path.flat)):
                regions[path.flat] = replace(region, path=path.flat)
        in_order = tuple(regions[path] for path in sorted(regions, key=lambda path: Path(path).order))
        return replace(graph, nodes=nodes, regions=in_order, output=Path(graph.output).flat)


def _is_layer(region: Region | None) -> bool:
    return region is None or region.kind == "layer"
