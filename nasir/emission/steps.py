"""A region of a network as the steps of a forward: what one use of a block does, with its numbers as holes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from nasir.ir.graph import Graph, Node, Region
from nasir.ir.naming import module_paths
from nasir.ir.ops import OPS, Argument, Attribute, Call, Channels, resolve_argument, tensors
from nasir.ir.path import Path
from nasir.ir.regions import enclosing, inside, is_table
from nasir.ir.values import Ref, Scalar, Value, Word

Inputs = tuple[list[str], tuple[str, ...]]
"""The values that a region reads, and what it calls them."""
Hole = Scalar | None
"""What may differ between two uses of a block: a number, a flag, the name of an activation; None where it is absent."""

IN_CHANNELS = "in_channels"
PAD = "/pad"
"""In the place of an attribute, for none has such a name: of a step that pads what the next one reads."""
_NAMES = {"x.channels": IN_CHANNELS}


@dataclass(frozen=True)
class Child:
    """A child module: the number of its class (None: an identity), and the class's parameters with their holes."""

    definition: int | None
    holes: tuple[tuple[str, str], ...] = ()
    region: str = field(default="", compare=False)


@dataclass(frozen=True)
class Step:
    """One line of a forward: a call, a child module, a sequence of them, or an activation.

    `key` tells it from the block's other steps, alike in all uses; values are called by the key of the step that makes
    them. `label` is the flow that it is of. `index` is the layer that it calls of a table whose layers are no plain
    chain; the first such step has all of the table's children.
    """

    key: str
    attribute: str
    label: str
    operands: tuple[str, ...]
    call: Call | None = None
    arguments: tuple[tuple[Argument, str], ...] = ()
    activation: str | None = None
    children: tuple[Child, ...] = ()
    is_sequence: bool = False
    index: int | None = None

    @property
    def is_pad(self) -> bool:
        """Whether it is the padding that another step's call has before it."""
        return self.attribute == PAD

    @property
    def is_module(self) -> bool:
        """Whether its module is an attribute of its own."""
        return self.is_sequence or bool(self.children) or (self.call is not None and self.call.is_module)

    @property
    def kept(self) -> tuple[str, ...]:
        """The holes that its forward reads: where they are parameters of the class, it keeps them as attributes."""
        if self.activation is not None:
            return (self.activation,)
        return () if self.is_module else tuple(hole for _, hole in self.arguments)

    @property
    def holes(self) -> tuple[str, ...]:
        """All its holes, in order."""
        own = (self.activation,) if self.activation is not None else tuple(hole for _, hole in self.arguments)
        return (*own, *(hole for child in self.children for _, hole in child.holes))


@dataclass
class Use:
    """One use of a block. `names` are the program's names for holes, where it has any; `values` those of the block's
    parameters and names that are known in it, in the program's order; `keys` the values' keys by the nodes that make
    them; `arguments` what the inputs are called."""

    region: Region | None
    inputs: tuple[str, ...]
    arguments: tuple[str, ...]
    steps: tuple[Step, ...]
    output: str
    holes: dict[str, Hole]
    names: dict[str, str]
    values: Mapping[str, Value]
    keys: Mapping[str, str]

    @property
    def signature(self) -> object:
        """What two uses have in common that differ in their holes alone."""
        return self.inputs, self.steps, self.output


