"""The masked graph to a torch.fx GraphModule, node by node; nothing is traced."""

import inspect
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from nasir.cost.model import CostModel, tensors
from nasir.ir.distributions import Distributions
from nasir.ir.graph import Graph, Node, Type
from nasir.ir.ops import OPS, Call, Tensors, resolve_argument
from nasir.ir.values import Ref, Scalar, Value, key
from nasir.passes.base import run
from nasir.passes.pipeline import CHECKED, SUPERNET
from nasir.supernets import layers
from nasir.supernets.gates import Gates
from nasir.supernets.module import Supernet, SupernetOutput
from nasir.supernets.sizes import ONE_SLOT, Sizes

_TAKEN = frozenset(("gates", "sizes", "space", "modules_by_node", "training", "meta", "shape_env"))
_OPERATORS: Mapping[str, Callable[..., Any]] = {"+": operator.add, "*": operator.mul}
_SEARCH_MODULES: Mapping[str, type[nn.Module]] = {
    "BatchNorm2d": layers.SearchBatchNorm,
    "BatchNorm1d": layers.SearchBatchNorm,
}


def build(graph: Graph) -> Supernet:
    """The supernet of a checked space, in float32 on the CPU; weights from torch's current seed."""
    return _Lowering(run(graph, SUPERNET, CHECKED), graph).build()


class _Lowering:
    def __init__(self, masked: Graph, space: Graph) -> None:
        self._graph = masked
        self._space = space
        self._costs = CostModel(space)
        self._distributions = self._costs.distributions
        self._root = nn.Module()
        self._fx = fx.Graph()
        self._values: dict[str, fx.Node] = {}
        self._modules: dict[str, str] = {}
        self._masks: dict[str, list[int]] = {}
        self._weights: dict[str, list[int]] = {}
        self._kernels = {operand for node in masked.nodes if mixes_kernels(masked, node) for operand in node.inputs}

    def build(self) -> Supernet:
        images, choices, noise = (
            self._fx.placeholder(name, default_value=cast(Any, default))
            for name, default in (("images", inspect.Parameter.empty), ("choices", None), ("noise", None))
        )
        gates = self._fx.call_module("gates", (choices, noise))
        sizes = self._fx.call_module("sizes", (gates,))
        self._mask_values, self._weight_values, costs = (
            self._fx.create_node("call_function", getattr, (sizes, part), name=part)
            for part in ("masks", "weights", "costs")
        )
        for node in self._graph.nodes:
            if node.name in self._kernels:
                self._add_module(node, OPS[node.op].call(tensors(self._graph, node.name)))
                continue
            value = images if node.op == "image" else self._lower(node)
            if node.span is not None:
                value.meta["stack_trace"] = _source_line(node)
            self._values[node.name] = value
        output = self._fx.call_function(SupernetOutput, (self._values[self._graph.output], costs))
        self._fx.output(output)
        self._root.add_module("gates", Gates(self._space.decisions))
        self._root.add_module("sizes", self._sizes())
        self._fx.lint()
        return Supernet(self._root, self._fx, self._space, self._modules)

    def _sizes(self) -> Sizes:
        slots = {name: self._distributions.circuit.add(cost) for name, cost in self._costs.expected().items()}
        return Sizes(self._distributions.circuit, self._masks, self._weights, slots)

    def _lower(self, node: Node) -> fx.Node:
        it = tensors(self._graph, node.name)
        match node.op:
            case "mask":
                return self._call(node, layers.masked, (self._operand(node, "x"), self._mask(it)))
            case "mix" if node.inputs[0] in self._kernels:
                return self._mixed_kernels(node, it)
            case "mix":
                return self._call(node, layers.mixture, self._mixture_arguments(it))
            case "shortcut":
                equal = self._weight(node.name, [self._distributions.probability(it["equal"], bool)])
                return self._call(node, layers.residual, (self._operand(node, "x"), self._operand(node, "y"), equal))
            case _:
                return self._torch_call(node, it, OPS[node.op].call(it))

    def _operand(self, node: Node, label: str) -> fx.Node:
        return self._values[dict(node.operands)[label]]

    def _call(self, node: Node, function: Callable[..., Tensor], arguments: tuple[Any, ...]) -> fx.Node:
        return self._fx.create_node("call_function", function, arguments, name=identifier(node.name))

    def _torch_call(self, node: Node, it: Tensors, call: Call) -> fx.Node:
        operands = [self._values[name] for name in node.inputs]
        arguments: dict[str, Any] = {a.name: resolve_argument(a, it, self._largest) for a in call.arguments}
        match call.kind:
            case "module":
                x = self._fx.call_function(torch.flatten, (operands[0], 1)) if call.flatten else operands[0]
                return self._module(node, call, x)
            case "sequence":
                function = getattr(torch, call.target)
                return self._fx.create_node("call_function", function, (operands,), arguments, identifier(node.name))
            case "operator":
                return self._call(node, _OPERATORS[call.target], tuple(operands))
            case _:
                function = getattr(F, call.target)
                return self._fx.create_node(
                    "call_function", function, tuple(operands), arguments, identifier(node.name)
                )

    def _mixed_kernels(self, node: Node, it: Tensors) -> fx.Node:
        """A set of kernels as one convolution with the gated sum of the padded kernels."""
        weights, _, _ = self._mixture_arguments(it)
        first = self._graph.by_name[node.inputs[0]]
        owners = [self._modules[name] for name in node.inputs]
        kernels = [self._fx.get_attr(f"{owner}.weight") for owner in owners]
        biases = [self._fx.get_attr(f"{owner}.bias") for owner in owners] if first["bias"] else []
        depthwise = first.op == "dwconv"
        groups = self._channels(it.out) if depthwise else first["groups"]
        arguments = (self._values[first.inputs[0]], weights, kernels, biases, first["stride"], groups)
        return self._call(node, layers.mixed_convolution, arguments)

    def _channels(self, type: Type) -> int:
        return sum(self._distributions.largest(segment) for segment in type.channels)

    def _module(self, node: Node, call: Call, x: fx.Node) -> fx.Node:
        name = self._add_module(node, call)
        return self._fx.create_node("call_module", name, (x,), name=name)

    def _add_module(self, node: Node, call: Call) -> str:
        it = tensors(self._graph, node.name)
        arguments = {a.name: resolve_argument(a, it, self._largest) for a in call.arguments}
        name, count = identifier(node.name), 1
        while name in self._modules.values() or hasattr(Supernet, name) or name in _TAKEN:
            count += 1
            name = f"{identifier(node.name)}_{count}"
        self._modules[node.name] = name
        module = _SEARCH_MODULES.get(call.target) or getattr(nn, call.target)
        self._root.add_module(name, module(**arguments))
        return name

    def _largest(self, value: Value) -> Scalar:
        return self._distributions.support(value)[-1] if isinstance(value, Ref) else value

    def _mask(self, it: Tensors) -> fx.Node:
        layout = it.out.channels
        name = " + ".join(v.name if isinstance(v, Ref) else str(v) for v in layout)
        if name not in self._masks:
            self._masks[name] = [slot for segment in layout for slot in survival(self._distributions, segment)]
        return self._item(self._mask_values, name, f"mask_{identifier(name)}")

    def _item(self, values: fx.Node, item: str | int, name: str) -> fx.Node:
        return self._fx.create_node("call_function", operator.getitem, (values, item), name=name)

    def _mixture_arguments(self, it: Tensors) -> tuple[Any, ...]:
        selector = it["selector"]
        options = {key(option): option for option in self._distributions.support(selector)}
        # Convolutions that mix as one have no value of their own.
        operands = [(label, self._values.get(name)) for label, name in it.node.operands if label in options]
        slots = [self._distributions.probability(selector, _equals(options[label])) for label, _ in operands]
        return self._weight(it.node.name, slots), [value for _, value in operands], self._channels(it.out)

    def _weight(self, name: str, slots: list[int]) -> fx.Node:
        self._weights[name] = slots
        return self._item(self._weight_values, name, f"weight_{identifier(name)}")


