"""The classes of an emitted file: regions that differ in numbers or activations alone share one."""

import keyword
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nasir.ir.graph import Graph, Node, Region
from nasir.ir.naming import module_paths, safe
from nasir.ir.ops import OPS, Argument, Attribute, Call, Channels, resolve_argument, tensors
from nasir.ir.path import Path
from nasir.ir.regions import enclosing, inside
from nasir.ir.values import Ref, Scalar, Value

Hole = Scalar
"""What may differ between two instances of a class: a number, or the name of an activation."""

_IN_CHANNELS = "in_channels"
_NAMES = {"x.channels": _IN_CHANNELS}


@dataclass(frozen=True)
class Filled:
    """An argument of a torch call: the hole its value is in, before it is halved for a padding."""

    argument: Argument
    hole: int


@dataclass(frozen=True)
class Step:
    """One line of a class's forward: a node, a child module, or a child sequence. Operands are values' numbers."""

    attribute: str
    label: str
    operands: tuple[int, ...]
    result: int
    call: Call | None = None
    arguments: tuple[Filled, ...] = ()
    activation: int | None = None
    children: tuple["Child", ...] = ()
    is_sequence: bool = False

    @property
    def kept(self) -> tuple[int, ...]:
        """The holes that its forward reads: where they are parameters of the class, it keeps them as attributes."""
        if self.activation is not None:
            return (self.activation,)
        if self.call is None or self.call.kind == "module":
            return ()
        return tuple(filled.hole for filled in self.arguments)


@dataclass(frozen=True)
class Child:
    """A child module: the number of its class (None: an identity) and the holes that fill its parameters."""

    definition: int | None
    holes: tuple[int, ...] = ()


@dataclass
class Instance:
    """One region's use of a class. `names` are the program's names for holes, where it has any."""

    region: Region | None
    inputs: int
    steps: tuple[Step, ...]
    output: int
    holes: list[Hole]
    names: list[str | None]
    values: Mapping[str, Value]


@dataclass
class ClassDefinition:
    """A class: its name, an instance to read its steps from, and what each hole is: a parameter or a constant."""

    name: str
    block: str
    example: Instance
    parameters: dict[str, int] = field(default_factory=dict[str, int])
    fillings: list[str | Hole] = field(default_factory=list["str | Hole"])


class Named(str):
    """The name of a parameter, as against a constant string (an activation's name)."""


def classes_of(graph: Graph) -> list[ClassDefinition]:
    """The classes of a concrete graph in call order; the last is the network itself."""
    return _Structure(graph).build()


