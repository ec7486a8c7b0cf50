"""What a picture shows of each layer, read from the graph: no block is known by name."""

from collections.abc import Sequence
from dataclasses import dataclass

from nasir.ir.distributions import Distributions
from nasir.ir.graph import Graph, Node
from nasir.ir.mixtures import selects
from nasir.ir.ops import OPS, Contract
from nasir.ir.regions import Part, parts
from nasir.ir.values import Pair, Value

_CONVOLVING = (Contract.CHANNELWISE, Contract.MIXES)
"""Convolutions whose kernels a picture shows: depthwise ones, and the others of a layer that has none."""


@dataclass(frozen=True)
class Layer:
    """A part of the network. `expansion` is the widest map that one of its convolutions reads over its input's width,
    least and most: what a block projects to is no expansion. `kernels` are those of its depthwise convolutions (of its
    others where it has none); `attention` (it multiplies maps, as a squeeze-and-excite does) and `skip` (it is an
    identity) hold `all`, `some` (of its alternatives) or nothing. `size` is the map it makes, `widths` its channels."""

    name: str
    block: str
    expansion: tuple[float, float]
    kernels: tuple[int | Pair, ...]
    activations: tuple[str, ...]
    attention: str
    skip: str
    size: str
    widths: str


def layers(graph: Graph) -> list[Layer]:
    """The layers of the tables; where there are none, each flow that convolves."""
    distributions = Distributions(graph.decision_map, graph.dim_map)
    found: list[Layer] = []
    previous = graph.input
    has_tables = any(part.is_layer for part in parts(graph))
    for part in parts(graph):
        own = {node.name for node in part.nodes}
        if part.is_layer or (not has_tables and any(_has_kernel(node) for node in part.nodes)):
            found.append(_layer(graph, part, own, previous, distributions))
        previous = part.nodes[-1] if part.nodes else previous
    return found


def _layer(graph: Graph, part: Part, own: set[str], previous: Node, distributions: Distributions) -> Layer:
    def sizes(values: Sequence[Value]) -> tuple[int, int]:
        supports = [distributions.support(value) for value in values]
        return sum(int(s[0]) for s in supports), sum(int(s[-1]) for s in supports)

    entering = sizes(previous.shape.channels)
    mixing = [node for node in part.nodes if OPS[node.op].contract is Contract.MIXES]
    inside = [sizes(graph.by_name[name].shape.channels) for node in mixing for name in node.inputs]
    ratios = [(low / entering[0], high / entering[1]) for low, high in inside]
    expansion = max(ratios, key=lambda r: r[1]) if ratios else (0.0, 0.0)
    shape = part.nodes[-1].shape if part.nodes else previous.shape
    low, high = sizes(shape.channels)
    longest = distributions.support(shape.sizes[0]) if shape.sizes else ()
    gates = [node for node in part.nodes if OPS[node.op].contract is Contract.PRODUCT]
    mixes = [node for node in part.nodes if selects(OPS[node.op])]
    return Layer(
        part.name,
        part.block,
        (min(expansion), max(expansion)),
        _kernels(part.nodes, distributions),
        tuple(dict.fromkeys(node.op for node in part.nodes if _acts_on_a_map(node))),
        "" if not gates else ("some" if mixes else "all"),
        "all" if not part.nodes else ("some" if any(set(mix.inputs) - own for mix in mixes) else ""),
        _range(int(longest[0]), int(longest[-1])) if longest else "",
        _range(low, high),
    )


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"


def by_size(kernel: int | Pair) -> tuple[int, str]:
    """Sorts kernels by how much they cover."""
    height, width = kernel.numbers if isinstance(kernel, Pair) else (kernel, kernel)
    return height * width, str(kernel)


def _kernels(nodes: Sequence[Node], distributions: Distributions) -> tuple[int | Pair, ...]:
    convolutions = [node for node in nodes if _has_kernel(node)]
    for contract in _CONVOLVING:
        own = [node["kernel"] for node in convolutions if OPS[node.op].contract is contract]
        if own:
            found = {v if isinstance(v, Pair) else int(v) for kernel in own for v in distributions.support(kernel)}
            return tuple(sorted(found, key=by_size))
    return ()


def _has_kernel(node: Node) -> bool:
    return OPS[node.op].mixes_by == "kernel"


def _acts_on_a_map(node: Node) -> bool:
    """An activation of a whole map: those of a squeeze and its gate are of a 1x1 map."""
    return bool(OPS[node.op].module) and not node.shape.is_pooled
