"""The classes of an emitted file: regions that differ in numbers or activations alone share one."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nasir.cost.model import tensors
from nasir.ir.graph import Graph, Node, Region
from nasir.ir.naming import enclosing, inside, module_paths, safe
from nasir.ir.ops import OPS, Activation, Argument, Call, Half, resolve_argument
from nasir.ir.values import Ref, Scalar, Value

Hole = Scalar
"""What may differ between two instances of a class: a number, or the name of an activation."""


@dataclass(frozen=True)
class Filled:
    """An argument of a torch call: the hole its value is in, halved where it is a padding."""

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


@dataclass(frozen=True)
class Child:
    """A child module: its class (None: an identity) and the holes that fill its parameters."""

    name: str | None
    holes: tuple[int, ...] = ()


@dataclass
class Instance:
    """One region's use of a class."""

    region: Region | None
    inputs: int
    steps: tuple[Step, ...]
    output: int
    holes: list[Hole]
    values: Mapping[str, Value]


@dataclass
class ClassDefinition:
    """A class: its name, an instance to read its steps from, and what each hole is: a parameter or a constant."""

    name: str
    block: str
    example: Instance
    parameters: dict[str, int] = field(default_factory=dict[str, int])
    fillings: list[str | Hole] = field(default_factory=list["str | Hole"])

    def is_parameter(self, hole: int) -> bool:
        return hole in self._parameter_holes

    @property
    def _parameter_holes(self) -> set[int]:
        names = set(self.parameters)
        return {i for i, filling in enumerate(self.fillings) if isinstance(filling, Named) and filling in names}


class Named(str):
    """The name of a parameter, as against a constant string (an activation's name)."""


def classes_of(graph: Graph) -> list[ClassDefinition]:
    """The classes of a concrete graph in call order; the last is the network itself."""
    return _Structure(graph).build()


