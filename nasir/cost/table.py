"""The parts of a network as rows: for `nasir info`, for an emitted file's docstring."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nasir.cost.base import AdditiveCost
from nasir.cost.model import CostModel
from nasir.cost.registry import COSTS, STANDARD
from nasir.ir.graph import Graph, Type
from nasir.ir.ops import OPS, tensors
from nasir.ir.regions import parts
from nasir.ir.sizes import evaluate, exact
from nasir.ir.values import Value


@dataclass(frozen=True)
class LayerRow:
    """A part of the network. `costs` are those of the concrete network that are sums, by name; nothing where decisions
    are left."""

    name: str
    block: str
    shape: str
    costs: Mapping[str, int]


def layer_rows(graph: Graph, names: Sequence[str] = STANDARD) -> list[LayerRow]:
    """The network's flows and the layers of its tables, in order, with these costs."""
    model = CostModel(graph)
    sums = {name: cost for name in names if isinstance(cost := COSTS[name], AdditiveCost) and not graph.decisions}
    size = exact(evaluate(graph, {})) if sums else exact({})
    shape = _shape(model, graph.input.shape)
    rows: list[LayerRow] = []
    for part in parts(graph):
        priced = [(OPS[node.op], tensors(graph, node.name)) for node in part.nodes] if sums else []
        costs: dict[str, int] = {}
        for name, cost in sums.items():
            total = sum((cost.price(op, it, size) for op, it in priced if cost.prices(op)), 0)
            assert isinstance(total, int), "sizes are exact, and so are costs"
            costs[name] = total
        shape = _shape(model, part.nodes[-1].shape) if part.nodes else shape
        rows.append(LayerRow(part.name, part.block, shape, costs))
    return rows


def _shape(model: CostModel, type: Type) -> str:
    channels = "+".join(_range(model, c) for c in type.channels)
    return " x ".join([channels, *(_range(model, size) for size in type.sizes)])


def _range(model: CostModel, value: Value) -> str:
    support = model.distributions.support(value)
    return str(support[0]) if len(support) == 1 else f"{support[0]}..{support[-1]}"
