"""One part of the network to a GraphModule: maps in, then the masks and weights it needs; maps out."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from nasir.cost.model import tensors
from nasir.ir.distributions import Distributions
from nasir.ir.graph import ALTERNATIVE, Graph, Node, Type
from nasir.ir.mixtures import mixes_activations, mixes_kernels
from nasir.ir.ops import GATES, OPS, Call, Tensors, resolve_argument
from nasir.ir.pending import maps
from nasir.ir.regions import Part
from nasir.ir.values import Ref, Scalar, Value, key
from nasir.supernets import layers
from nasir.supernets.naming import free_name, identifier
from nasir.supernets.sizes import Mask, Segment
from nasir.supernets.written import Written

_OPERATORS: Mapping[str, Callable[..., Any]] = {"+": operator.add, "*": operator.mul}
_SEARCH_MODULES: Mapping[str, type[nn.Module]] = {
    "BatchNorm2d": layers.SearchBatchNorm,
    "BatchNorm1d": layers.SearchBatchNorm,
    "Conv2d": layers.SearchConv2d,
    "Linear": layers.SearchLinear,
}


@dataclass(frozen=True)
class Gated:
    """A vector that follows from the gates: of `group`, `masks` or `weights`, the one of this name."""

    group: str
    name: str


@dataclass
class Lowered:
    """What the parts of one supernet share: the graph, and what each of them adds.

    `modules` holds the path of each node's torch module; `masks` each mask and `weights` the slots of each vector by
    its name;
    `gates` the slot of each gate that is a node.
    """

    graph: Graph
    distributions: Distributions
    modules: dict[str, str] = field(default_factory=dict[str, str])
    masks: dict[str, Mask] = field(default_factory=dict[str, Mask])
    gates: dict[str, int] = field(default_factory=dict[str, int])
    weights: dict[str, list[int]] = field(default_factory=dict[str, list[int]])

    def mask(self, layout: Sequence[Value]) -> Gated:
        """The mask of a channel layout."""
        name = " + ".join(v.name if isinstance(v, Ref) else str(v) for v in layout)
        if name not in self.masks:
            self.masks[name] = Mask(tuple(self._segment(value) for value in layout))
        return Gated("masks", name)

    def _segment(self, value: Value) -> Segment:
        support = self.distributions.support(value)
        slots = self.distributions.each_probability(value) if len(support) > 1 else ()
        return Segment(tuple(map(int, support)), slots)

    def gate(self, node: Node) -> None:
        """A node that is a gate."""
        factors = [self.gates[name] for name in node.inputs]
        match node.op:
            case "gate":
                self.gates[node.name] = self.distributions.probability(
                    node["selector"], _equals(_scalar(node["option"]))
                )
            case "gate_product":
                self.gates[node.name] = self.distributions.circuit.total([tuple(factors)])
            case _:
                self.gates[node.name] = self.distributions.circuit.total((slot,) for slot in factors)

    def scale(self, norm: Node) -> Gated | None:
        """What a batch norm's affine weight and bias are multiplied by: its mask, its gate, or both."""
        gate = dict(norm.operands).get("gate")
        if gate is None:
            return self.mask(norm.shape.channels) if norm.has("clears_output") else None
        cleared = norm.has("clears_output")
        segments = self.masks[self.mask(norm.shape.channels).name].segments if cleared else (Segment((1,), ()),)
        self.masks[norm.name] = Mask(segments, self.gates[gate])
        return Gated("masks", norm.name)

    def probabilities(self, name: str, value: Value, options: Sequence[Scalar] | None = None) -> Gated:
        """P(value = option) of the options, or of all that it can have, under a node's name."""
        wanted = self.distributions.support(value) if options is None else options
        self.weights[name] = [self.distributions.probability(value, _equals(option)) for option in wanted]
        return Gated("weights", name)


