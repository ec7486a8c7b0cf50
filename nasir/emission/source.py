"""Classes to source text: every line is decided here; the template only puts them in order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nasir.cost.model import CostModel
from nasir.cost.registry import COSTS
from nasir.cost.table import layer_rows
from nasir.emission import layout
from nasir.emission.structure import Child, ClassDefinition, Filled, Named, Step, classes_of
from nasir.ir.graph import Graph, Node
from nasir.ir.naming import safe
from nasir.ir.ops import OPS, Attribute, Tensors
from nasir.templates import template

_FORWARD_INDENT = 8


@dataclass(frozen=True)
class ClassText:
    """A class for the template: lines are whole, indented and in order."""

    name: str
    docstring: Sequence[str]
    signature: Sequence[str]
    init: Sequence[str]
    forward_signature: str
    forward: Sequence[str]


def model_source(graph: Graph, notes: Sequence[str] = ()) -> str:
    """The text of `model.py` for a concrete graph: torch alone, no trace of the search. `notes` are lines for its
    docstring, as they stand in the source."""
    definitions = classes_of(graph)
    classes = [_class_text(definition, definitions) for definition in definitions]
    code = "\n".join(line for c in classes for line in (*c.init, *c.forward))
    return template("model.py.j2").render(
        summary=[*_summary(graph), *_closing(notes)],
        classes=classes,
        uses_torch="torch." in code,
        uses_functional="F." in code,
    )


def _summary(graph: Graph) -> list[str]:
    """The head docstring: the architecture's table and its totals."""
    model = CostModel(graph)
    total = model.at({})
    image = graph.input.shape
    rows = layer_rows(graph)
    lines = [
        f"{graph.name}: {', '.join(f'{figure:,} {COSTS[name].unit}' for name, figure in total.items())}.",
        "",
        f"Input: images of shape [N, {', '.join(map(str, image.values()))}]. Multiply-adds are those of",
        "convolutions and linear layers for one image; parameters are all trainable ones.",
        "",
    ]
    table = [("part", "made of", "output", *(COSTS[name].unit for name in total))]
    table += [(r.name, r.block, r.shape, *(f"{amount:,}" for amount in r.costs.values())) for r in rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    for row in table:
        cells = [f"{c:<{w}}" if i < 3 else f"{c:>{w}}" for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        lines.append("  ".join(cells).rstrip())
    return lines


def _closing(notes: Sequence[str]) -> list[str]:
    """What follows the table: what is known of the images, and how the weights come in."""
    return [
        "",
        *notes,
        *[""] * bool(notes),
        'Weights: `model.load_state_dict(safetensors.torch.load_file("model.safetensors"))`.',
    ]


def _class_text(definition: ClassDefinition, classes: Sequence[ClassDefinition]) -> ClassText:
    instance = definition.example
    inputs = [*(["x"] if instance.inputs else []), *(f"x{i + 1}" for i in range(1, instance.inputs))]
    hints = {name: _hint(definition, hole) for name, hole in definition.parameters.items()}
    parameters = ["self", *(f"{name}: {hint}" for name, hint in hints.items())]
    forward = ", ".join(["self", *(f"{name}: Tensor" for name in inputs)])
    return ClassText(
        definition.name,
        _docstring(definition),
        layout.call("def __init__", parameters, " -> None:", 4),
        _init(definition, classes),
        f"    def forward({forward}) -> Tensor:",
        _Forward(definition, inputs).lines(),
    )


def _hint(definition: ClassDefinition, hole: int) -> str:
    return "nn.Module" if isinstance(definition.example.holes[hole], str) else "int"


def _docstring(definition: ClassDefinition) -> list[str]:
    if definition.example.region is None:
        return [f'    """{definition.block}: [N, C, H, W] images to logits."""']
    labels = dict.fromkeys(step.label for step in definition.example.steps if step.label != "x")
    parts = f": {', '.join(labels)}" if labels else ""
    line = f'    """`{definition.block}`{parts}."""'
    return [line if len(line) <= layout.WIDTH else f'    """`{definition.block}`."""']


def _filled(definition: ClassDefinition, hole: int) -> str:
    """A hole as an expression: the parameter's name or the constant."""
    filling = definition.fillings[hole]
    if isinstance(filling, Named):
        return filling
    if isinstance(filling, str):
        return f"nn.{OPS[filling].module}()"
    return repr(filling)


def _init(definition: ClassDefinition, classes: Sequence[ClassDefinition]) -> list[str]:
    lines: list[str] = []
    for step in definition.example.steps:
        if step.call is not None and step.call.kind == "module":
            arguments = [text for f in step.arguments if (text := _argument(definition, f)) is not None]
            lines += layout.call(f"self.{step.attribute} = nn.{step.call.target}", arguments, "", 8)
        elif kept := [name for hole in step.kept if isinstance(name := definition.fillings[hole], Named)]:
            lines += [line for name in dict.fromkeys(kept) if (line := f"        self.{name} = {name}") not in lines]
        elif step.is_sequence:
            lines.append(f"        self.{step.attribute} = nn.Sequential(")
            for child in step.children:
                lines += layout.call(*_constructor(definition, child, classes), ",", 12)
            lines.append("        )")
        elif step.children:
            name, arguments = _constructor(definition, step.children[0], classes)
            lines += layout.call(f"self.{step.attribute} = {name}", arguments, "", 8)
    return lines


def _constructor(
    definition: ClassDefinition, child: Child, classes: Sequence[ClassDefinition]
) -> tuple[str, list[str]]:
    if child.definition is None:
        return "nn.Identity", []
    return classes[child.definition].name, [_filled(definition, hole) for hole in child.holes]


def _argument(definition: ClassDefinition, filled: Filled, owner: str = "") -> str | None:
    """An argument as written, None where it is torch's default anyway; parameters of the class are attributes of
    `owner`."""
    argument, text = filled.argument, _filled(definition, filled.hole)
    is_constant = not isinstance(definition.fillings[filled.hole], Named)
    text = text if is_constant else f"{owner}{text}"
    if isinstance(argument.value, Attribute) and argument.value.halved:
        text = str(int(text) // 2) if is_constant else f"{text} // 2"
    if is_constant and argument.default is not None and text == repr(argument.default):
        return None
    return text if argument.positional else f"{argument.name}={text}"


class _Forward:
    """A class's forward: values get the program's names; a flow's steps nest while the line is short enough."""

    def __init__(self, definition: ClassDefinition, inputs: Sequence[str]) -> None:
        self._definition = definition
        self._instance = definition.example
        self._expressions: dict[int, str] = dict(enumerate(inputs))
        self._variables: dict[str, int] = {name: i for i, name in enumerate(inputs)}
        self._inline: dict[int, str] = {}
        self._lines: list[str] = []

    def lines(self) -> list[str]:
        steps = self._instance.steps
        for i, step in enumerate(steps):
            self._step(i, step)
        self._lines.append(f"        return {self._expressions[self._instance.output]}")
        return self._lines

    def _step(self, position: int, step: Step) -> None:
        expression = self._render(step, self._expressions)
        variable = self._variable(step, position)
        start = max(len(f"{variable} = "), len("return ") if step.result == self._instance.output else 0)
        if len(expression) + start + _FORWARD_INDENT > layout.WIDTH:
            for operand in step.operands:
                self._settle(operand, position)
            expression = self._render(step, self._expressions)
        self._expressions[step.result] = expression
        if self._nests(position, step):
            self._inline[step.result] = step.label
            return
        for operand in step.operands:
            self._inline.pop(operand, None)
        self._assign(step.result, variable)

    def _nests(self, position: int, step: Step) -> bool:
        """Whether the value goes straight into the next step of the same flow, or is returned at once."""
        uses = [s for s in self._instance.steps[position + 1 :] if step.result in s.operands]
        if not uses:
            return step.result == self._instance.output
        following = self._instance.steps[position + 1]
        return uses == [following] and following.label == step.label and step.result != self._instance.output

    def _settle(self, value: int, position: int) -> None:
        """Give a nested value a line of its own."""
        if value in self._inline:
            step = next(s for s in self._instance.steps if s.result == value)
            self._assign(value, self._variable(step, position - 1))
            del self._inline[value]

    def _assign(self, value: int, variable: str) -> None:
        self._lines.append(f"        {variable} = {self._expressions[value]}")
        self._expressions[value] = variable
        self._variables[variable] = value

    def _variable(self, step: Step, position: int) -> str:
        """The flow's name; with a number where that name's value is still needed."""
        later = {o for s in self._instance.steps[position + 1 :] for o in s.operands} | {self._instance.output}
        base = safe(step.label)
        name, count = base, 1
        while name in self._variables and self._variables[name] in later - {step.result}:
            count += 1
            name = f"{base}_{count}"
        return name

    def _render(self, step: Step, known: Mapping[int, str]) -> str:
        operands = [known[o] for o in step.operands]
        if step.activation is not None:
            filling = self._definition.fillings[step.activation]
            if isinstance(filling, Named):
                return f"self.{filling}({operands[0]})"
            return f"F.{_function(str(filling))}({operands[0]})"
        if step.call is None or step.call.kind == "module":
            flat = ".flatten(1)" if step.call is not None and step.call.flatten else ""
            return f"self.{step.attribute}({', '.join(operands)}{flat})"
        if step.call.kind == "operator":
            return f"{operands[0]} {step.call.target} {operands[1]}"
        arguments = [a for f in step.arguments if (a := _argument(self._definition, f, "self.")) is not None]
        if step.call.kind == "sequence":
            tensors = ", ".join(operands)
            return f"torch.{step.call.target}({', '.join([f'[{tensors}]', *arguments])})"
        return f"F.{step.call.target}({', '.join([*operands, *arguments])})"


def _function(name: str) -> str:
    return OPS[name].call(Tensors(Node("", name))).target
