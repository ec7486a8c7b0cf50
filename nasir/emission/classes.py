"""The classes of an emitted file: one for each block of the program, wherever its uses can share one."""

import keyword
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nasir.emission.backbone import Backbone, backbone
from nasir.emission.conditions import condition
from nasir.emission.helpers import helper_classes
from nasir.emission.merging import Group, Merged, by_signature, merged
from nasir.emission.steps import IN_CHANNELS, Hole, Reading, Step, Use
from nasir.ir.graph import Graph, Region
from nasir.ir.naming import safe
from nasir.ir.path import fresh
from nasir.ir.regions import enclosing
from nasir.ir.values import Pair, Ref


@dataclass
class Parameter:
    """A parameter of a class: its value in each use, None where a use has no need of it. `default` is written into the
    signature where `has_default`, and left out of calls."""

    name: str
    values: list[Hole]
    has_default: bool = False
    default: Hole = None

    @property
    def kind(self) -> type:
        """What its values are: `int`, `bool`, `str` for an activation, `Pair` where one of them is a pair."""
        kinds = [type(value) for value in self.values if value is not None]
        return Pair if Pair in kinds else next(iter(kinds), int)

    @property
    def is_optional(self) -> bool:
        return any(value is None for value in self.values)


@dataclass
class ClassDefinition:
    """A class. `fillings` says of each hole what it is, a parameter or a constant; `conditions` of each group of steps
    that not every use has when it is there: an expression over parameters."""

    name: str
    block: str
    body: Merged
    uses: list[Use]
    parameters: dict[str, Parameter] = field(default_factory=dict[str, Parameter])
    fillings: dict[str, "str | Filling"] = field(default_factory=dict[str, "str | Filling"])
    conditions: dict[int, str] = field(default_factory=dict[int, str])
    doc: str = ""
    number: int = -1
    """What children call it by."""
    backbone: Backbone | None = None

    @property
    def is_network(self) -> bool:
        return self.uses[0].region is None


@dataclass(frozen=True)
class Filling:
    """A constant in the place of a hole; a name of a parameter is plain text."""

    value: Hole


@dataclass(frozen=True)
class Unpadded(Filling):
    """A padding in the place of a hole; none where the steps of a group, which pad before, are there."""

    group: int


def classes_of(graph: Graph) -> list[ClassDefinition]:
    """The classes of a concrete graph in the order in which they are called, those within a class before it; the last
    is the network itself."""
    return _Classes(graph).build()