class RegionLowering:
    """Lowers the nodes of one part."""

    def __init__(self, lowered: Lowered, part: Part, path: str) -> None:
        self._lowered = lowered
        self._graph = lowered.graph
        self._distributions = lowered.distributions
        self._part = part
        self._path = path
        self._root = nn.Module()
        self._fx = fx.Graph()
        self._values: dict[str, fx.Node] = {}
        self._vectors: dict[Gated, fx.Node] = {}
        self._own_modules: dict[str, str] = {}
        own = {node.name for node in part.nodes}
        mixed = [node for node in part.nodes if own.issuperset(node.inputs)]
        self._kernels = {name for node in mixed if mixes_kernels(self._graph, node) for name in node.inputs}
        self._activations = {name for node in mixed if mixes_activations(self._graph, node) for name in node.inputs}
        self.arguments: list[str | Gated] = []

    def build(self) -> tuple[fx.GraphModule, list[str]]:
        """The module, and the names of the values it returns: one is a tensor, several are a tuple.

        `arguments` are then what it takes: values of other parts by name, and what follows from the gates.
        """
        own = {node.name for node in self._part.nodes}
        for name in dict.fromkeys(name for node in self._part.nodes for name in maps(self._graph, node)):
            if name in own:
                continue
            self._values[name] = self._argument(name, identifier(name))
        for node in self._part.nodes:
            if node.op in GATES:
                self._lowered.gate(node)
                continue
            if node.name in self._activations:
                continue
            if node.name in self._kernels:
                self._add_module(node, OPS[node.op].call(tensors(self._graph, node.name)))
                continue
            value = self._lower(node)
            if node.span is not None:
                value.meta["stack_trace"] = _source_line(node)
            self._values[node.name] = value
        outputs = [name for name in self._values if name in own and self._leaves(name, own)]
        results = [self._values[name] for name in outputs]
        self._fx.output(tuple(results) if len(results) > 1 else results[0])
        self._fx.lint()
        return Written(self._root, self._fx, self._part.block.partition(" ")[0]), outputs

    def _leaves(self, name: str, own: set[str]) -> bool:
        return name == self._graph.output or any(user.name not in own for user in self._graph.users[name])

    def _argument(self, source: str | Gated, name: str) -> fx.Node:
        """A parameter of the module; parameters come before all else in a graph."""
        self.arguments.append(source)
        last = next((node for node in reversed(self._fx.nodes) if node.op == "placeholder"), None)
        if last is None:
            return self._fx.placeholder(name)
        with self._fx.inserting_after(last):
            return self._fx.placeholder(name)

    def _vector(self, gated: Gated) -> fx.Node:
        if gated not in self._vectors:
            name = f"{gated.group.removesuffix('s')}_{identifier(self._local(gated.name))}"
            self._vectors[gated] = self._argument(gated, name)
        return self._vectors[gated]

    def _local(self, name: str) -> str:
        """A name without the part's own."""
        part = self._part.name
        return (
            name[len(part) :].strip(f".{ALTERNATIVE}")
            if name.startswith((f"{part}.", f"{part}{ALTERNATIVE}"))
            else name
        )

    def _name(self, node: Node) -> str:
        return identifier(self._local(node.name)) if node.name != self._part.name else node.op

    def _lower(self, node: Node) -> fx.Node:
        it = tensors(self._graph, node.name)
        match node.op:
            case "mask":
                mask = self._vector(self._lowered.mask(it.out.channels))
                return self._call(node, layers.masked, (self._operand(node, "x"), mask))
            case "mix" if node.inputs[0] in self._kernels:
                return self._mixed_kernels(node, it)
            case "mix" if node.inputs[0] in self._activations:
                weights, operands = self._mixed(node)
                ops = [self._graph.by_name[name] for name in operands]
                functions = tuple(OPS[op.op].call(tensors(self._graph, op.name)).target for op in ops)
                return self._call(node, layers.mixed_activation, (self._values[ops[0].inputs[0]], weights, functions))
            case "mix":
                weights, operands = self._mixed(node)
                maps = [self._values[name] for name in operands]
                return self._call(node, layers.mixture, (weights, maps, self._channels(it.out)))
            case "shortcut":
                equal = self._vector(self._lowered.probabilities(node.name, it["equal"], (True,)))
                return self._call(node, layers.residual, (self._operand(node, "x"), self._operand(node, "y"), equal))
            case "sum":
                return self._sum(node, it)
            case "blend":
                return self._call(node, layers.blend, (self._operand(node, "x"), self._gates(node)))
            case _:
                return self._torch_call(node, it, OPS[node.op].call(it))

    def _sum(self, node: Node, it: Tensors) -> fx.Node:
        operands = dict(node.operands)
        labels = [label for label in operands if not label.endswith(".gate")]
        gated = [i for i, label in enumerate(labels) if f"{label}.gate" in operands]
        terms = [self._values[operands[label]] for label in labels]
        if not gated:
            return self._call(node, layers.total, (terms, self._channels(it.out)))
        return self._call(node, layers.total, (terms, self._channels(it.out), self._gates(node), gated))

    def _gates(self, node: Node) -> fx.Node:
        """The vector of the gates among a node's operands."""
        names = [name for name in node.inputs if self._graph.by_name[name].op in GATES]
        self._lowered.weights[node.name] = [self._lowered.gates[name] for name in names]
        return self._vector(Gated("weights", node.name))

    def _operand(self, node: Node, label: str) -> fx.Node:
        return self._values[dict(node.operands)[label]]

    def _call(
        self,
        node: Node,
        function: Callable[..., Tensor],
        arguments: tuple[Any, ...],
        named: dict[str, Any] | None = None,
    ) -> fx.Node:
        return self._fx.create_node("call_function", function, arguments, named or {}, self._name(node))

    def _torch_call(self, node: Node, it: Tensors, call: Call) -> fx.Node:
        operands = [self._values[name] for name in maps(self._graph, node)]
        arguments: dict[str, Any] = {a.name: resolve_argument(a, it, self._largest) for a in call.arguments}
        match call.kind:
            case "module":
                x = self._fx.call_function(torch.flatten, (operands[0], 1)) if call.flatten else operands[0]
                name = self._add_module(node, call)
                scale = self._scale(node, it)
                return self._fx.create_node("call_module", name, (x, scale) if scale else (x,), name=name)
            case "sequence":
                return self._call(node, getattr(torch, call.target), (operands,), arguments)
            case "operator":
                return self._call(node, _OPERATORS[call.target], tuple(operands))
            case _:
                return self._call(node, getattr(F, call.target), tuple(operands), arguments)

    def _scale(self, node: Node, it: Tensors) -> fx.Node | None:
        """What scales a module's weights: its own output's mask and gate, or its input's mask."""
        if node.has("clears_input"):
            return self._vector(self._lowered.mask(it.x.channels))
        scale = self._lowered.scale(node)
        return None if scale is None else self._vector(scale)

    def _add_module(self, node: Node, call: Call) -> str:
        it = tensors(self._graph, node.name)
        arguments = {a.name: resolve_argument(a, it, self._largest) for a in call.arguments}
        name = free_name(self._name(node), self._own_modules.values(), fx.GraphModule)
        self._own_modules[node.name] = name
        self._lowered.modules[node.name] = f"{self._path}.{name}"
        module = _SEARCH_MODULES.get(call.target) or getattr(nn, call.target)
        self._root.add_module(name, module(**arguments))
        return name

    def _mixed_kernels(self, node: Node, it: Tensors) -> fx.Node:
        """A set of kernels as one convolution with the gated sum of the padded kernels."""
        weights, operands = self._mixed(node)
        owners = [self._own_modules[name] for name in operands]
        first = self._graph.by_name[node.inputs[0]]
        kernels = [self._fx.get_attr(f"{owner}.weight") for owner in owners]
        biases = [self._fx.get_attr(f"{owner}.bias") for owner in owners] if first["bias"] else []
        groups = self._channels(it.out) if first.op == "dwconv" else first["groups"]
        mask = self._scale(first, tensors(self._graph, first.name))
        arguments = (self._values[first.inputs[0]], weights, kernels, biases, first["stride"], groups, mask)
        return self._call(node, layers.mixed_convolution, arguments)

    def _mixed(self, node: Node) -> tuple[fx.Node, list[str]]:
        """A mixture's weights and the operands they are of."""
        options = {key(option): option for option in self._distributions.support(node["selector"])}
        labels = [label for label, _ in node.operands if label in options]
        gated = self._lowered.probabilities(node.name, node["selector"], [options[label] for label in labels])
        return self._vector(gated), [dict(node.operands)[label] for label in labels]

    def _channels(self, type: Type) -> int:
        return sum(self._distributions.largest(segment) for segment in type.channels)

    def _largest(self, value: Value) -> Scalar:
        return self._distributions.support(value)[-1] if isinstance(value, Ref) else value


def _scalar(value: Value) -> Scalar:
    assert not isinstance(value, Ref), "an option is a constant"
    return value


def _equals(option: Scalar) -> Callable[[Scalar], bool]:
    return lambda value: value == option


def _source_line(node: Node) -> str:
    assert node.span is not None
    line = node.span.source.line(node.span.line).strip()
    return f'File "{node.span.source.name}", line {node.span.line}, in {node.name}\n    {line}'
