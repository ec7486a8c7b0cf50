"""The classes of an emitted file: one for each block of the program, wherever its uses can share one."""

import keyword
import re
from collections.abc import Mapping, Sequence

from nasir.emission.backbone import backbone
from nasir.emission.filling import ClassDefinition, Filler, Filling, Parameter, same
from nasir.emission.helpers import helper_classes
from nasir.emission.merging import Merged, by_signature, merged
from nasir.emission.steps import Reading, Use
from nasir.ir.graph import Graph, Region
from nasir.ir.naming import safe
from nasir.ir.path import fresh
from nasir.ir.regions import enclosing


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
                Filler(definition).fill()
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