@dataclass
class Reading:
    """A network, read region by region. `class_of` has the number of the class of each region that has one, with what
    fills the class's parameters there."""

    graph: Graph
    class_of: dict[str, tuple[int, Mapping[str, Hole]]] = field(
        default_factory=dict[str, tuple[int, Mapping[str, Hole]]]
    )

    def __post_init__(self) -> None:
        self._paths = module_paths(self.graph)
        self._inner: dict[str, list[Node]] = {}
        for node in self.graph.nodes:
            for scope in Path(node.name).scopes:
                self._inner.setdefault(scope, []).append(node)
        self._open: dict[str, bool] = {}
        self._inputs_of: dict[str, Inputs] = {}
        self._regions_in: dict[str, list[Region]] = {}
        for region in self.graph.regions:
            owner = enclosing(self.graph, region.path) if region.path else None
            if owner is not None:
                self._regions_in.setdefault(owner.path, []).append(region)

    def nodes_in(self, region: Region | None) -> Sequence[Node]:
        """The nodes of a region, and of the regions in it; of the network without a region."""
        return self.graph.nodes if region is None else self._inner.get(region.path, [])

    def regions_in(self, region: Region) -> Sequence[Region]:
        """The regions directly in a region, in order."""
        return self._regions_in.get(region.path, [])

    def use(self, region: Region | None) -> Use:
        """What happens in a region, or in the network."""
        nodes = self.nodes_in(region)
        own = {node.name for node in nodes}
        if region is None:
            outside, nodes = [nodes[0].name], nodes[1:]
            arguments: tuple[str, ...] = ("x",)
        else:
            outside, arguments = self._inputs(region)
        inputs = tuple(f"@{i}" for i in range(len(outside)))  # no step has such a key
        root = self.graph.region_map.get("") if region is None else region
        found = _Use(self, region, dict(zip(outside, inputs, strict=True)))
        for part in self._parts(region, nodes):
            found.add(part)
        output = found.keys[self._output(own)]
        values = dict(root.values) if root else {}
        return Use(region, inputs, arguments, tuple(found.steps), output, found.holes, found.names, values, found.keys)

    def _output(self, own: set[str]) -> str:
        if self.graph.output in own:
            return self.graph.output
        used = sorted(n for n in own if any(u.name not in own for u in self.graph.users[n]))
        assert len(used) == 1, f"a block has one output, not {used}"
        return used[0]

    def _parts(self, region: Region | None, nodes: Sequence[Node]) -> list[Node | Region]:
        """The nodes directly in a region, and in place of deeper ones the regions they are in, in order."""
        parts: dict[str, Node | Region] = {}
        for node in nodes:
            part: Node | Region = node
            owner = enclosing(self.graph, node.name)
            while owner is not None and owner != region:
                part = part if self.is_open(owner) else owner
                owner = enclosing(self.graph, owner.path)
            parts.setdefault(part.name if isinstance(part, Node) else part.path, part)
        return list(parts.values())

    def layers(self, table: Region) -> list[Region]:
        """The layers of a table."""
        return sorted(self.regions_in(table), key=lambda layer: Path(layer.path).order)

    def is_open(self, region: Region) -> bool:
        """Whether it is a table whose layers are no plain chain: others read what an inner one makes, or a layer reads
        more than the one before it."""
        if not is_table(region):
            return False
        if region.path not in self._open:
            self._open[region.path] = self._branches(region)
        return self._open[region.path]

    def _branches(self, table: Region) -> bool:
        last: str | None = None
        for layer in self.layers(table):
            own = {node.name for node in self.nodes_in(layer)}
            if not own:
                continue
            read = {o for node in self.nodes_in(layer) for o in node.inputs if o not in own}
            if len(read) > 1 or (last is not None and read != {last}):
                return True
            made = {n for n in own if n == self.graph.output or any(u.name not in own for u in self.graph.users[n])}
            following = {user.name for name in made for user in self.graph.users[name]} - own
            if last is not None and any(user.name not in own for user in self.graph.users[last]):
                return True
            last = next(iter(made)) if len(made) == 1 else None
            if last is None or (not following and last != self.graph.output):
                return True
        return False

    def attribute(self, name: str) -> str:
        """What a node or a region is called in the module of the region around it."""
        return Path(self._paths[name]).last

    def operands(self, region: Region) -> tuple[list[str], str]:
        """The values that a region reads from outside, the first of them its `x`, and the one that it makes."""
        return self._inputs(region)[0], self._made(region)

    def _made(self, region: Region) -> str:
        return self._output({node.name for node in self.nodes_in(region)})

    def _outside(self, region: Region) -> list[str]:
        own = {node.name for node in self.nodes_in(region)}
        return list(dict.fromkeys(o for node in self.nodes_in(region) for o in node.inputs if o not in own))

    def _inputs(self, region: Region) -> Inputs:
        """The values that a region reads from outside, and what it calls them."""
        table = enclosing(self.graph, region.path)
        if table is None or not self.is_open(table):
            return _called(self._outside(region))
        if region.path not in self._inputs_of:
            self._read_layers([layer for layer in self.layers(table) if self.nodes_in(layer)])
        return self._inputs_of[region.path]

    def _read_layers(self, layers: Sequence[Region]) -> None:
        """The inputs of the layers of a table that is no plain chain. `x` is the output of the layer before, `previous`
        that of the one before it; what the first and the second layer both read is the table's own `x`."""
        read = [self._outside(layer) for layer in layers]
        shared = set(read[0]).intersection(*read[1:2]) if len(layers) > 1 else set[str]()
        outputs = [next(iter(shared)) if len(shared) == 1 else "", *map(self._made, layers)]
        for i, layer in enumerate(layers):
            x = outputs[i]
            ordered = [x, *(one for one in read[i] if one != x)] if x in read[i] else read[i]
            is_previous = i > 0 and ordered == [x, outputs[i - 1]]
            self._inputs_of[layer.path] = _called(ordered, "previous" if is_previous else "x2")
        if len(layers) > 1 and len(read[0]) == 2:
            first, second = (self._inputs_of[layer.path] for layer in layers[:2])
            self._inputs_of[layers[0].path] = first[0], second[1] if len(second[1]) == 2 else first[1]