class _Structure:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._paths = module_paths(graph)
        self._inner: dict[str, list[Node]] = {}
        for node in graph.nodes:
            for scope in Path(node.name).scopes:
                self._inner.setdefault(scope, []).append(node)
        self._classes: list[ClassDefinition] = []
        self._class_of: dict[str, tuple[int, Instance]] = {}
        self._taken = {"Tensor", "F", "nn", "torch"}

    def build(self) -> list[ClassDefinition]:
        network = self._free(_camel(self._graph.name))
        blocks = [region for region in self._graph.regions if region.kind != "stages"]
        heights = self._heights()
        for height in sorted({heights[region.path] for region in blocks}):
            # Innermost first: a class knows its children's parameters. Alike regions nest alike.
            self._make_classes([region for region in blocks if heights[region.path] == height])
        self._name_classes()
        root = ClassDefinition(network, self._graph.name, self._instance(None))
        root.fillings = list(root.example.holes)
        return [*self._classes, root]

    def _heights(self) -> Mapping[str, int]:
        """How deep regions nest within each."""
        found = {region.path: 0 for region in self._graph.regions}
        for path in tuple(found):
            for scope in Path(path).scopes:
                if scope in found:
                    found[scope] = max(found[scope], path.count(".") - scope.count("."))
        return found

    def _make_classes(self, regions: Sequence[Region]) -> None:
        groups: dict[object, list[Instance]] = {}
        for region in regions:
            if self._nodes_in(region):
                instance = self._instance(region)
                signature = (region.block, instance.inputs, instance.output, _signature(instance))
                groups.setdefault(signature, []).append(instance)
        for instances in groups.values():
            self._define(instances)

    def _define(self, instances: list[Instance]) -> None:
        """A class for alike instances. What varies among them is a parameter, and so is every number the program
        names: a table of layers then shows its numbers."""
        region = instances[0].region
        assert region is not None, "blocks have regions"
        definition = ClassDefinition("", region.block, instances[0])
        for hole in range(len(instances[0].holes)):
            vector = [instance.holes[hole] for instance in instances]
            varies = not all(_same(value, vector[0]) for value in vector)
            if not varies and not instances[0].names[hole]:
                definition.fillings.append(vector[0])
                continue
            parameter = Named(self._parameter_name(instances, hole, vector, definition))
            definition.parameters.setdefault(parameter, hole)
            definition.fillings.append(parameter)
        self._classes.append(definition)
        for instance in instances:
            assert instance.region is not None, "blocks have regions"
            self._class_of[instance.region.path] = (len(self._classes) - 1, instance)

    def _parameter_name(
        self, instances: list[Instance], hole: int, vector: list[Hole], definition: ClassDefinition
    ) -> str:
        """The program's own name for it, else one that has its values; two names never stand for one thing."""
        own = {name for instance in instances if (name := instance.names[hole]) is not None}
        known = {name: [i.holes[first] for i in instances] for name, first in definition.parameters.items()}
        attributes = {step.attribute for step in instances[0].steps if step.activation is None}
        kept = any(hole in step.kept for step in instances[0].steps)
        candidates = [*(own if len(own) == 1 else ()), *known, *instances[0].values]
        for name in candidates:
            if kept and name in attributes:
                continue  # it becomes an attribute, and a step has that one
            held = known.get(name) or [instance.values.get(name) for instance in instances]
            if held == vector and safe(name) == name:
                return name
        fallback = self._hole_name(instances[0], hole)
        name, count = fallback, 1
        while name in known or (kept and name in attributes):
            count += 1
            name = f"{fallback}_{count}"
        return name

    def _hole_name(self, instance: Instance, hole: int) -> str:
        for step in instance.steps:
            if step.activation == hole:
                return "act"
            for filled in step.arguments:
                if filled.hole == hole:
                    return f"{step.attribute}_{filled.argument.name}"
            for child in step.children:
                if hole in child.holes and child.definition is not None:
                    parameters = list(self._classes[child.definition].parameters)
                    return f"{step.attribute}_{parameters[child.holes.index(hole)]}"
        raise AssertionError("every hole is an argument of a step")

    def _name_classes(self) -> None:
        """The variants of a block are told apart by the parts that not every one of them has."""
        by_block: dict[str, list[ClassDefinition]] = {}
        for definition in self._classes:
            by_block.setdefault(definition.block, []).append(definition)
        for block, variants in by_block.items():
            labels = [dict.fromkeys(s.label for s in v.example.steps if s.label != "x") for v in variants]
            shared = set(labels[0]).intersection(*labels[1:])
            for variant, own in zip(variants, labels, strict=True):
                variant.name = self._free(_camel(block) + "".join(_camel(x) for x in own if x not in shared))

    def _free(self, name: str) -> str:
        free, count = name, 1
        while free in self._taken:
            count += 1
            free = f"{name}{count}"
        self._taken.add(free)
        return free

    # One region's steps

    def _nodes_in(self, region: Region | None) -> list[Node]:
        return list(self._graph.nodes) if region is None else self._inner.get(region.path, [])

    def _instance(self, region: Region | None) -> Instance:
        nodes = self._nodes_in(region)
        inner = {node.name for node in nodes}
        outside = dict.fromkeys(o for node in nodes for o in node.inputs if o not in inner)
        if region is None:
            outside = {nodes[0].name: None}
            nodes = nodes[1:]
        numbers = {name: i for i, name in enumerate(outside)}
        holes = _Holes({0: _IN_CHANNELS})
        steps = tuple(self._part_step(part, numbers, holes) for part in self._parts(region, nodes))
        values = dict(region.values) if region else {}
        output = numbers[self._output(inner)]
        return Instance(region, len(outside), steps, output, holes.values, holes.names, values)

    def _output(self, inner: set[str]) -> str:
        if self._graph.output in inner:
            return self._graph.output
        used = [n for n in inner if any(u.name not in inner for u in self._graph.users[n])]
        assert len(used) == 1, f"a block has one output, not {sorted(used)}"
        return used[0]

    def _parts(self, region: Region | None, nodes: Sequence[Node]) -> list["Node | Region"]:
        """The nodes directly in a region, and in place of deeper ones the regions they are in, in order."""
        parts: dict[str, Node | Region] = {}
        for node in nodes:
            part: Node | Region = node
            owner = enclosing(self._graph, node.name)
            while owner is not None and owner != region:
                part, owner = owner, enclosing(self._graph, owner.path)
            parts.setdefault(part.name if isinstance(part, Node) else part.path, part)
        return list(parts.values())

    def _part_step(self, part: Node | Region, numbers: dict[str, int], holes: "_Holes") -> Step:
        if isinstance(part, Node):
            return self._node_step(part, numbers, holes)
        nodes = self._nodes_in(part)
        inner = {node.name for node in nodes}
        operands = dict.fromkeys(o for node in nodes for o in node.inputs if o not in inner)
        result = numbers.setdefault(self._output(inner), len(numbers))
        attribute = self._paths[part.path].rpartition(".")[2]
        label = inside(self._graph, part.path).partition(".")[0]
        inputs = tuple(numbers[o] for o in operands)
        if part.kind != "stages":
            return Step(attribute, label, inputs, result, children=(self._child(part, holes, inputs[0]),))
        layers = [r for r in self._graph.regions if enclosing(self._graph, r.path) == part]
        children = tuple(self._child(layer, holes, None) for layer in layers)
        return Step(attribute, label, inputs, result, children=children, is_sequence=True)

    def _child(self, region: Region, holes: "_Holes", operand: int | None) -> Child:
        if region.path not in self._class_of:
            return Child(None)
        number, instance = self._class_of[region.path]
        filled: list[int] = []
        for name, hole in self._classes[number].parameters.items():
            known = holes.channels.get(operand) if operand is not None and name == _IN_CHANNELS else None
            filled.append(holes.add(instance.holes[hole], known))
        return Child(number, tuple(filled))

    def _node_step(self, node: Node, numbers: dict[str, int], holes: "_Holes") -> Step:
        it = tensors(self._graph, node.name)
        op = OPS[node.op]
        written = {attribute: _NAMES.get(name, name) for attribute, name in node.written}
        operands = tuple(numbers[o] for o in node.inputs)
        result = numbers.setdefault(node.name, len(numbers))
        attribute = self._paths[node.name].rpartition(".")[2]
        within = inside(self._graph, node.name)
        label = within.partition(".")[0] if "." in within else ("x" if within.startswith(node.op) else within)
        # A node's channels go by the name of its width, or of the channels that it passes on.
        holes.channels[result] = written.get("width") if node.has("width") else holes.channels.get(operands[-1])
        if op.module:
            return Step("act", label, operands, result, activation=holes.add(op.name, None))
        call = op.call(it)
        filled: list[Filled] = []
        for argument in call.arguments:
            match argument.value:
                case Channels(of):
                    name = holes.channels.get(result if of == "out" else operands[0])
                    filled.append(Filled(argument, holes.add(resolve_argument(argument, it, _constant), name)))
                case Attribute(attribute_name):
                    value = _constant(it[attribute_name])
                    name = None if isinstance(value, bool) else written.get(attribute_name)
                    filled.append(Filled(argument, holes.add(value, name)))
                case constant:
                    filled.append(Filled(argument, holes.add(constant, None)))
        return Step(attribute, label, operands, result, call, tuple(filled))


