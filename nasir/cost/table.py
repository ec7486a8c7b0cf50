"""The parts of a network as rows: for `nasir info`, for an emitted file's docstring."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from nasir.cost.model import CostModel, tensors
from nasir.ir.graph import ALTERNATIVE, Graph, Node, Type
from nasir.ir.ops import OPS
from nasir.ir.sizes import Number, evaluate, exact
from nasir.ir.values import Scalar, Value

_MOST_OPS = 5


@dataclass(frozen=True)
class LayerRow:
    """A part of the network. Costs are those of the concrete network, 0 where decisions are left."""

    name: str
    block: str
    shape: str
    macs: int
    params: int


def layer_rows(graph: Graph) -> list[LayerRow]:
    """The network's flows and the layers of its tables, in order."""
    model = CostModel(graph)
    known: Mapping[str, Scalar] = {} if graph.decisions else evaluate(graph, {})
    shape = _shape(model, next(node for node in graph.nodes if node.op == "image").shape)
    rows: list[LayerRow] = []
    for part in parts(graph):
        nodes = part.nodes
        macs = params = 0
        if not graph.decisions:
            priced = [(OPS[node.op], tensors(graph, node.name)) for node in nodes]
            macs = _total(op.macs(it, exact(known)) for op, it in priced)
            params = _total(op.params(it, exact(known)) for op, it in priced)
        shape = _shape(model, nodes[-1].shape) if nodes else shape
        rows.append(LayerRow(part.name, part.block, shape, macs, params))
    return rows


def _total(costs: Iterable[Number]) -> int:
    total = sum(costs, 0)
    assert isinstance(total, int), "sizes are exact, and so are costs"
    return total


@dataclass(frozen=True)
class Part:
    """A flow of the network or a layer of a table: its name, what it is made of, its nodes (none for an identity)."""

    name: str
    block: str
    nodes: tuple[Node, ...]
    is_layer: bool


def parts(graph: Graph) -> Iterator[Part]:
    """The parts in the order in which the network runs them; the image is no part."""
    layers = {r.path: r.block for r in graph.regions if ALTERNATIVE not in r.path and _parent_is_table(graph, r.path)}
    found: dict[str, list[Node]] = {}
    for node in graph.nodes:
        if node.op == "image":
            continue
        name = _layer_of(node.name, layers)
        if name is None:
            found.setdefault(node.name.partition(".")[0], []).append(node)
            continue
        table = name.rpartition(".")[0]
        for layer in layers:  # all of the table's at once: an identity among them has no nodes, and a row all the same
            if layer.rpartition(".")[0] == table:
                found.setdefault(layer, [])
        found[name].append(node)
    for name, nodes in found.items():
        yield Part(name, layers.get(name) or _flow(nodes, graph, name), tuple(nodes), name in layers)


def _parent_is_table(graph: Graph, path: str) -> bool:
    parent = graph.region_map.get(path.rpartition(".")[0])
    return parent is not None and parent.kind == "stages"


def _layer_of(name: str, layers: dict[str, str]) -> str | None:
    plain = name.partition(ALTERNATIVE)[0]
    while plain:
        if plain in layers:
            return plain
        plain = plain.rpartition(".")[0]
    return None


def _flow(nodes: list[Node], graph: Graph, name: str) -> str:
    if name in graph.region_map:
        return graph.region_map[name].block
    ops = [node.op for node in nodes]
    if len(ops) > _MOST_OPS:
        ops = [*ops[: _MOST_OPS - 2], "...", ops[-1]]
    return " ".join(ops)


def _shape(model: CostModel, type: Type) -> str:
    sizes = ["+".join(_range(model, c) for c in type.channels)]
    if type.height is not None and type.width is not None:
        sizes += [_range(model, type.height), _range(model, type.width)]
    return " x ".join(sizes)


def _range(model: CostModel, value: Value) -> str:
    support = model.distributions.support(value)
    return str(support[0]) if len(support) == 1 else f"{support[0]}..{support[-1]}"
