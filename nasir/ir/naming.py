"""Where each node and region of a concrete graph lives in the emitted module: the keys of its state_dict."""

import re
from collections.abc import Mapping

from nasir.ir.graph import Graph, Region


def enclosing(graph: Graph, name: str) -> Region | None:
    """The innermost block or table that a node or region is in; None at the top of the network."""
    parent = name
    while "." in parent:
        parent = parent.rpartition(".")[0]
        if parent in graph.region_map:
            return graph.region_map[parent]
    return None


def local_name(graph: Graph, name: str) -> str:
    """A node's or region's name inside its enclosing region, as a Python identifier."""
    region = enclosing(graph, name)
    inside = name[len(region.path) + 1 :] if region else name
    return re.sub(r"\W", "_", inside)


def module_paths(graph: Graph) -> Mapping[str, str]:
    """The attribute path of each node of a concrete graph, `trunk.3.project_conv`; unique by construction."""
    regions: dict[str, str] = {}
    taken: set[str] = set()

    def place(name: str) -> str:
        region = enclosing(graph, name)
        prefix = f"{regions[region.path]}." if region else ""
        path, count = prefix + local_name(graph, name), 1
        while path in taken:
            count += 1
            path = f"{prefix}{local_name(graph, name)}_{count}"
        taken.add(path)
        return path

    for region in graph.regions:
        regions[region.path] = place(region.path)
    return {**{node.name: place(node.name) for node in graph.nodes}, **regions}
