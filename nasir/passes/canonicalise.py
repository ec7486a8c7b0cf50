"""canonicalise: what is decided is done. Decided mixtures forward their operand, decided shortcuts are sums or
nothing, dims with one possible value are constants, equal dims are one."""

from dataclasses import dataclass, replace

from nasir.ir.distributions import Distributions
from nasir.ir.facts import Fact
from nasir.ir.graph import Graph, Node
from nasir.ir.ops import OPS
from nasir.ir.values import Ref, Scalar
from nasir.passes.base import Pass
from nasir.passes.rewriting import DimRewriter


@dataclass(frozen=True)
class Canonicalise(Pass):
    name = "canonicalise"
    needs = frozenset((Fact.SHAPED,))

    def run(self, graph: Graph) -> Graph:
        dims = DimRewriter(graph, _constants(graph))
        forwarded: dict[str, str] = {}
        nodes: list[Node] = []
        for node in graph.nodes:
            operands = tuple((label, forwarded.get(name, name)) for label, name in node.operands)
            simple = OPS[node.op].simplified(replace(dims.node(node), operands=operands))
            if isinstance(simple, str):
                forwarded[node.name] = simple
            else:
                nodes.append(simple)
        return replace(
            graph,
            decisions=dims.decisions,
            regions=tuple(map(dims.region, graph.regions)),
            nodes=tuple(nodes),
            dims=dims.dims,
            output=forwarded.get(graph.output, graph.output),
        )


def _constants(graph: Graph) -> dict[str, Scalar]:
    distributions = Distributions(graph.decision_map, graph.dim_map)
    supports = {dim.name: distributions.support(Ref(dim.name)) for dim in graph.dims}
    return {name: support[0] for name, support in supports.items() if len(support) == 1}
