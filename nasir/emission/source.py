"""Classes to source text: every line is decided here; the template only puts them in order."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nasir.cost.model import CostModel
from nasir.cost.registry import COSTS, PRIMARY
from nasir.cost.table import LayerRow, layer_rows
from nasir.emission import layout
from nasir.emission.backbone import Backbone
from nasir.emission.classes import classes_of
from nasir.emission.filling import ClassDefinition, Filling, Parameter, Unpadded, same
from nasir.emission.forward import Forward
from nasir.emission.helpers import helper_texts
from nasir.emission.merging import Group, Merged
from nasir.emission.steps import IN_CHANNELS, Child, Hole, Step
from nasir.ir.graph import Graph, Node
from nasir.ir.naming import safe
from nasir.ir.ops import OPS, Argument, Attribute, Tensors
from nasir.ir.path import fresh
from nasir.ir.values import Pair, Word
from nasir.templates import template

_INDENT = 8
_SEVERAL = 3
"""Equal rows of a table, from so many on, are written once."""


@dataclass(frozen=True)
class ClassText:
    """A class for the template: lines are whole, indented and in order."""

    name: str
    head: Sequence[str]
    init: Sequence[str]
    methods: Sequence[Sequence[str]]


def model_source(graph: Graph, notes: Sequence[str] = ()) -> str:
    """The text of `model.py` for a concrete graph: torch alone, no trace of the search. `notes` are lines for its
    docstring, as they stand in the source."""
    definitions = classes_of(graph)
    rows = {row.name: row for row in layer_rows(CostModel(graph), (PRIMARY,))}
    classes = [_Writer(definition, definitions, rows).text() for definition in definitions]
    helpers = helper_texts(graph)
    code = "\n".join([*helpers, *(line for c in classes for part in (c.init, *c.methods) for line in part)])
    return template("model.py.j2").render(
        summary=_summary(graph, notes),
        helpers=helpers,
        classes=classes,
        uses_torch="torch." in code,
        uses_functional="F." in code,
    )


def _summary(graph: Graph, notes: Sequence[str]) -> list[str]:
    """The docstring of the file: what the network is, what it takes and costs, how its weights come in."""
    total = CostModel(graph).at({})
    costs = ", ".join(f"{figure:,} {COSTS[name].unit}" for name, figure in total.items())
    doc = dict(graph.docs).get(graph.name, "")
    shape = ", ".join(map(str, graph.input.shape.values()))
    return [
        f"{graph.name}: {costs}.",
        "",
        *_prose(doc, layout.WIDTH),
        *[""] * bool(doc),
        f"Input: {_INPUTS[graph.input.shape.rank]} of shape [N, {shape}]; multiply-adds are for one of them.",
        *notes,
        'Weights: `model.load_state_dict(safetensors.torch.load_file("model.safetensors"))`.',
    ]


_INPUTS = ("vectors", "sequences", "images")


def _prose(text: str, width: int) -> list[str]:
    """A comment of the program as lines of a docstring, which it cannot end."""
    plain = "".join(letter if letter.isprintable() else " " for letter in " ".join(text.split()))
    return textwrap.wrap(plain.replace("\\", "/").replace('"', "'"), width, break_long_words=False)


class _Writer:
    """One class as text."""

    def __init__(
        self, definition: ClassDefinition, classes: Sequence[ClassDefinition], rows: Mapping[str, LayerRow]
    ) -> None:
        self._definition = definition
        self._classes = {one.number: one for one in classes}
        self._rows = rows
        self._conditions: dict[int, str] = {}
        """What the forward asks for the groups that are not always there."""
        self._static: list[str] = []
        """Flags of groups whose modules may be missing: torch.jit.script leaves such a group out as it compiles."""

    def text(self) -> ClassText:
        """The class."""
        body = self._definition.body
        init = self._init()  # first: it finds the flags
        head = [*self._docstring(), *layout.call("def __init__", ["self", *self._signature()], " -> None:", 4)]
        if (found := self._definition.backbone) is None:
            return ClassText(self._definition.name, head, init, [self._method("forward", body.arguments, body)])
        before, behind = body.split(self._definition.uses[0].keys[found.map], "features")
        features = self._method("forward_features", body.arguments, before)
        signature, *lines = self._method("forward", body.arguments, behind)
        lines.insert(0, f"{' ' * _INDENT}features = self.forward_features(x)")
        return ClassText(self._definition.name, head, [*init, *_facts(found)], [features, [signature, *lines]])

    def _method(self, name: str, arguments: Mapping[str, str], body: Merged) -> list[str]:
        given = ", ".join(["self", *(f"{argument}: Tensor" for argument in arguments.values())])
        lines = Forward(body, self._conditions, self._argument, self._activation).lines()
        return [f"    def {name}({given}) -> {_returned(body)}:", *lines]

    # The head

    def _docstring(self) -> list[str]:
        """What the program says of the block, and what its forward tells apart as it is compiled."""
        definition, lines = self._definition, list[str]()
        if definition.doc and not definition.is_network:
            first, *others = _prose(definition.doc, layout.WIDTH - 10)
            *before, last = [f'    """{first}', *(f"    {line}" for line in others)]
            lines += [*before, f'{last}"""', ""]
        if self._static:
            lines += [f"    __constants__ = [{', '.join(map(_quoted, self._static))}]", ""]
        return lines

    def _positional(self) -> list[str]:
        """The parameters that calls give by their places: the input's channels, and the width where it comes next."""
        if self._definition.is_network:
            return list(self._definition.parameters)
        return positional(self._definition)

    def _signature(self) -> list[str]:
        parameters, first = self._definition.parameters, self._positional()
        found = [_declared(parameters[name]) for name in first]
        rest = [_declared(p) for name, p in parameters.items() if name not in first]
        return [*found, *(["*"] if rest else []), *rest]

    # The modules

    def _init(self) -> list[str]:
        lines: list[str] = []
        kept: set[str] = set()
        for number, group in enumerate(self._definition.body.groups):
            modules: list[str] = []
            indent = _INDENT + 4 * group.is_optional  # those are under a condition
            for step in group.steps:
                made = self._made(step, indent)
                if step.is_module:
                    modules += made
                else:  # what one step keeps, others of the same parameter need not keep again
                    lines += [line for line in made if line not in kept]
                    kept.update(made)
            if not group.is_optional:
                lines += modules
            else:
                lines += self._optional(number, group, modules)
        return lines

    def _optional(self, number: int, group: Group, modules: Sequence[str]) -> list[str]:
        """The modules of a group that is not always there: an identity stands in for a module alone."""
        asked = self._definition.conditions[number]
        (step, *others) = group.steps
        space = " " * _INDENT
        if step.is_module and not others and step.operands == (group.otherwise,):
            return _module_or_identity(step, modules, asked)
        flag = (
            asked
            if asked.startswith("has_") and asked.isidentifier()
            else self._flag("pad" if step.is_pad else step.label)
        )
        self._conditions[number] = f"self.{flag}"
        known = asked if " is not None" in asked else f"self.{flag}"
        self._static += [flag] * bool(modules)
        inner = [f"{space}if {known}:", *modules] if modules else []
        return [f"{space}self.{flag} = {asked}", *inner]

    def _flag(self, label: str) -> str:
        taken = {step.attribute for step in self._definition.body.steps} | set(self._definition.parameters)
        taken |= {text.removeprefix("self.") for text in self._conditions.values()}
        return fresh(f"has_{safe(label)}", taken)

    def _made(self, step: Step, indent: int) -> list[str]:
        """The lines that make a step's modules, or keep what its forward reads."""
        if step.is_sequence:
            return self._sequence(step, indent) if step.children else []
        if step.children:
            name, arguments = self._constructor(step.children[0])
            return layout.call(f"self.{step.attribute} = {name}", arguments, "", indent)
        if step.is_module:
            assert step.call is not None, "a module is a call"
            arguments = [text for argument, hole in step.arguments if (text := self._argument(argument, hole, ""))]
            return layout.call(f"self.{step.attribute} = {step.call.class_name}", arguments, "", indent)
        kept = [name for hole in step.kept if isinstance(name := self._definition.fillings[hole], str)]
        calls = "()" if step.activation is not None else ""
        return [f"{' ' * _INDENT}self.{name} = {name}{calls}" for name in dict.fromkeys(kept)]

    def _sequence(self, step: Step, indent: int) -> list[str]:
        """A table of layers, a row each, with what it makes and costs beside it."""
        calls = layout.aligned([(name, *arguments) for name, arguments in map(self._constructor, step.children)])
        rows = [self._rows.get(child.region) for child in step.children]
        space, inner = " " * indent, " " * (indent + 4)
        lines: list[tuple[str, str, str]] = []
        at = 0
        while at < len(calls):
            same = 1
            while at + same < len(calls) and calls[at + same] == calls[at]:
                same += 1
            same = same if same >= _SEVERAL else 1
            text = f"*({calls[at]} for _ in range({same}))," if same > 1 else f"{calls[at]},"
            row = rows[at]
            lines.append((text, row.shape, f"{row.costs[PRIMARY]:,}") if row and row.costs else (text, "", ""))
            at += same
        opening, end = ("nn.Sequential(", ")") if step.index is None else ("nn.ModuleList([", "])")
        head = f"{space}self.{step.attribute} = {opening}"
        if not any(shape for _, shape, _ in lines):
            body = [f"{inner}{text}" for text, _, _ in lines]
            return [f"{space}# fmt: off", head, *body, f"{space}{end}", f"{space}# fmt: on"]
        width = max(len(text) for text, _, _ in lines)
        shapes = max(len("output"), *(len(shape) for _, shape, _ in lines))
        costs = max(len(COSTS[PRIMARY].unit), *(len(cost) for _, _, cost in lines))
        titles = f"# {'output':<{shapes}}  {COSTS[PRIMARY].unit:>{costs}}"
        return [
            f"{space}# fmt: off",
            f"{head:<{indent + 4 + width}}  {titles}",
            *(f"{inner}{text:<{width}}  # {shape:<{shapes}}  {cost:>{costs}}" for text, shape, cost in lines),
            f"{space}{end}",
            f"{space}# fmt: on",
        ]

    def _constructor(self, child: Child) -> tuple[str, list[str]]:
        if child.definition is None:
            return "nn.Identity", []
        definition = self._classes[child.definition]
        first = positional(definition)
        found: list[str] = []
        for name, hole in child.holes:
            filling = self._definition.fillings[hole]
            parameter = definition.parameters[name]
            if isinstance(filling, Filling) and parameter.has_default and same(filling.value, parameter.default):
                continue
            text = self._filled(hole)
            found.append(text if name in first else f"{name}={text}")
        return definition.name, found

    # Holes

    def _filled(self, hole: str) -> str:
        """A hole as an expression: the parameter's name or the constant."""
        filling = self._definition.fillings[hole]
        return filling if isinstance(filling, str) else _literal(filling.value)

    def _argument(self, argument: Argument, hole: str, owner: str) -> str | None:
        """An argument as written, None where it is torch's default anyway; parameters of the class are attributes of
        `owner`."""
        filling = self._definition.fillings[hole]
        given = argument.value if isinstance(argument.value, Attribute) else Attribute("")
        if isinstance(filling, str):
            text = f"{owner}{filling} // 2" if given.halved else f"{owner}{filling}"
            text = f"float({text})" if given.real else text
        elif isinstance(filling, Unpadded):
            text = f"0 if {self._conditions[filling.group]} else {_literal(filling.value)}"
        else:
            value = filling.value
            text = _real(value) if given.real else _literal(int(value or 0) // 2 if given.halved else value)
            if argument.default is not None and text == _literal(argument.default):
                return None
        return text if argument.positional else f"{argument.name}={text}"

    def _activation(self, hole: str) -> str:
        """What calls an activation in the forward."""
        filling = self._definition.fillings[hole]
        if isinstance(filling, str):
            return f"self.{filling}"
        op = OPS[str(filling.value)]
        return f"F.{op.call(Tensors(Node('', op.name))).target}"


def _facts(found: Backbone) -> list[str]:
    """What a network says of its features, in timm's words."""
    space, inner = " " * _INDENT, " " * (_INDENT + 4)
    taps = (f'"num_chs": {t.channels}, "reduction": {t.reduction}, "module": {_quoted(t.module)}' for t in found.taps)
    listed = [f"{space}self.feature_info = [", *(f"{inner}{{{tap}}}," for tap in taps), f"{space}]"]
    return [f"{space}self.num_features = {found.channels}", *listed]


def _returned(body: Merged) -> str:
    """The type of what a forward returns."""
    last = next((step.call for step in body.steps if step.key == body.output), None)
    return "dict[str, Tensor]" if last is not None and last.kind == "named" else "Tensor"


def _quoted(name: str) -> str:
    return f'"{name}"'


def positional(definition: ClassDefinition) -> list[str]:
    """The parameters of a block's class that calls give by their places."""
    names = list(definition.parameters)
    if names[:1] != [IN_CHANNELS]:
        return []
    return names[:2] if names[1:2] == ["width"] and not definition.parameters["width"].has_default else names[:1]


def _declared(parameter: Parameter) -> str:
    """A parameter in a signature."""
    kinds: Mapping[type, str] = {
        bool: "bool",
        float: "float",
        str: "type[nn.Module]",
        Pair: "int | tuple[int, int]",
        Word: "str",
    }
    hint = kinds.get(parameter.kind, "int") + (" | None" if parameter.is_optional else "")
    default = f" = {_literal(parameter.default)}" if parameter.has_default else ""
    return f"{parameter.name}: {hint}{default}"


def _literal(value: Hole) -> str:
    """A constant as written; an activation as the class of it."""
    if isinstance(value, Pair):
        return repr(value.numbers)
    if isinstance(value, Word):
        return _quoted(value)
    return f"nn.{OPS[value].module}" if isinstance(value, str) else repr(value)


def _real(value: Hole) -> str:
    """A number, or two, as written with a point."""
    return repr(tuple(map(float, value.numbers)) if isinstance(value, Pair) else float(value or 0))


def _module_or_identity(step: Step, made: Sequence[str], asked: str) -> list[str]:
    """A module, or an identity where it is not asked for; `made` is laid out under a condition."""
    line = f"{made[0].removeprefix('    ')} if {asked} else nn.Identity()"
    if len(made) == 1 and len(line) <= layout.WIDTH:
        return [line]
    identity = f"{' ' * _INDENT}self.{step.attribute} = nn.Identity()"
    return [identity, f"{' ' * _INDENT}if {asked}:", *made]
