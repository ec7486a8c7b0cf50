"""What a network offers to other heads than its own: the map that it pools, and the last map at each stride."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from nasir.emission.steps import Reading
from nasir.ir.graph import Graph, Node, Region, Type
from nasir.ir.naming import module_paths
from nasir.ir.ops import OPS, tensors
from nasir.ir.regions import enclosing, is_table

Strides = tuple[Fraction, ...]


@dataclass(frozen=True)
class Tap:
    """The output of a module. `reduction` is its stride in the input, one number for each axis where they differ."""

    channels: int
    reduction: int | tuple[int, ...]
    module: str


@dataclass(frozen=True)
class Backbone:
    """`map` is the node whose value, of so many channels, the head reads and nothing else of the network."""

    map: str
    channels: int
    taps: tuple[Tap, ...]


def backbone(reading: Reading) -> Backbone | None:
    """The backbone of a network; None where no one map that modules make is pooled, or flattened, and read by a head.

    It ends where places are given up for good: at a node that all paths pass and that gives them up (`Op.closes`),
    behind which no value has places. A block of the program is of the head where that node is in it, and so is a
    classifier that stands before the pooling.
    """
    graph, strides = reading.graph, _strides(reading.graph)
    for closing in _closing(graph):
        found = _entering(reading, closing)
        if found is not None and found.name in strides and (taps := tuple(_taps(reading, found, strides))):
            return Backbone(found.name, _channels(found), taps)
    return None


def _closing(graph: Graph) -> list[Node]:
    """The nodes at which places are given up for good, poolings over all of a map before those by a window."""
    positions = {node.name: i for i, node in enumerate(graph.nodes)}
    last_map = max((i for i, node in enumerate(graph.nodes) if _has_places(node.shape)), default=len(graph.nodes))
    furthest = 0  # the last reader of what is made so far: where it comes later, a path passes the next node by
    found: list[Node] = []
    for i, node in enumerate(graph.nodes):
        if i > last_map and furthest <= i and OPS[node.op].closes(tensors(graph, node.name)):
            found.append(node)
        furthest = max([furthest, *(positions[user.name] for user in graph.users[node.name])])
    return sorted(found, key=lambda node: bool(OPS[node.op].strides(tensors(graph, node.name))))


def _entering(reading: Reading, closing: Node) -> Node | None:
    """The one value that a head with this node in it reads."""
    graph, part = reading.graph, _outermost(reading.graph, closing.name)
    own, entering = ([closing], closing.inputs) if part is None else (reading.nodes_in(part), reading.operands(part)[0])
    if is_table(part) or len(entering) != 1:
        return None
    behind = graph.nodes[graph.nodes.index(own[0]) :]
    found = None if any(OPS[node.op].weights for node in behind) else _before_classifier(graph, entering[0])
    found = graph.by_name[found or entering[0]]
    return None if found == graph.input else found


def _has_places(shape: Type) -> bool:
    return any(not part.is_pooled for part in shape.parts or (shape,))


def _before_classifier(graph: Graph, name: str) -> str | None:
    """What the last layer with weights reads, where each value from it to `name` follows from one other alone; without
    the dropout that belongs to it."""
    node = graph.by_name[name]
    while not OPS[node.op].weights:
        if len(node.inputs) != 1:
            return None
        node = graph.by_name[node.inputs[0]]
    if enclosing(graph, node.name) is not None:
        return None
    (found,) = node.inputs
    while _is_layer(graph, graph.by_name[found]) and not OPS[graph.by_name[found].op].weights:
        (found,) = graph.by_name[found].inputs
    return found


def _taps(reading: Reading, last: Node, strides: Mapping[str, Strides]) -> Iterator[Tap]:
    """The last map of a block at each stride, or of a layer where no block ends at it, by the strides."""
    graph = reading.graph
    paths, ends = module_paths(graph), _ends(reading)
    layers: dict[Strides, Tap] = {}
    blocks: dict[Strides, Tap] = {}
    for node in graph.nodes[1 : graph.nodes.index(last) + 1]:
        stride, block = strides.get(node.name, ()), ends.get(node.name)
        if not stride or any(one.denominator > 1 for one in stride):
            continue
        reduction = int(stride[0]) if len({*stride}) == 1 else tuple(map(int, stride))
        if block is not None:
            blocks[stride] = Tap(_channels(node), reduction, paths[block.path])
        elif enclosing(graph, node.name) is None and _is_layer(graph, node):
            layers[stride] = Tap(_channels(node), reduction, paths[node.name])
    yield from (tap for _, tap in sorted((layers | blocks).items(), key=lambda one: one[0]))


def _ends(reading: Reading) -> Mapping[str, Region]:
    """The blocks of the network and the layers of its tables, by the nodes whose values they return; the outermost."""
    found: dict[str, Region] = {}
    for region in reading.graph.regions:  # those around others come first
        owner = enclosing(reading.graph, region.path) if region.path else region
        if reading.nodes_in(region) and not is_table(region) and (owner is None or is_table(owner)):
            found.setdefault(reading.operands(region)[1], region)
    return found


def _strides(graph: Graph) -> Mapping[str, Strides]:
    """How many places of the input lie between two neighbours of each value that has places, along each axis."""
    found: dict[str, Strides] = {graph.input.name: (Fraction(1),) * graph.input.shape.rank}
    for node in graph.nodes:
        known = next((found[operand] for operand in node.inputs if operand in found), None)
        it = tensors(graph, node.name)
        moves = OPS[node.op].strides(it)
        if known is not None and (moves or not OPS[node.op].closes(it)):
            found[node.name] = tuple(a * b for a, b in zip(known, moves or (1,) * len(known), strict=True))
    return found


def _outermost(graph: Graph, name: str) -> Region | None:
    found, around = None, enclosing(graph, name)
    while around is not None:
        found, around = around, enclosing(graph, around.path)
    return found


def _is_layer(graph: Graph, node: Node) -> bool:
    """Whether it is a module whose output is the map as it is."""
    call = OPS[node.op].call(tensors(graph, node.name)) if node.operands else None
    return call is not None and call.is_module and not call.channels_last


def _channels(node: Node) -> int:
    return sum(int(segment) for segment in node.shape.channels)  # pyright: ignore[reportArgumentType]
