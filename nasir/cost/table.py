"""The parts of a network as rows: for `nasir info`, for an emitted file's docstring."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nasir.cost.model import CostModel, Network
from nasir.cost.registry import STANDARD
from nasir.ir.graph import Type
from nasir.ir.regions import parts
from nasir.ir.sizes import evaluate
from nasir.ir.values import Value


@dataclass(frozen=True)
class LayerRow:
    """A part of the network; `place` is what the names of decisions within it begin with. `costs` are those of the
    concrete network that are sums, by name; nothing where decisions are left."""

    name: str
    place: str
    block: str
    shape: str
    costs: Mapping[str, int]


def layer_rows(model: CostModel, names: Sequence[str] = STANDARD) -> list[LayerRow]:
    """The network's flows and the layers of its tables, in order, with these costs."""
    graph = model.graph
    shares = {} if graph.decisions else _shares(model, names)
    shape = _shape(model, graph.input.shape)
    rows: list[LayerRow] = []
    for part in parts(graph):
        costs = {name: sum(own.get(node.name, 0) for node in part.nodes) for name, own in shares.items()}
        shape = _shape(model, part.nodes[-1].shape) if part.nodes else shape
        rows.append(LayerRow(part.name, part.place, part.block, shape, costs))
    return rows


def _shares(model: CostModel, names: Sequence[str]) -> dict[str, Mapping[str, int]]:
    """What of each cost that is a sum is each node's, in a concrete network."""
    network = Network(model, evaluate(model.graph, {}))
    found = ((name, model.costs[name].shares(network)) for name in names if name in model.costs)
    return {name: shares for name, shares in found if shares is not None}


def _shape(model: CostModel, type: Type) -> str:
    channels = "+".join(_range(model, c) for c in type.channels)
    return " x ".join([channels, *(_range(model, size) for size in type.sizes)])


def _range(model: CostModel, value: Value) -> str:
    support = model.distributions.support(value)
    return str(support[0]) if len(support) == 1 else f"{support[0]}..{support[-1]}"