class _Classes:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._reading = Reading(graph)
        self._backbone = backbone(self._reading)
        self._docs = dict(graph.docs)
        self._classes: list[ClassDefinition] = []
        self._taken = {"Tensor", "F", "nn", "torch", *helper_classes(graph)}

    def build(self) -> list[ClassDefinition]:
        network_name = self._free(camel(self._graph.name))
        heights = self._heights()
        blocks = [r for r in self._graph.regions if r.path and r.kind != "stages" and self._reading.nodes_in(r)]
        for height in sorted({heights[region.path] for region in blocks}):
            # Innermost first: a class knows its children's parameters.
            self._define([region for region in blocks if heights[region.path] == height])
        network = self._network(network_name)
        order = self._called(network)
        self._drop_defaults(network)
        self._name([self._classes[number] for number in order])
        return [*(self._classes[number] for number in order), network]

    def _heights(self) -> Mapping[str, int]:
        """How deep classes nest within each region. All uses of a block have the same height, so that they meet."""
        found = {region.path: 0 for region in self._graph.regions}
        for region in reversed(self._graph.regions):  # the inner ones before those around them
            owner = enclosing(self._graph, region.path) if region.path else None
            if owner is not None:
                found[owner.path] = max(found[owner.path], found[region.path] + 1)
        highest: dict[str, int] = {}
        for region in self._graph.regions:
            highest[region.block] = max(highest.get(region.block, 0), found[region.path])
        return {r.path: found[r.path] if r.kind == "stages" else highest[r.block] for r in self._graph.regions}

    def _define(self, regions: Sequence[Region]) -> None:
        by_block: dict[str, list[Use]] = {}
        for region in regions:
            by_block.setdefault(region.block, []).append(self._reading.use(region))
        for block, uses in by_block.items():
            for body, own in _bodies(uses):
                definition = ClassDefinition("", block, body, own, doc=self._docs.get(block, ""))
                definition.number = len(self._classes)
                _Filling(definition).fill()
                self._classes.append(definition)
                for i, use in enumerate(own):
                    assert use.region is not None, "blocks have regions"
                    values = {name: parameter.values[i] for name, parameter in definition.parameters.items()}
                    self._reading.class_of[use.region.path] = (definition.number, values)

    def _network(self, name: str) -> ClassDefinition:
        use = self._reading.use(None)
        body = merged([use])
        assert body is not None, "one use is a body of its own"
        definition = ClassDefinition(name, self._graph.name, body, [use], doc=self._docs.get(self._graph.name, ""))
        definition.backbone = self._backbone
        definition.fillings = {hole: Filling(value) for hole, value in use.holes.items()}
        for hole in self._output_channels(use):
            name = use.names.get(hole, "classes")
            parameter = Parameter(name, [use.holes[hole]], has_default=True, default=use.holes[hole])
            definition.parameters[name] = parameter
            definition.fillings[hole] = name
        return definition

    def _output_channels(self, use: Use) -> list[str]:
        """The holes that are the width of the network's output, where no other number follows from it: a parameter of
        the space, or a number without a name behind a backbone, which is that of the classes."""
        makers = {step.key: step for step in use.steps}
        step = makers.get(use.output)
        while step is not None and not (step.is_module and step.arguments) and len(step.operands) == 1:
            step = makers.get(step.operands[0])
        return [
            hole
            for argument, hole in (step.arguments if step else ())
            if argument.name in {"out_features", "out_channels"} and self._is_free(hole, use)
        ]

    def _is_free(self, hole: str, use: Use) -> bool:
        name = use.names.get(hole)
        if name is None:
            return self._backbone is not None
        alone = list(use.names.values()).count(name) == 1 and name not in {n for _, n in self._graph.input.written}
        return alone and name in use.values and safe(name) == name

    def _called(self, network: ClassDefinition) -> list[int]:
        """The numbers of the classes, each after those that it calls, in the order of the network's calls."""
        order: dict[int, None] = {}

        def visit(definition: ClassDefinition) -> None:
            for step in definition.body.steps:
                for child in step.children:
                    if child.definition is not None and child.definition not in order:
                        visit(self._classes[child.definition])
                        order[child.definition] = None

        visit(network)
        return list(order)

    def _drop_defaults(self, network: ClassDefinition) -> None:
        """Defaults that no call makes use of go."""
        used: set[tuple[int, str]] = set()
        for definition in (*self._classes, network):
            for child in (child for step in definition.body.steps for child in step.children):
                for name, hole in child.holes:
                    filling = definition.fillings[hole]
                    if child.definition is None or not isinstance(filling, Filling):
                        continue
                    if same(filling.value, self._classes[child.definition].parameters[name].default):
                        used.add((child.definition, name))
        for definition in self._classes:
            for parameter in definition.parameters.values():
                parameter.has_default = parameter.has_default and (definition.number, parameter.name) in used

    def _name(self, classes: Sequence[ClassDefinition]) -> None:
        """The names; classes of one block are told apart by the parts that not every one of them has."""
        by_block: dict[str, list[ClassDefinition]] = {}
        for definition in classes:
            by_block.setdefault(definition.block, []).append(definition)
        for block, variants in by_block.items():
            labels = [dict.fromkeys(s.label for s in v.body.steps if s.label != "x") for v in variants]
            shared = set(labels[0]).intersection(*labels[1:])
            for variant, own in zip(variants, labels, strict=True):
                variant.name = self._free(camel(block) + "".join(camel(x) for x in own if x not in shared))

    def _free(self, name: str) -> str:
        free = fresh(name, self._taken, "{}{}")
        self._taken.add(free)
        return free


def _bodies(uses: Sequence[Use]) -> list[tuple[Merged, list[Use]]]:
    """The uses of a block as few bodies as they can share."""
    found: list[tuple[Merged, list[Use]]] = []
    for alike in by_signature(uses).values():
        for i, (_, others) in enumerate(found):
            if (body := merged([*others, *alike])) is not None:
                found[i] = (body, [*others, *alike])
                break
        else:
            body = merged(alike)
            assert body is not None, "uses that differ in holes alone are one body"
            found.append((body, alike))
    return found