def _called(values: list[str], second: str = "x2") -> Inputs:
    names = ("x", second, *(f"x{i}" for i in range(3, len(values) + 1)))
    return values, names[: len(values)]


class _Use:
    """The steps of one region as they are found. `keys` are the values' keys by the nodes that make them."""

    def __init__(self, reading: Reading, region: Region | None, keys: dict[str, str]) -> None:
        self._reading, self._graph = reading, reading.graph
        self.keys = keys
        self.steps: list[Step] = []
        self.holes: dict[str, Hole] = {}
        self.names: dict[str, str] = {}
        self._channels: dict[str, str | None] = dict.fromkeys(list(keys.values())[:1], IN_CHANNELS)
        """The program's names of the channels of values."""
        self._counts: dict[str, int] = {}
        root = reading.graph.region_map.get("") if region is None else region
        self._values = dict(root.values) if root else {}

    def add(self, part: Node | Region) -> None:
        """The step of a node, or of a region that is a child."""
        step = self._node(part) if isinstance(part, Node) else self._child_step(part)
        self.steps.append(step)

    def _next(self, name: str) -> str:
        """`name`, `name_2`, ...: no other step has such a key."""
        count = self._counts[name] = self._counts.get(name, 0) + 1
        return name if count == 1 else f"{name}_{count}"

    def _hole(self, key: str, value: Hole, name: str | None) -> str:
        self.holes[key] = value
        if name is not None:
            self.names[key] = name
        return key

    def _child_step(self, region: Region) -> Step:
        operands, result = self._reading.operands(region)
        key = str(inside(self._graph, region.path))
        inputs = tuple(self.keys[o] for o in operands)
        table = enclosing(self._graph, region.path)
        if table is not None and self._reading.is_open(table):
            return self._layer_step(table, region, inputs, result)
        self.keys[result] = key
        attribute, label = self._reading.attribute(region.path), Path(key).first
        if region.kind != "stages":
            child = self._child(region, f"{key}/", self._channels.get(inputs[0]))
            return Step(key, attribute, label, inputs, children=(child,))
        return Step(key, attribute, label, inputs, children=self._children(region, key), is_sequence=True)

    def _children(self, table: Region, key: str) -> tuple[Child, ...]:
        return tuple(self._child(layer, f"{key}/{i}/", None) for i, layer in enumerate(self._reading.layers(table)))

    def _layer_step(self, table: Region, layer: Region, inputs: tuple[str, ...], result: str) -> Step:
        """The call of one layer of a table that is no plain chain."""
        around = str(inside(self._graph, table.path))
        attribute = self._reading.attribute(table.path)
        is_first = not any(step.is_sequence and step.attribute == attribute for step in self.steps)
        index = int(Path(layer.path).last)
        key = self.keys[result] = f"{around}.{index}"
        children = self._children(table, around) if is_first else ()
        label = Path(around).first
        return Step(key, attribute, label, inputs, None, (), None, children, True, index)

    def _child(self, region: Region, prefix: str, in_channels: str | None) -> Child:
        if region.path not in self._reading.class_of:
            return Child(None, region=region.path)
        number, values = self._reading.class_of[region.path]
        holes = tuple(
            (name, self._hole(f"{prefix}{name}", value, in_channels if name == IN_CHANNELS else None))
            for name, value in values.items()
        )
        return Child(number, holes, region.path)

    def _node(self, node: Node) -> Step:
        it, op = tensors(self._graph, node.name), OPS[node.op]
        written = {attribute: _NAMES.get(name, name) for attribute, name in node.written}
        operands = tuple(self.keys[o] for o in node.inputs)
        within = inside(self._graph, node.name)
        own_name = re.fullmatch(rf"(.*\.)?{node.op}(_\d+)?", within)
        key = str(within)
        if op.module and own_name:  # whichever activation it is, it is the flow's next one
            key = self._next(f"{own_name[1] or ''}@act")
        label = within.first if "." in within else ("x" if within.startswith(node.op) else str(within))
        self.keys[node.name] = key
        # A node's channels go by the name of its width, or of the channels that it passes on.
        self._channels[key] = written.get("width") if node.has("width") else self._channels.get(operands[-1])
        if op.module:
            return Step(key, "act", label, operands, activation=self._hole(f"{key}/act", op.name, None))
        call = op.call(it)
        if call.pad and call.kind != "padded":
            operands = (self._padded(f"{key}{PAD}", label, operands[0], call), *operands[1:])
            call = replace(call, pad=(), filler=0.0)
        arguments: list[tuple[Argument, str]] = []
        for argument in call.arguments:
            name: str | None = None
            match argument.value:
                case Channels(of):
                    name = self._channels.get(key if of == "out" else operands[0])
                    value = resolve_argument(argument, it, constant)
                case Attribute(attribute):
                    value = constant(it[attribute])
                    value = Word(value) if type(value) is str else value
                    name = written.get(attribute)
                    if isinstance(value, bool) or name not in self._values:
                        name = None  # a word of the language, as `same`, is no name of the number that it comes to
                case value:
                    pass
            given = argument.value if isinstance(argument.value, Attribute) else Attribute("")
            plain = replace(given, name=argument.name)  # the hole has its value
            argument = Argument(argument.name, plain, argument.positional, argument.default)
            arguments.append((argument, self._hole(f"{key}/{argument.name}", value, name)))
        call = replace(call, arguments=())
        return Step(key, self._reading.attribute(node.name), label, operands, call, tuple(arguments))

    def _padded(self, key: str, label: str, operand: str, call: Call) -> str:
        """The step that pads what a call reads: some uses of a block may lack it."""
        self.steps.append(Step(key, PAD, label, (operand,), Call("padded", "pad", pad=call.pad, filler=call.filler)))
        self._channels[key] = self._channels.get(operand)
        return key


def constant(value: Value) -> Scalar:
    """A value of a network, where nothing is left to decide."""
    assert not isinstance(value, Ref), "a concrete graph has constants only"
    return value
