"""Which part of the program a node is in: the block around it, the layer of a table, the flow of the network.

Names carry most of it: `trunk.3:ir_k3.project.conv` is in the flow `project` of the alternative `ir_k3` of the layer
`trunk.3`. The statement of the space that made it is the node's own `flow`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from nasir.ir.graph import Graph, Node, Region
from nasir.ir.path import Path

RETURNED, RESULT = "return", "result"
"""What a flow that is returned without a name is called, and what the names of decisions in it begin with."""
_MOST_OPS = 5


def enclosing(graph: Graph, name: str) -> Region | None:
    """The innermost block or table that a node or region is in; None at the top of the network."""
    return next((graph.region_map[path] for path in Path(name).parents if path in graph.region_map), None)


def inside(graph: Graph, name: str) -> Path:
    """A node's or region's name within its enclosing region: `project.conv`."""
    region = enclosing(graph, name)
    return Path(name[len(region.path) + 1 :] if region else name)


@dataclass(frozen=True)
class Part:
    """A flow of the network or a layer of a table: its name, what it is made of, its nodes (none for an identity)."""

    name: str
    block: str
    nodes: tuple[Node, ...]
    is_layer: bool

    @property
    def place(self) -> str:
        """What the names of decisions within it begin with."""
        return RESULT if self.name == RETURNED else self.name


def parts(graph: Graph) -> Iterator[Part]:
    """The parts in the order in which the network first comes to them; the image is no part."""
    layers = _layers(graph)
    by_table: dict[str, list[str]] = {}
    for layer in layers:
        by_table.setdefault(Path(layer).parent, []).append(layer)
    found: dict[str, list[Node]] = {}
    for run in runs(graph):
        if run.is_layer and run.name not in found:
            # All of the table's at once: an identity among them has a row, and no nodes.
            found |= {layer: [] for layer in by_table[Path(run.name).parent] if layer not in found}
        found.setdefault(run.name, []).extend(run.nodes)
    for name, nodes in found.items():
        yield _part(name, nodes, graph, layers)


def runs(graph: Graph) -> Iterator[Part]:
    """The parts as runs of neighbouring nodes. A flow with a table in it comes before the table, and again after it:
    a run depends on no later one.
    """
    layers = _layers(graph)
    nodes = (node for node in graph.nodes if node.operands)
    for name, run in groupby(nodes, lambda node: _layer_of(node.name, layers) or node.flow):
        yield _part(name, list(run), graph, layers)


def _part(name: str, nodes: list[Node], graph: Graph, layers: dict[str, str]) -> Part:
    return Part(name, layers.get(name) or _flow(nodes, graph, name), tuple(nodes), name in layers)


def _layers(graph: Graph) -> dict[str, str]:
    found = [r for r in graph.regions if not Path(r.path).is_alternative]
    return {r.path: r.block for r in found if is_table(graph.region_map.get(Path(r.path).parent))}


def is_table(region: Region | None) -> bool:
    """Whether a region is a table of layers."""
    return region is not None and region.kind == "stages"


def _layer_of(name: str, layers: dict[str, str]) -> str | None:
    plain = Path(name).layer
    return next((path for path in (plain, *plain.parents) if path in layers), None)


def _flow(nodes: list[Node], graph: Graph, name: str) -> str:
    if name in graph.region_map:
        return graph.region_map[name].block
    ops = [node.op for node in nodes]
    if len(ops) > _MOST_OPS:
        ops = [*ops[: _MOST_OPS - 2], "...", ops[-1]]
    return " ".join(ops)
