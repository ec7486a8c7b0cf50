"""The class of a block: its parameters, and what fills its holes, a parameter or a constant."""

from collections import Counter
from dataclasses import dataclass, field

from nasir.emission.backbone import Backbone
from nasir.emission.conditions import condition
from nasir.emission.merging import Group, Merged
from nasir.emission.steps import IN_CHANNELS, Hole, Step, Use
from nasir.ir.naming import safe
from nasir.ir.path import fresh
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


class Filler:
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