class _Holes:
    """The holes of one instance, and the program's names of the channels of its values."""

    def __init__(self, channels: dict[int, str | None]) -> None:
        self.values: list[Hole] = []
        self.names: list[str | None] = []
        self.channels = channels

    def add(self, value: Hole, name: str | None) -> int:
        """A new hole; its number."""
        self.values.append(value)
        self.names.append(name)
        return len(self.values) - 1


def _constant(value: Value) -> Scalar:
    assert not isinstance(value, Ref), "a concrete graph has constants only"
    return value


def _same(a: Hole, b: Hole) -> bool:
    return type(a) is type(b) and a == b


def _signature(instance: Instance) -> object:
    """What two instances of one class must share: everything but the holes' values. A flag is no number."""
    flags = tuple(hole for hole in instance.holes if isinstance(hole, bool))
    calls = tuple((s.call.target, s.call.kind, s.call.flatten) if s.call else None for s in instance.steps)
    shapes = tuple(
        (s.attribute, s.operands, s.result, s.activation, s.children, s.is_sequence, tuple(f.hole for f in s.arguments))
        for s in instance.steps
    )
    return shapes, calls, flags, tuple(instance.names)


def _camel(name: str) -> str:
    if len(name) == 2 and name.isalpha():
        return name.upper()
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).split("_")
    camel = "".join(word[:1].upper() + word[1:] for word in words if word)
    if not camel[:1].isalpha():
        return f"Block{camel}"
    # One letter reads as nothing (and `F` is torch.nn.functional); `none` is a fine name for an alternative.
    return f"{camel}Block" if len(camel) == 1 or keyword.iskeyword(camel) else camel