def mixes_kernels(graph: Graph, node: Node) -> bool:
    """Whether a mixture is of convolutions of one value that differ in the kernel alone: they mix as one.

    Convolution is linear in its weights, and a kernel padded with zeros by half the difference is the same kernel.
    """
    operands = [graph.by_name[name] for name in node.inputs] if node.op == "mix" else []
    if not operands or any(o.op not in {"conv", "dwconv"} or graph.users[o.name] != (node,) for o in operands):
        return False
    same = {(o.op, o.inputs, tuple(a for a in o.attributes if a[0] != "kernel")) for o in operands}
    return len(same) == 1


def _equals(option: Scalar) -> Callable[[Scalar], bool]:
    return lambda value: value == option


def survival(distributions: Distributions, segment: Value) -> Sequence[int]:
    """The mask of a channel segment as slots: entry j holds P(d > j), one slot for each run of equal entries."""
    support = [int(v) for v in distributions.support(segment)]
    slots = [ONE_SLOT] * support[0]
    for below, size in pairwise(support):
        at_least = distributions.probability(segment, lambda value, size=size: int(value) >= size)
        slots += [at_least] * (size - below)
    return slots


def identifier(name: str) -> str:
    """A node's name as a Python identifier."""
    plain = re.sub(r"\W+", "_", name)
    return f"_{plain}" if plain[0].isdigit() else plain


def _source_line(node: Node) -> str:
    assert node.span is not None
    line = node.span.source.line(node.span.line).strip()
    return f'File "{node.span.source.name}", line {node.span.line}, in {node.name}\n    {line}'
