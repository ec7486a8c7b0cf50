"""The parts of a network as rows: for `nasir info`, for an emitted file's docstring."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nasir.cost.model import CostModel, tensors
from nasir.ir.graph import Graph, Type
from nasir.ir.ops import OPS
from nasir.ir.regions import parts
from nasir.ir.sizes import Number, evaluate, exact
from nasir.ir.values import Scalar, Value


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


def _shape(model: CostModel, type: Type) -> str:
    sizes = ["+".join(_range(model, c) for c in type.channels)]
    if type.height is not None and type.width is not None:
        sizes += [_range(model, type.height), _range(model, type.width)]
    return " x ".join(sizes)


def _range(model: CostModel, value: Value) -> str:
    support = model.distributions.support(value)
    return str(support[0]) if len(support) == 1 else f"{support[0]}..{support[-1]}"