class _Filling:
    """Parameters for what varies among the uses of a class, and for every number that the program names: a table of
    layers then shows its numbers."""

    def __init__(self, definition: ClassDefinition) -> None:
        self._definition = definition
        self._uses = definition.uses
        steps = list(definition.body.steps)
        self._attributes = {step.attribute for step in steps if step.activation is None}
        self._kept = {hole for step in steps for hole in step.kept}
        groups = [group for group in definition.body.groups for _ in group.steps]
        self._pads = {
            step.key: definition.body.groups.index(group)
            for step, group in zip(steps, groups, strict=True)
            if step.is_pad and group.is_optional
        }

    def fill(self) -> None:
        definition = self._definition
        for step in definition.body.steps:
            for hole in step.holes:
                definition.fillings[hole] = self._filling(step, hole)
        for name, parameter in definition.parameters.items():
            parameter.values = [self._known(name, i, value) for i, value in enumerate(parameter.values)]
        definition.parameters = self._in_order()
        for number, group in enumerate(definition.body.groups):
            if group.is_optional:
                definition.conditions[number] = self._condition(number, group)
        self._set_defaults()

    def _filling(self, step: Step, hole: str) -> str | Filling:
        vector = [use.holes.get(hole) for use in self._uses]
        known = [use.holes[hole] for use in self._uses if hole in use.holes]
        names = {use.names.get(hole) for use in self._uses if hole in use.holes}
        varies = not all(same(value, known[0]) for value in known)
        if not varies and names == {None}:
            return Filling(known[0])
        if (unpadded := self._unpadded(step, hole, vector)) is not None:
            return unpadded
        name = self._name(step, hole, vector, names)
        parameters = self._definition.parameters
        if name in parameters:
            held = parameters[name].values
            parameters[name].values = [b if a is None else a for a, b in zip(held, vector, strict=True)]
        else:
            parameters[name] = Parameter(name, vector)
        return name

    def _unpadded(self, step: Step, hole: str, vector: list[Hole]) -> Unpadded | None:
        """The one padding of a step before which some uses pad: those have none in it."""
        group = self._pads.get(step.operands[0]) if step.operands else None
        if group is None or not hole.endswith("/padding"):
            return None
        present = self._definition.body.groups[group].present
        others = {value for value, pads in zip(vector, present, strict=True) if not pads and value is not None}
        none = all(value == 0 for value, pads in zip(vector, present, strict=True) if pads)
        return Unpadded(next(iter(others)), group) if none and len(others) == 1 else None

    def _name(self, step: Step, hole: str, vector: list[Hole], names: set[str | None]) -> str:
        """The program's own name for it, else one that has its values; two names never stand for one thing."""
        parameters = self._definition.parameters
        own = [name for name in names if name is not None] if len(names) == 1 else []
        candidates = [*own, *parameters, *self._uses[0].values]
        for name in candidates:
            if hole in self._kept and name in self._attributes:
                continue  # it becomes an attribute, and a step has that one
            if safe(name) == name and self._fits(name, hole, vector):
                return name
        own_name = hole.rpartition("/")[2]
        taken = {*parameters, *(self._attributes if hole in self._kept else ())}
        if step.activation == hole or (step.children and own_name not in {*taken, IN_CHANNELS}):
            return fresh(safe(own_name), taken)
        return fresh(safe(f"{step.attribute}_{own_name}"), taken)

    def _fits(self, name: str, hole: str, vector: list[Hole]) -> bool:
        """Whether a name has the hole's value in every use that has the hole."""
        parameter = self._definition.parameters.get(name)
        for i, use in enumerate(self._uses):
            held = None if parameter is None else parameter.values[i]
            if held is None and (parameter is None or hole not in use.holes):
                known = use.values.get(name)
                held = None if isinstance(known, Ref) else known
            if hole in use.holes and held is not None and not same(held, vector[i]):
                return False
            if hole in use.holes and held is None and parameter is None:
                return False
        return True

    def _known(self, name: str, use: int, value: Hole) -> Hole:
        """A parameter's value in a use; one that has no need of it may know it all the same, by the program's name."""
        named = self._uses[use].values.get(name)
        return named if value is None and not isinstance(named, Ref) else value

    def _in_order(self) -> dict[str, Parameter]:
        """The parameters in the program's order: the input's channels, the block's own, its names, then the others."""
        places = {name: i for i, name in enumerate((IN_CHANNELS, *self._uses[0].values))}
        found = self._definition.parameters
        return dict(sorted(found.items(), key=lambda one: places.get(one[0], len(places))))

    def _condition(self, number: int, group: Group) -> str:
        """When a group's steps are there, over the class's parameters: one of them is added where nothing tells."""
        definition = self._definition
        before = {text: definition.body.groups[i].present for i, text in definition.conditions.items() if i < number}
        found = condition(group, definition.parameters, self._uses, before)
        if found is not None:
            for name, values in found.flags.items():
                definition.parameters.setdefault(name, Parameter(name, list(values)))
            definition.parameters = self._in_order()
            return found.text
        label = "pad" if group.steps[0].is_pad else safe(group.steps[0].label)
        name = fresh(f"has_{label}", {*definition.parameters, *self._attributes})
        definition.parameters[name] = Parameter(name, list(group.present))
        return name

    def _set_defaults(self) -> None:
        """Defaults for what most uses leave alone: no stride, the usual activation, a part that is not there."""
        for parameter in self._definition.parameters.values():
            counts = Counter((type(value), value) for value in parameter.values)
            (_, most), count = counts.most_common(1)[0]  # of equals the first
            is_plain = most is None or most is False or most == 1 or type(most) is str
            several = len(self._uses) > 1 or most is None
            if parameter.is_optional and most is not None:
                most, is_plain = None, True
            if parameter.name != IN_CHANNELS and is_plain and several and (2 * count > len(self._uses) or most is None):
                parameter.has_default, parameter.default = True, most


def same(a: Hole, b: Hole) -> bool:
    """Whether two holes hold the same; true is not 1."""
    return type(a) is type(b) and a == b


def camel(name: str) -> str:
    """A name of the program as one of a class."""
    if len(name) == 2 and name.isalpha():
        return name.upper()
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).split("_")
    found = "".join(word[:1].upper() + word[1:] for word in words if word)
    if not found[:1].isalpha():
        return f"Block{found}"
    # One letter reads as nothing (and `F` is torch.nn.functional); `none` is a fine name for an alternative.
    return f"{found}Block" if len(found) == 1 or keyword.iskeyword(found) else found
