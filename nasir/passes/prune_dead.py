"""prune-dead: nodes that the output does not need, and dims, decisions and regions that no node needs, go."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from nasir.ir.graph import Graph, Region, values_of
from nasir.ir.path import Path
from nasir.ir.regions import is_table
from nasir.ir.values import Ref
from nasir.passes.base import Pass
from nasir.passes.rewriting import needed_names


@dataclass(frozen=True)
class PruneDead(Pass):
    """What nothing reads goes.

    Before::

        graph g {
          decision w = {4, 8}
          decision unused = {4, 8}
          %x = image() {channels=3, size=8} : [3, 8, 8]
          %dead = conv(x=%x) {kernel=5, width=$unused} : [$unused, 8, 8]
          %out = conv(x=%x) {kernel=3, width=$w} : [$w, 8, 8]
          return %out
        }

    After::

        graph g {
          decision w = {4, 8}
          %x = image() {channels=3, size=8} : [3, 8, 8]
          %out = conv(x=%x) {kernel=3, width=$w} : [$w, 8, 8]
          return %out
        }
    """

    name = "prune-dead"

    def run(self, graph: Graph) -> Graph:
        alive = {graph.output}
        for node in reversed(graph.nodes):  # users before what they use
            if node.name in alive:
                alive.update(node.inputs)
        nodes = tuple(node for node in graph.nodes if node.name in alive)
        needed = needed_names(
            graph, (value.name for node in nodes for value in values_of(node) if isinstance(value, Ref))
        )
        return replace(
            graph,
            nodes=nodes,
            dims=tuple(d for d in graph.dims if d.name in needed),
            decisions=tuple(d for d in graph.decisions if d.name in needed),
            regions=tuple(_regions(graph, {node.name for node in nodes}, needed)),
        )


def _regions(graph: Graph, alive: set[str], needed: set[str]) -> Iterable[Region]:
    had_nodes = _with_scopes(node.name for node in graph.nodes)
    have_nodes = _with_scopes(alive)
    for region in graph.regions:
        if region.path in had_nodes and region.path not in have_nodes:
            path = Path(region.path)
            if is_table(graph.region_map.get(path.parent)) and not Path(path.last).is_alternative:
                yield Region(region.path, "block", "identity")  # the layers after it keep their numbers
            continue
        known = tuple((n, v) for n, v in region.values if not isinstance(v, Ref) or v.name in needed)
        yield region if known == region.values else replace(region, values=known)


def _with_scopes(names: Iterable[str]) -> set[str]:
    """The names, and every scope around one of them."""
    found: set[str] = set()
    for name in names:
        found.add(name)
        for scope in Path(name).scopes:
            if scope in found:
                break  # and so are those around it
            found.add(scope)
    return found
