"""canonicalise: what is decided is done. Decided mixtures forward their operand, decided shortcuts are sums or
nothing, dims with one possible value are constants, equal dims are one. A dim that several alternatives of a layer
share is named after the layer."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from nasir.ir.distributions import Distributions, TableTooLarge
from nasir.ir.facts import Fact
from nasir.ir.graph import Graph, Node, values_of
from nasir.ir.ops import OPS
from nasir.ir.path import ALTERNATIVE, Path
from nasir.ir.values import Ref, Scalar, Value
from nasir.passes.base import Pass
from nasir.passes.rewriting import DimRewriter, needed_names


@dataclass(frozen=True)
class Canonicalise(Pass):
    """What is decided is done; equal dims are one.

    Before::

        graph g {
          decision w = {4, 8}
          dim same = eq(4, 4)
          dim wide = max($w, 2)
          dim large = max($w, 2)
          %x = image() {channels=4, size=8} : [4, 8, 8]
          %y = conv(x=%x) {kernel=3, width=4} : [4, 8, 8]
          %sum = shortcut(x=%x, y=%y) {equal=$same} : [4, 8, 8]
          %z = mix(a=%sum, b=%y) {selector="a"} : [4, 8, 8]
          %out = conv(x=%z) {kernel=1, width=$large} : [$large, 8, 8]
          return %out
        }

    After::

        graph g {
          decision w = {4, 8}
          dim large = max($w, 2)
          %x = image() {channels=4, size=8} : [4, 8, 8]
          %y = conv(x=%x) {kernel=3, width=4} : [4, 8, 8]
          %sum = add(a=%x, b=%y) : [4, 8, 8]
          %out = conv(x=%sum) {kernel=1, width=$large} : [$large, 8, 8]
          return %out
        }
    """

    name = "canonicalise"
    needs = frozenset((Fact.SHAPED,))

    def given(self, graph: Graph) -> frozenset[Fact]:
        return frozenset() if graph.decisions else frozenset((Fact.CONCRETE,))

    def run(self, graph: Graph) -> Graph:
        dims = DimRewriter(graph, _constants(graph), names=_shared(graph))
        forwarded: dict[str, str] = {}
        nodes: list[Node] = []
        for node in graph.nodes:
            operands = tuple((label, forwarded.get(name, name)) for label, name in node.operands)
            node = dims.node(node)
            simple = OPS[node.op].simplified(node if operands == node.operands else replace(node, operands=operands))
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
    """The dims with one possible value, of those that something reads. Of what nodes read every distribution is known
    to be short enough; what only a name of the program reads may have a longer one, and is left as it is."""
    distributions = Distributions(graph.decision_map, graph.dim_map)
    values = (*(v for node in graph.nodes for v in values_of(node)), *(v for r in graph.regions for _, v in r.values))
    needed = needed_names(graph, (value.name for value in values if isinstance(value, Ref)))
    found: dict[str, Scalar] = {}
    too_large: set[str] = set()
    for dim in graph.dims:
        if dim.name not in needed:
            continue
        if any(isinstance(argument, Ref) and argument.name in too_large for argument in dim.args):
            too_large.add(dim.name)
            continue
        try:
            support = distributions.support(Ref(dim.name))
        except TableTooLarge:
            too_large.add(dim.name)
            continue
        if len(support) == 1:
            found[dim.name] = support[0]
    return found


def _shared(graph: Graph) -> dict[str, str]:
    """New names for the dims of an alternative that something outside of it reads: without the alternative's own."""
    names: dict[str, str] = {}

    def read(reader: str, values: Iterable[Value]) -> None:
        for value in values:
            home = Path(value.name).home if isinstance(value, Ref) else ""
            if home and isinstance(value, Ref) and not f"{reader}.".startswith(f"{home}."):
                names[value.name] = f"{home.rpartition(ALTERNATIVE)[0]}{value.name[len(home) :]}"

    for node in graph.nodes:
        read(node.name, values_of(node))
    for region in graph.regions:
        read(region.path, (value for _, value in region.values))
    for dim in reversed(graph.dims):  # users before what they use
        read(names.get(dim.name, dim.name), dim.args)
    return names
