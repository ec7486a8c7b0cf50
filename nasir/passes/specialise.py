"""specialise: partial evaluation. Decisions become the constants that `choices` names, and dims fold."""

from dataclasses import dataclass, field, replace

from nasir.ir.facts import Fact
from nasir.ir.graph import Choices, Graph
from nasir.ir.values import Scalar
from nasir.passes.base import Pass
from nasir.passes.rewriting import DimRewriter


@dataclass(frozen=True)
class Specialise(Pass):
    name = "specialise"
    needs = frozenset((Fact.SHAPED,))

    choices: Choices = field(default_factory=dict[str, Scalar])

    def run(self, graph: Graph) -> Graph:
        dims = DimRewriter(graph, self.choices)
        nodes = tuple(map(dims.node, graph.nodes))
        regions = tuple(map(dims.region, graph.regions))
        return replace(graph, decisions=dims.decisions, dims=dims.dims, regions=regions, nodes=nodes)