class _Structure:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._paths = module_paths(graph)
        self._classes: list[ClassDefinition] = []
        self._class_of: dict[str, tuple[ClassDefinition, Instance]] = {}
        self._taken = {"Tensor", "F", "nn", "torch"}

    def build(self) -> list[ClassDefinition]:
        network = _camel(self._graph.name)
        self._taken.add(network)
        blocks = [region for region in self._graph.regions if region.kind != "stages"]
        heights = {region.path: self._height(region) for region in self._graph.regions}
        for height in sorted({heights[region.path] for region in blocks}):
            # Innermost first: a class knows its children's parameters. Alike regions nest alike.
            self._make_classes([region for region in blocks if heights[region.path] == height])
        root = ClassDefinition(network, self._graph.name, self._instance(None))
        root.fillings = list(root.example.holes)
        return [*self._classes, root]

    def _height(self, region: Region) -> int:
        """How deep regions nest within it."""
        depth = region.path.count(".")
        below = [r.path.count(".") - depth for r in self._graph.regions if r.path.startswith(f"{region.path}.")]
        return max(below, default=0)

    def _make_classes(self, regions: Sequence[Region]) -> None:
        groups: dict[object, list[Instance]] = {}
        for region in regions:
            if self._nodes_in(region):
                instance = self._instance(region)
                signature = (region.block, instance.inputs, instance.output, _signature(instance))
                groups.setdefault(signature, []).append(instance)
        by_block: dict[str, list[list[Instance]]] = {}
        for instances in groups.values():
            region = instances[0].region
            assert region is not None, "blocks have regions"
            by_block.setdefault(region.block, []).append(instances)
        for block, variants in by_block.items():
            for name, instances in zip(self._names(block, variants), variants, strict=True):
                self._define(name, block, instances)

    def _define(self, name: str, block: str, instances: list[Instance]) -> None:
        definition = ClassDefinition(name, block, instances[0])
        for hole in range(len(instances[0].holes)):
            vector = [instance.holes[hole] for instance in instances]
            if all(_same(value, vector[0]) for value in vector):
                definition.fillings.append(vector[0])
                continue
            parameter = Named(self._parameter_name(instances, hole, vector, definition))
            definition.parameters.setdefault(parameter, hole)
            definition.fillings.append(parameter)
        self._classes.append(definition)
        for instance in instances:
            assert instance.region is not None, "blocks have regions"
            self._class_of[instance.region.path] = (definition, instance)

    def _parameter_name(
        self, instances: list[Instance], hole: int, vector: list[Hole], definition: ClassDefinition
    ) -> str:
        """The program's own name for what varies here, where it has one; two names never stand for one vector."""
        for name, first in definition.parameters.items():
            if [instance.holes[first] for instance in instances] == vector:
                return name
        for name in instances[0].values:
            if [instance.values.get(name) for instance in instances] == vector and safe(name) == name:
                return name
        fallback = _hole_name(instances[0], hole)
        name, count = fallback, 1
        while name in definition.parameters:
            count += 1
            name = f"{fallback}_{count}"
        return name

    def _names(self, block: str, variants: list[list[Instance]]) -> list[str]:
        """A class name for each variant of a block: the parts that not every variant has tell them apart."""
        labels = [dict.fromkeys(step.label for step in v[0].steps if step.label != "x") for v in variants]
        shared = set(labels[0]).intersection(*labels[1:])
        return [self._free(_camel(block) + "".join(_camel(x) for x in own if x not in shared)) for own in labels]

    def _free(self, name: str) -> str:
        free, count = name, 1
        while free in self._taken:
            count += 1
            free = f"{name}{count}"
        self._taken.add(free)
        return free

    # One region's steps

    def _nodes_in(self, region: Region | None) -> list[Node]:
        nodes = self._graph.nodes
        return list(nodes) if region is None else [n for n in nodes if n.name.startswith(f"{region.path}.")]

    def _instance(self, region: Region | None) -> Instance:
        nodes = self._nodes_in(region)
        inner = {node.name for node in nodes}
        outside = dict.fromkeys(o for node in nodes for o in node.inputs if o not in inner)
        if region is None:
            outside = {nodes[0].name: None}
            assert nodes[0].op == "image", "a network begins with its image"
            nodes = nodes[1:]
        numbers = {name: i for i, name in enumerate(outside)}
        holes: list[Hole] = []
        steps: list[Step] = []
        for part in self._parts(region, nodes):
            step = self._part_step(part, numbers, holes)
            if step is not None:
                steps.append(step)
        last = steps[-1].result if steps else 0
        values = dict(region.values) if region else {}
        output = numbers[self._output(inner)] if inner else last
        return Instance(region, len(outside), tuple(steps), output, holes, values)

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

    def _part_step(self, part: Node | Region, numbers: dict[str, int], holes: list[Hole]) -> Step | None:
        if isinstance(part, Node):
            return self._node_step(part, numbers, holes)
        nodes = self._nodes_in(part)
        inner = {node.name for node in nodes}
        operands = dict.fromkeys(o for node in nodes for o in node.inputs if o not in inner)
        result = numbers.setdefault(self._output(inner), len(numbers))
        attribute = self._paths[part.path].rpartition(".")[2]
        label = inside(self._graph, part.path).partition(".")[0]
        if part.kind != "stages":
            child = self._child(part, holes)
            return Step(attribute, label, tuple(numbers[o] for o in operands), result, children=(child,))
        layers = [r for r in self._graph.regions if enclosing(self._graph, r.path) == part]
        children = tuple(self._child(layer, holes) for layer in layers)
        return Step(attribute, label, tuple(numbers[o] for o in operands), result, children=children, is_sequence=True)

    def _child(self, region: Region, holes: list[Hole]) -> Child:
        if region.path not in self._class_of:
            return Child(None)
        definition, instance = self._class_of[region.path]
        own = [instance.holes[hole] for hole in definition.parameters.values()]
        holes += own
        return Child(definition.name, tuple(range(len(holes) - len(own), len(holes))))

    def _node_step(self, node: Node, numbers: dict[str, int], holes: list[Hole]) -> Step:
        it = tensors(self._graph, node.name)
        op = OPS[node.op]
        operands = tuple(numbers[o] for o in node.inputs)
        result = numbers.setdefault(node.name, len(numbers))
        attribute = self._paths[node.name].rpartition(".")[2]
        within = inside(self._graph, node.name)
        label = within.partition(".")[0] if "." in within else ("x" if within.startswith(node.op) else within)
        if isinstance(op, Activation):
            holes.append(op.name)
            return Step("act", label, operands, result, activation=len(holes) - 1)
        call = op.call(it)
        filled: list[Filled] = []
        for argument in call.arguments:
            whole = Argument(argument.name, argument.value.value) if isinstance(argument.value, Half) else argument
            holes.append(resolve_argument(whole, it, _constant))
            filled.append(Filled(argument, len(holes) - 1))
        return Step(attribute, label, operands, result, call, tuple(filled))


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
    return shapes, calls, flags


def _hole_name(instance: Instance, hole: int) -> str:
    for step in instance.steps:
        if step.activation == hole:
            return "act"
        for filled in step.arguments:
            if filled.hole == hole:
                return f"{step.attribute}_{filled.argument.name}"
        for child in step.children:
            if hole in child.holes:
                return f"{step.attribute}_{child.holes.index(hole)}"
    raise AssertionError("every hole is an argument of a step")


def _camel(name: str) -> str:
    if len(name) <= 2:
        return name.upper()
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).split("_")
    camel = "".join(word[:1].upper() + word[1:] for word in words if word)
    return camel if camel[:1].isalpha() else f"Block{camel}"
