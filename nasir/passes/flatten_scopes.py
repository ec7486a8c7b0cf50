"""flatten-scopes: in a network nothing is alternative, so the names of alternatives leave the names of nodes.

`trunk.3:ir_k3.project.conv` becomes `trunk.3.project.conv`: the name that the same network has when it is written
without a choice, and the name that the emitted module's state_dict knows it by.
"""

import re
from dataclasses import dataclass, replace

from nasir.ir.facts import Fact
from nasir.ir.graph import ALTERNATIVE, Graph, Region
from nasir.ir.regions import scopes
from nasir.passes.base import Pass

_ALTERNATIVE_PART = re.compile(rf"{ALTERNATIVE}\w+")


@dataclass(frozen=True)
class FlattenScopes(Pass):
    name = "flatten-scopes"
    needs = frozenset((Fact.SHAPED,))
    gives = frozenset((Fact.CONCRETE,))

    def run(self, graph: Graph) -> Graph:
        nodes = tuple(
            replace(
                node,
                name=flat_name(node.name),
                operands=tuple((label, flat_name(name)) for label, name in node.operands),
            )
            for node in graph.nodes
        )
        regions: dict[str, Region] = {}
        with_nodes = {scope for node in graph.nodes for scope in scopes(node.name)}
        for region in graph.regions:
            path = flat_name(region.path)
            # The chosen alternative takes its layer's place. The others' regions went with their nodes; an identity
            # never had any, so it is the chosen one only where no other is left.
            if ALTERNATIVE not in region.path or region.path in with_nodes or _is_layer(regions.get(path)):
                regions[path] = replace(region, path=path)
        return replace(graph, nodes=nodes, regions=tuple(regions.values()), output=flat_name(graph.output))


def flat_name(name: str) -> str:
    """A name without its alternatives."""
    return _ALTERNATIVE_PART.sub("", name)


def _is_layer(region: Region | None) -> bool:
    return region is None or region.kind == "layer"
