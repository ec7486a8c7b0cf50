"""One part of the network to a GraphModule: maps in, then the masks and weights it needs; maps out."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pkgutil import resolve_name
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx, nn

from nasir.ir.distributions import Distributions
from nasir.ir.gates import Gate
from nasir.ir.graph import Graph, Node, Type
from nasir.ir.mixtures import mixes_activations, mixes_kernels, selects
from nasir.ir.ops import OPS, Call, Channels, Contract, Tensors, tensors, torch_argument
from nasir.ir.ops.base import (
    Chances,
    GatedOperands,
    Labels,
    Operand,
    OperandGates,
    Operands,
    Options,
    SoftArgument,
)
from nasir.ir.ops.base import Mask as MaskOf
from nasir.ir.path import Path, fresh
from nasir.ir.pending import is_cut
from nasir.ir.regions import Part
from nasir.ir.values import Ref, Scalar, Value, key
from nasir.supernets import layers
from nasir.supernets.naming import free_name, identifier
from nasir.supernets.sizes import Mask, Segment
from nasir.supernets.written import Written

_OPERATORS: Mapping[str, Callable[..., Any]] = {"+": operator.add, "-": operator.sub, "*": operator.mul}


@dataclass(frozen=True)
class Gated:
    """A vector that follows from the gates: of `group`, `masks` or `weights`, the one of this name."""

    group: str
    name: str


@dataclass
class Lowered:
    """What the parts of one supernet share: the graph, and what each of them adds.

    `modules` holds the path of each node's torch module; `masks` each mask and `weights` the slots of each vector by
    its name, `gates` those of each node's gates.
    """

    graph: Graph
    distributions: Distributions
    modules: dict[str, str] = field(default_factory=dict[str, str])
    masks: dict[str, Mask] = field(default_factory=dict[str, Mask])
    weights: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    gates: dict[str, list[int]] = field(default_factory=dict[str, list[int]])

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

    def add_gates(self, node: Node) -> None:
        """The slots of a node's gates; sums over the circuit's slots are in their order, so these come first."""
        self.gates[node.name] = [self._gate(gate) for _, gate in node.gates]

    def _gate(self, gate: Gate) -> int:
        """The slot of a gate's value."""
        circuit = self.distributions.circuit
        products: list[int] = []
        for product in gate:
            factors = tuple(self.distributions.probability(ref, _equals(option)) for ref, option in product)
            products.append(factors[0] if len(factors) == 1 else circuit.total([factors]))
        return products[0] if len(products) == 1 else circuit.total((slot,) for slot in products)

    def scale(self, norm: Node) -> Gated | None:
        """What a batch norm's affine weight and bias are multiplied by: its mask, its gate, or both."""
        cleared = norm.clears == "out"
        if not norm.gates:
            return self.mask(norm.shape.channels) if cleared else None
        segments = self.masks[self.mask(norm.shape.channels).name].segments if cleared else (Segment((1,), ()),)
        self.masks[norm.name] = Mask(segments, self.gates[norm.name][0])
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
        self._taken: set[str] = set()
        """The names of its modules."""
        own = {node.name for node in part.nodes}
        mixed = [node for node in part.nodes if own.issuperset(node.inputs)]
        self._kernels = {name for node in mixed if mixes_kernels(self._graph, node) for name in node.inputs}
        self._activations = {name for node in mixed if mixes_activations(self._graph, node) for name in node.inputs}
        self.arguments: list[str | Gated] = []
        self._argument_names: set[str] = set()
        self._last: fx.Node | None = None
        """The last of the module's parameters."""

    def build(self) -> tuple[fx.GraphModule, list[str]]:
        """The module, and the names of the values it returns: one is a tensor, several are a tuple.

        `arguments` are then what it takes: values of other parts by name, and what follows from the gates.
        """
        own = {node.name for node in self._part.nodes}
        for name in dict.fromkeys(name for node in self._part.nodes for name in node.inputs):
            if name in own:
                continue
            self._values[name] = self._argument(name, identifier(name))
        for node in self._part.nodes:
            self._lowered.add_gates(node)
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
        name = fresh(name, self._argument_names)
        self._argument_names.add(name)
        if self._last is None:
            self._last = self._fx.placeholder(name)
        else:
            with self._fx.inserting_after(self._last):
                self._last = self._fx.placeholder(name)
        return self._last

    def _vector(self, gated: Gated) -> fx.Node:
        if gated not in self._vectors:
            name = f"{gated.group.removesuffix('s')}_{identifier(self._local(gated.name))}"
            self._vectors[gated] = self._argument(gated, name)
        return self._vectors[gated]

    def _local(self, name: str) -> str:
        """A name without the part's own."""
        return Path(name).within(self._part.name)

    def _name(self, node: Node) -> str:
        return identifier(self._local(node.name)) if node.name != self._part.name else node.op

    def _lower(self, node: Node) -> fx.Node:
        it = tensors(self._graph, node.name)
        if node.inputs[0] in self._kernels:
            return self._mixed_kernels(node, it)
        if node.inputs[0] in self._activations:
            return self._mixed_activations(node)
        soft = OPS[node.op].soft_call(it)
        if soft is None:
            return self._torch_call(node, it, OPS[node.op].call(it))
        arguments = tuple(self._soft(argument, node, it) for argument in soft.arguments)
        return self._call(node, resolve_name(soft.function), arguments)

    def _soft(self, argument: SoftArgument, node: Node, it: Tensors) -> Any:
        """What an argument of a supernet's call stands for."""
        operands = dict(node.operands)
        match argument:
            case Operand(label):
                return self._values[operands[label]]
            case Operands():
                return [self._values[operands[label]] for label in self._labels(node)]
            case Channels(of):
                return self._channels(it.out if of == "out" else it.operands[of])
            case MaskOf(of):
                return self._mask(it.out if of == "out" else it.operands[of])
            case Chances(attribute, options):
                wanted = self._options(node, attribute) if options is None else options
                return self._vector(self._lowered.probabilities(node.name, node[attribute], wanted))
            case OperandGates():
                if not node.gates:
                    return None
                self._lowered.weights[node.name] = self._lowered.gates[node.name]
                return self._vector(Gated("weights", node.name))
            case Labels():
                return list(operands)
            case Options(attribute):
                return self._options(node, attribute)
            case GatedOperands():
                return [list(operands).index(label) for label, _ in node.gates]

    def _labels(self, node: Node) -> list[str]:
        """The labels of the operands that count: of a mixture those that its selector can name."""
        if not selects(OPS[node.op]):
            return [label for label, _ in node.operands]
        options = {key(option) for option in self._distributions.support(node["selector"])}
        return [label for label, _ in node.operands if label in options]

    def _options(self, node: Node, attribute: str) -> list[Scalar]:
        """The options of an attribute that the operands are named by, in the operands' order."""
        options = {key(option): option for option in self._distributions.support(node[attribute])}
        return [options[label] for label in self._labels(node)] if selects(OPS[node.op]) else [*options.values()]

    def _mask(self, type: Type) -> fx.Node | None:
        return self._vector(self._lowered.mask(type.channels)) if is_cut(type) else None

    def _call(
        self,
        node: Node,
        function: Callable[..., object],
        arguments: tuple[Any, ...],
        named: dict[str, Any] | None = None,
    ) -> fx.Node:
        return self._fx.create_node("call_function", function, arguments, named or {}, self._name(node))

    def _torch_call(self, node: Node, it: Tensors, call: Call) -> fx.Node:
        operands = [self._values[name] for name in node.inputs]
        if call.pad:
            operands[0] = self._fx.call_function(F.pad, (operands[0], call.pad), {"value": call.filler})
        arguments: dict[str, Any] = {a.name: torch_argument(a, it, self._largest) for a in call.arguments}
        if call.like:
            arguments["size"] = self._fx.call_function(layers.map_size, (operands.pop(),))
        match call.kind:
            case "module" | "helper":
                return self._call_module(node, it, call, operands[0])
            case "padded":
                return operands[0]
            case "factor":
                return self._call(node, operator.mul, (operands[0], arguments["factor"]))
            case "sequence":
                return self._call(node, getattr(torch, call.target), (operands,), arguments)
            case "torch":
                return self._call(node, getattr(torch, call.target), tuple(operands), arguments)
            case "operator":
                if len(operands) > 2:
                    return self._call(node, layers.added, (operands,))
                return self._call(node, _OPERATORS[call.target], tuple(operands))
            case "item":
                return self._call(node, operator.getitem, (operands[0], int(call.target)))
            case _:
                return self._call(node, getattr(F, call.target), tuple(operands), arguments)

    def _call_module(self, node: Node, it: Tensors, call: Call, x: fx.Node) -> fx.Node:
        name = self._add_module(node, call)
        if call.flatten:
            x = self._fx.call_function(torch.flatten, (x, 1))
        moves = call.channels_last and not call.search
        if moves:
            x = self._fx.call_function(torch.movedim, (x, 1, -1))
        scale = self._scale(node, it)
        found = self._fx.create_node("call_module", name, (x, scale) if scale else (x,), name=name)
        return self._fx.call_function(torch.movedim, (found, -1, 1)) if moves else found

    def _scale(self, node: Node, it: Tensors) -> fx.Node | None:
        """What a module takes beside its input: the mask of the input, or the mask and gate of its output."""
        if node.clears == "x" or OPS[node.op].contract is Contract.STATISTICS:
            return self._mask(it.x)
        scale = self._lowered.scale(node)
        return None if scale is None else self._vector(scale)

    def _add_module(self, node: Node, call: Call) -> str:
        it = tensors(self._graph, node.name)
        arguments = {a.name: torch_argument(a, it, self._largest) for a in call.arguments}
        name = free_name(self._name(node), self._taken, fx.GraphModule)
        self._taken.add(name)
        self._own_modules[node.name] = name
        self._lowered.modules[node.name] = f"{self._path}.{name}"
        known = call.search or (call.target if call.kind == "helper" else "")
        module = resolve_name(known) if known else getattr(nn, call.target)
        self._root.add_module(name, module(**arguments))
        return name

    def _mixed_kernels(self, node: Node, it: Tensors) -> fx.Node:
        """A set of kernels as one convolution with the gated sum of the padded kernels."""
        weights, operands = self._mixed(node)
        owners = [self._own_modules[name] for name in operands]
        first = tensors(self._graph, node.inputs[0])
        kernels = [self._fx.get_attr(f"{owner}.weight") for owner in owners]
        biases = [self._fx.get_attr(f"{owner}.bias") for owner in owners] if first["bias"] else []
        call = {a.name: torch_argument(a, first, self._largest) for a in OPS[first.node.op].call(first).arguments}
        mask = self._scale(first.node, first)
        x = self._values[first.node.inputs[0]]
        arguments = (x, weights, kernels, biases, call["stride"], call["dilation"], call["groups"], mask)
        return self._call(node, layers.mixed_convolution, arguments)

    def _mixed_activations(self, node: Node) -> fx.Node:
        """A set of activations as one call, which keeps their input alone."""
        weights, operands = self._mixed(node)
        ops = [tensors(self._graph, name) for name in operands]
        functions = tuple(OPS[it.node.op].call(it).target for it in ops)
        arguments = (self._values[ops[0].node.inputs[0]], weights, functions)
        return self._call(node, layers.mixed_activation, arguments)

    def _mixed(self, node: Node) -> tuple[fx.Node, list[str]]:
        """A mixture's weights and the operands they are of."""
        gated = self._lowered.probabilities(node.name, node["selector"], self._options(node, "selector"))
        return self._vector(gated), [dict(node.operands)[label] for label in self._labels(node)]

    def _channels(self, type: Type) -> int:
        return sum(self._distributions.largest(segment) for segment in type.channels)

    def _largest(self, value: Value) -> Scalar:
        return self._distributions.support(value)[-1] if isinstance(value, Ref) else value


def _equals(option: Scalar) -> Callable[[Scalar], bool]:
    return lambda value: value == option


def _source_line(node: Node) -> str:
    assert node.span is not None
    line = node.span.source.line(node.span.line).strip()
    return f'File "{node.span.source.name}", line {node.span.line}, in {node.name}\n    {line}'
