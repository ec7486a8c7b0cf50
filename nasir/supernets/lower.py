"""The masked graph to a torch.fx GraphModule of GraphModules, one for each part of the network; nothing is traced."""

import inspect
import operator
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast, get_args

from torch import fx, nn

from nasir.cost.base import Cost
from nasir.cost.model import CostModel
from nasir.cost.registry import COSTS, STANDARD
from nasir.ir.graph import Graph, Node
from nasir.ir.ops import OPS, Contract
from nasir.ir.regions import Part, runs
from nasir.ir.values import Ref
from nasir.lang.settings import Resolution
from nasir.passes.base import run
from nasir.passes.pipeline import CHECKED, Strategy, supernet, widest
from nasir.supernets.gates import Gates
from nasir.supernets.layers import named
from nasir.supernets.module import Supernet, SupernetOutput
from nasir.supernets.naming import free_name, identifier
from nasir.supernets.region import Gated, Lowered, RegionLowering
from nasir.supernets.resolution import Grid, Running, Subsampled
from nasir.supernets.sizes import Sizes


def build(
    graph: Graph,
    resolution: Resolution = "all",
    strategy: Strategy = "masked",
    *,
    fold: bool = True,
    costs: Sequence[Cost] = tuple(map(COSTS.__getitem__, STANDARD)),
) -> Supernet:
    """The supernet of a checked space, in float32 on the CPU; weights from torch's current seed.

    `fold` False multiplies feature maps by masks and gates, as the formulas are written; the results are the same.
    `costs` are those that its output has.
    """
    if resolution not in get_args(Resolution) or strategy not in get_args(Strategy):
        ways = f"resolution is one of {get_args(Resolution)}, strategy one of {get_args(Strategy)}"
        raise ValueError(f"{ways}, not {resolution!r}, {strategy!r}")
    if strategy == "plain":
        graph = widest(graph)
    built = _Lowering(run(graph, supernet(strategy, fold=fold), CHECKED), graph, resolution, costs).build()
    if strategy == "plain":
        next(built.architecture()).requires_grad_(False)
    return built


_PIXELWISE = frozenset((Contract.SUM, Contract.MIXTURE, Contract.GATED, Contract.CLEARS))


class _Lowering:
    def __init__(self, masked: Graph, space: Graph, resolution: Resolution, costs: Sequence[Cost]) -> None:
        self._graph = masked
        self._space = space
        self._is_sampled = resolution == "sampled"
        model = CostModel(space, costs)
        self._distributions = model.distributions
        self._costs = model, tuple(cost.name for cost in costs)
        self._lowered = Lowered(masked, self._distributions)
        self._input = masked.input
        self._size = next((value for _, value in self._input.attributes if isinstance(value, Ref)), None)
        self._root = nn.Module()
        self._taken: set[str] = set()
        """The names of its children."""
        self._fx = fx.Graph()
        self._values: dict[str, fx.Node] = {}
        self._vectors: dict[str, fx.Node] = {}

    def build(self) -> Supernet:
        images, choices, noise = (
            self._fx.placeholder(name, default_value=cast(Any, default))
            for name, default in (("images", inspect.Parameter.empty), ("choices", None), ("noise", None))
        )
        gates = self._fx.call_module("gates", (choices, noise))
        sizes = self._fx.call_module("sizes", (gates,))
        for part in ("masks", "weights", "costs"):
            self._vectors[part] = self._fx.create_node("call_function", getattr, (sizes, part), name=part)
        self._values[self._input.name] = images
        sampled: frozenset[str] = frozenset()
        self._resolution: tuple[fx.Node, ...] = ()
        if self._size is not None:
            size_gates = self._vector(self._lowered.probabilities(self._input.name, self._size))
            running = self._fx.call_module("running", (size_gates, choices))
            self._root.add_module("running", Running(self._is_sampled))
            self._taken.add("running")
            self._resolution = (running, size_gates)
            if self._is_sampled:
                sampled = self._distributions.decisions_of(self._size.name)
        last = self._graph.by_name[self._graph.output]
        for part in runs(self._graph):
            # Several outputs are put together out here: a part that runs at each resolution makes maps alone.
            own = tuple(node for node in part.nodes if node is not last or not last.shape.parts)
            if own:
                self._add(replace(part, nodes=own))
        if last.shape.parts:
            values = [self._values[name] for name in last.inputs]
            self._values[last.name] = self._fx.call_function(named, ([label for label, _ in last.operands], values))
        output = self._fx.call_function(SupernetOutput, (self._values[self._graph.output], self._vectors["costs"]))
        self._fx.output(output)
        self._root.add_module("gates", Gates(self._space.decisions, sampled))
        self._root.add_module("sizes", self._sizes())
        self._fx.lint()
        return Supernet(self._root, self._fx, self._space, self._lowered.modules)

    def _sizes(self) -> Sizes:
        circuit = self._distributions.circuit
        model, names = self._costs
        expected = model.expected(names)
        costs = {
            name: tuple(map(circuit.add, cost if isinstance(cost, tuple) else (cost,)))
            for name, cost in expected.items()
        }
        return Sizes(circuit, self._lowered.masks, self._lowered.weights, costs)

    def _add(self, part: Part) -> None:
        """The part's module, and its call."""
        name = free_name(identifier(part.name), self._taken, Supernet)
        self._taken.add(name)
        subsampled = bool(self._resolution) and self._has_resolution(part)
        region = RegionLowering(self._lowered, part, f"{name}.region" if subsampled else name)
        module, outputs = region.build()
        arguments = [self._vector(a) if isinstance(a, Gated) else self._values[a] for a in region.arguments]
        if subsampled:
            inputs = [None if isinstance(a, Gated) else self._grid(a) for a in region.arguments]
            module = Subsampled(module, inputs, [self._grid(value) for value in outputs])
            arguments = [*self._resolution, *arguments]
        self._root.add_module(name, module)
        called = self._fx.create_node("call_module", name, tuple(arguments), name=name)
        for i, value in enumerate(outputs):
            self._values[value] = called if len(outputs) == 1 else self._item(called, i, identifier(value))

    def _vector(self, gated: Gated) -> fx.Node:
        return self._item(self._vectors[gated.group], gated.name, f"{gated.group}_{identifier(gated.name)}")

    def _item(self, values: fx.Node, item: str | int, name: str) -> fx.Node:
        return self._fx.create_node("call_function", operator.getitem, (values, item), name=name)

    def _has_resolution(self, part: Part) -> bool:
        """Whether the part runs at each resolution: sums and masks alone are the same on whole maps, pixel by pixel."""
        types = [self._graph.by_name[name].shape for node in part.nodes for name in (node.name, *node.inputs)]
        sized = any(isinstance(size, Ref) for type in types for size in type.sizes)
        return sized and not all(map(self._is_pixelwise_sum, part.nodes))

    def _is_pixelwise_sum(self, node: Node) -> bool:
        """Whether it adds maps of one size. A shortcut whose ends differ in size adds them only where they do not."""
        sizes = {type.sizes for name in node.inputs if (type := self._graph.by_name[name].shape).rank}
        return OPS[node.op].contract in _PIXELWISE and len(sizes) == 1

    def _grid(self, value: str) -> Grid | None:
        """A map's sizes by the image's size; None for a value whose size does not depend on it."""
        type = self._graph.by_name[value].shape
        if self._size is None or not any(isinstance(size, Ref) for size in type.sizes):
            return None
        joint = self._distributions.joint((self._size, *type.sizes))
        found = {size: tuple(map(int, sizes)) for (size, *sizes), _ in joint}
        return Grid([found[size] for size in self._distributions.support(self._size)])
