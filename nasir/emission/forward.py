"""A class's forward: values get the program's names; a flow's steps nest while the line is short enough."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from nasir.emission import layout
from nasir.emission.merging import Group, Merged
from nasir.emission.steps import Step
from nasir.ir.naming import safe
from nasir.ir.ops import Argument
from nasir.ir.path import first_free

_INDENT = 8


class Forward:
    """`conditions` are asked for the groups that are not always there, by their numbers; `argument` and `activation`
    write holes."""

    def __init__(
        self,
        body: Merged,
        conditions: Mapping[int, str],
        argument: Callable[[Argument, str, str], str | None],
        activation: Callable[[str], str],
    ) -> None:
        self._body = body
        self._conditions = conditions
        self._argument, self._activation = argument, activation
        self._steps = list(body.steps)
        self._output = body.output
        self._expressions: dict[str, str] = dict(body.arguments)
        self._variables: dict[str, str] = {name: key for key, name in body.arguments.items()}
        """The value that each variable holds."""
        self._inline: set[str] = set()
        self._positions = {step.key: i for i, step in enumerate(self._steps)}
        self._reads: dict[str, list[int]] = {}
        """The positions of the steps that read each value."""
        for i, step in enumerate(self._steps):
            for operand in dict.fromkeys(step.operands):
                self._reads.setdefault(operand, []).append(i)
        self._kept = {self._output, *(group.otherwise for group in body.groups if group.is_optional)}
        """Values that are needed to the end."""
        self._labels = Counter(step.label for step in self._steps)
        self._group_of = [number for number, group in enumerate(body.groups) for _ in group.steps]
        self._lines: list[str] = []
        self._indent = _INDENT

    def lines(self) -> list[str]:
        """The lines of the body."""
        position = 0
        self._apart: set[str] = set()
        """Results that have their names already."""
        for number, group in enumerate(self._body.groups):
            if number in self._conditions:
                self._optional(group, self._conditions[number], position)
            else:
                for i, step in enumerate(group.steps, position):
                    self._step(i, step)
            position += len(group.steps)
        self._put(f"return {self._expressions[self._output]}")
        return self._lines

    def _put(self, line: str) -> None:
        self._lines.append(f"{' ' * self._indent}{line}")

    # Groups that are not always there

    def _optional(self, group: Group, asked: str, position: int) -> None:
        """`value = this if asked else that` on one line, else under an `if`."""
        last = position + len(group.steps) - 1
        for operand in dict.fromkeys((*(o for step in group.steps for o in step.operands), group.otherwise)):
            self._settle(operand, position)
        otherwise = self._expressions[group.otherwise]
        expression = self._nested(group)
        variable = self._variable(group.steps[-1], last)
        ends = group.result == self._output and last == len(self._steps) - 1
        head = "return " if ends else f"{variable} = "
        line = f"{head}{expression} if {asked} else {otherwise}"
        if expression and len(line) + self._indent <= layout.WIDTH:
            if ends:
                self._expressions[group.result] = line.removeprefix("return ")
            else:
                self._put(line)
                self._hold(group.result, variable)
            return
        if variable != otherwise:
            self._put(f"{variable} = {otherwise}")
        self._put(f"if {asked}:")
        self._indent += 4
        for i, step in enumerate(group.steps, position):
            self._step(i, step, nests=i < last)
        if self._expressions[group.result] != variable:
            self._put(f"{variable} = {self._expressions[group.result]}")
        self._indent -= 4
        self._hold(group.result, variable)

    def _nested(self, group: Group) -> str:
        """The group as one expression; nothing where a value in it is read twice."""
        known = dict(self._expressions)
        own = [step.key for step in group.steps]
        reads = Counter(o for step in group.steps for o in dict.fromkeys(step.operands))
        for step in group.steps:
            if step.key != group.result and reads[step.key] != 1:
                return ""
            known[step.key] = self._render(step, known)
        return known[group.result] if group.result == own[-1] else ""

    # Steps

    def _items(self, position: int) -> list[Step]:
        """The steps right behind this one that take its results, where nothing else reads it: each result once."""
        step, found = self._steps[position], list[Step]()
        for item in self._steps[position + 1 :]:
            if item.call is None or item.call.kind != "item" or item.operands != (step.key,):
                break
            found.append(item)
        users = [self._steps[i] for i in self._reads.get(step.key, ())]
        in_order = [item.call.target for item in found if item.call] == [str(i) for i in range(len(found))]
        return found if len(found) > 1 and users == found and in_order else []

    def _take_apart(self, position: int, step: Step, items: Sequence[Step]) -> None:
        """`a, b = torch.chunk(x, 2, dim=1)`."""
        for operand in step.operands:
            self._settle(operand, position)
        names: list[str] = []
        for i, item in enumerate(items, position + 1):
            names.append(first_free(self._variable(item, i), names.__contains__))
        self._put(f"{', '.join(names)} = {self._render(step, self._expressions)}")
        for item, name in zip(items, names, strict=True):
            self._hold(item.key, name)
            self._apart.add(item.key)

    def _step(self, position: int, step: Step, nests: bool = True) -> None:
        if step.key in self._apart:
            return
        if items := self._items(position):
            self._take_apart(position, step, items)
            return
        expression = self._render(step, self._expressions)
        variable = self._variable(step, position)
        start = max(len(f"{variable} = "), len("return ") if step.key == self._output else 0)
        if len(expression) + start + self._indent > layout.WIDTH:
            for operand in step.operands:
                self._settle(operand, position)
            expression = self._render(step, self._expressions)
        self._expressions[step.key] = expression
        if nests and self._nests(position, step):
            self._inline.add(step.key)
            return
        self._inline -= set(step.operands)
        self._assign(step.key, variable)

    def _nests(self, position: int, step: Step) -> bool:
        """Whether the value goes straight into the next step of the same flow, or is returned at once."""
        uses = self._reads.get(step.key, [])
        if not uses:
            return step.key == self._output
        following = self._steps[position + 1]
        alone = self._labels[step.label] == 1 and step.label != "x"
        same = following.label == step.label or alone
        here, there = self._group_of[position], self._group_of[position + 1]
        goes_on = here == there or not self._body.groups[there].is_optional
        once = following.operands.count(step.key) == 1
        return uses == [position + 1] and once and same and goes_on and step.key != self._output

    def _settle(self, value: str, position: int) -> None:
        """Give a nested value a line of its own."""
        if value in self._inline:
            step = self._steps[self._positions[value]]
            self._assign(value, self._variable(step, position - 1))
            self._inline.discard(value)

    def _assign(self, value: str, variable: str) -> None:
        self._put(f"{variable} = {self._expressions[value]}")
        self._hold(value, variable)

    def _hold(self, value: str, variable: str) -> None:
        self._expressions[value] = variable
        self._variables[variable] = value

    def _variable(self, step: Step, position: int) -> str:
        """The flow's name; with a number where that name's value is still needed."""

        def is_needed(name: str) -> bool:
            value = self._variables.get(name, step.key)
            return value != step.key and (value in self._kept or self._reads.get(value, [-1])[-1] > position)

        return first_free("padded" if step.is_pad else safe(step.label), is_needed)

    def _render(self, step: Step, known: Mapping[str, str]) -> str:
        operands = [known[o] for o in step.operands]
        if step.activation is not None:
            return f"{self._activation(step.activation)}({operands[0]})"
        if step.is_module:
            return self._module_call(step, operands)
        assert step.call is not None, "what is no module is a call"
        match step.call.kind:
            case "operator":
                return f" {step.call.target} ".join(map(_bracketed, operands))
            case "factor":
                ((argument, hole),) = step.arguments
                factor = self._argument(replace(argument, positional=True), hole, "self.")
                return f"{factor} * {_bracketed(operands[0])}"
            case "named":
                pairs = zip(step.call.target.split(), operands, strict=True)
                return "{" + ", ".join(f'"{name}": {operand}' for name, operand in pairs) + "}"
            case "padded":
                return layout.padded(operands[0], step.call)
            case "item":
                return f"{_bracketed(operands[0])}[{step.call.target}]"
            case kind:
                arguments = [a for one, hole in step.arguments if (a := self._argument(one, hole, "self."))]
                given = [f"[{', '.join(operands)}]"] if kind == "sequence" else operands
                if step.call.like:
                    *given, like = operands
                    arguments.insert(0, f"size={_bracketed(like)}.shape[2:]")
                library = "F" if kind == "function" else "torch"
                return f"{library}.{step.call.target}({', '.join([*given, *arguments])})"

    def _module_call(self, step: Step, operands: Sequence[str]) -> str:
        given = ", ".join(operands)
        if step.call is not None and step.call.flatten:
            given = f"{_bracketed(given)}.flatten(1)"
        if step.index is not None:
            return f"self.{step.attribute}[{step.index}]({given})"
        if step.call is not None and step.call.channels_last:
            return f"self.{step.attribute}({_bracketed(given)}.movedim(1, -1)).movedim(-1, 1)"
        return f"self.{step.attribute}({given})"


def _bracketed(expression: str) -> str:
    """An expression that stands as one operand: in brackets where it has an operator outside of all brackets."""
    depth = 0
    for letter in expression:
        depth += (letter in "([{") - (letter in ")]}")
        if letter == " " and depth == 0:
            return f"({expression})"
    return expression
