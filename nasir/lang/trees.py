"""Lark's tree of a text as the tree of `syntax`."""

import re
from typing import Any, cast

from lark import Token, Tree

from nasir.diagnostics import Source, Span
from nasir.lang import mistakes
from nasir.lang import syntax as s

LARGEST_NUMBER = 2**53
LARGEST_SIDE = 1_000_000
_MULTIPLES = {"K": 10**3, "M": 10**6, "G": 10**9}
UNITS = ("us", "ms", "s", "KB", "MB")
"""Of numbers in objectives; what each stands for is the cost's to say."""


class Trees:
    """Lark's tree to ours; one method a rule."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def file(self, tree: "Tree[Token]") -> s.File:
        items = cast("tuple[s.Item, ...]", self._all(tree.children))
        return s.File(Span(self._source, 0, len(self._source.text)), items)

    def part(self, tree: "Tree[Token]") -> Any:
        return self._build(tree)

    def _build(self, node: Any) -> Any:
        if node is None:
            return None
        if isinstance(node, Token):
            return s.Identifier(Span(self._source, node.start_pos or 0, node.end_pos or 0), str(node))
        tree = cast("Tree[Token]", node)
        meta = tree.meta
        span = Span(self._source, 0, 0) if meta.empty else Span(self._source, meta.start_pos, meta.end_pos)
        return getattr(self, f"_{tree.data.strip('_')}")(span, tree.children)

    def _all(self, children: list[Any]) -> tuple[Any, ...]:
        return tuple(self._build(c) for c in children if c is not None)

    def _import(self, span: Span, children: list[Any]) -> s.Import:
        path, *names = children
        return s.Import(span, self._string(self._build(path).span, [path]), self._all(names))

    def _import_name(self, span: Span, children: list[Any]) -> s.ImportName:
        return s.ImportName(span, *map(self._build, children))

    def _let(self, span: Span, children: list[Any]) -> s.Let:
        name, parameters, value = map(self._build, children)
        return s.Let(span, name, value, parameters or ())

    def _narrowed_space(self, span: Span, children: list[Any]) -> s.NarrowedSpace:
        name, base, arguments, *narrowings = (self._build(child) for child in children if child is not None)
        return s.NarrowedSpace(span, name, base, arguments, tuple(narrowings), doc=_doc(span))

    def _narrowing(self, span: Span, children: list[Any]) -> s.Narrowing:
        place, value = children
        return s.Narrowing(span, tuple(map(str, place.children)), self._build(value))

    def _require(self, span: Span, children: list[Any]) -> s.Require:
        return s.Require(span, *map(self._build, children))

    def _defaults(self, span: Span, children: list[Any]) -> s.Defaults:
        return s.Defaults(span, *map(self._build, children))

    def _bind(self, span: Span, children: list[Any]) -> s.Bind:
        *names, value = map(self._build, children)
        return s.Bind(span, tuple(names), value)

    def _return(self, span: Span, children: list[Any]) -> s.Return:
        return s.Return(span, *map(self._build, children))

    def _block(self, span: Span, children: list[Any]) -> s.Block:
        return s.Block(span, *map(self._build, children), doc=_doc(span))

    def _space(self, span: Span, children: list[Any]) -> s.Space:
        return s.Space(span, *map(self._build, children), doc=_doc(span))

    def _parameters(self, span: Span, children: list[Any]) -> tuple[s.Parameter, ...]:
        return self._all(children)

    def _parameter(self, span: Span, children: list[Any]) -> s.Parameter:
        return s.Parameter(span, *map(self._build, children))

    def _body(self, span: Span, children: list[Any]) -> tuple[s.Statement, ...]:
        return self._all(children)

    def _outputs(self, span: Span, children: list[Any]) -> s.Outputs:
        pairs = self._all(children)
        return s.Outputs(span, tuple(name for name, _ in pairs), tuple(value for _, value in pairs))

    def _output(self, span: Span, children: list[Any]) -> tuple[s.Identifier, s.Expr]:
        name, value = map(self._build, children)
        return name, value

    def _choice(self, span: Span, children: list[Any]) -> s.Choice:
        name, *alternatives = children
        return s.Choice(span, self._build(name), self._all(alternatives))

    def _alternative(self, span: Span, children: list[Any]) -> s.Alternative:
        return s.Alternative(span, *map(self._build, children))

    def _objective(self, span: Span, children: list[Any]) -> s.Objective:
        minimize, subject = map(self._build, children)
        return s.Objective(span, minimize, subject or ())

    def _minimize(self, span: Span, children: list[Any]) -> s.Expr:
        return self._build(children[0])

    def _subject(self, span: Span, children: list[Any]) -> tuple[s.Constraint, ...]:
        return self._build(children[0])

    def _constraints(self, span: Span, children: list[Any]) -> tuple[s.Constraint, ...]:
        return self._all(children)

    def _constraint(self, span: Span, children: list[Any]) -> s.Constraint:
        left, operator, right, percent = children
        return s.Constraint(span, str(operator), self._build(left), self._build(right), percent is not None)

    def _settings(self, span: Span, children: list[Any]) -> s.Settings:
        section, *settings = children
        return s.Settings(span, str(section), self._all(settings))

    def _override(self, span: Span, children: list[Any]) -> s.Settings:
        section, setting = children
        return s.Settings(span, str(section or ""), (self._build(setting),))

    def _setting(self, span: Span, children: list[Any]) -> s.Setting:
        return s.Setting(span, *map(self._build, children))

    def _step(self, span: Span, children: list[Any]) -> s.Flow:
        steps: list[Any] = []
        head: Any
        step: Any
        head, step = children
        while isinstance(head, Tree) and head.data == "step":
            steps.append(step)
            head, step = cast("list[Any]", head.children)
        steps.append(step)
        return s.Flow(span, self._build(head), tuple(self._build(x) for x in reversed(steps)))

    def _guarded(self, span: Span, children: list[Any]) -> s.Guarded:
        return s.Guarded(span, *map(self._build, children))

    def _binary(self, span: Span, children: list[Any]) -> s.Binary:
        left, operator, right = children
        return s.Binary(span, str(operator), self._build(left), self._build(right))

    def _not(self, span: Span, children: list[Any]) -> s.Unary:
        return s.Unary(span, "not", self._build(children[0]))

    def _negative(self, span: Span, children: list[Any]) -> s.Unary:
        return s.Unary(span, "-", self._build(children[1]))

    def _span_of_values(self, span: Span, children: list[Any]) -> s.Range:
        return s.Range(span, *map(self._build, children))

    def _attribute(self, span: Span, children: list[Any]) -> s.Attribute:
        return s.Attribute(span, *map(self._build, children))

    def _call(self, span: Span, children: list[Any]) -> s.Call:
        return s.Call(span, *map(self._build, children))

    def _arguments(self, span: Span, children: list[Any]) -> tuple[s.Argument, ...]:
        return self._all(children)

    def _argument(self, span: Span, children: list[Any]) -> s.Argument:
        return s.Argument(span, *map(self._build, children))

    def _number(self, span: Span, children: list[Any]) -> s.Number:
        written = str(children[0])
        unit = next((unit for unit in UNITS if written.endswith(unit)), "")
        written = written.removesuffix(unit)
        multiple = _MULTIPLES.get(written[-1], 1)
        digits = written[:-1] if multiple > 1 else written
        value = float(digits) * multiple if set(digits) & set(".eE") else int(digits[:400]) * multiple
        if value > LARGEST_NUMBER:
            raise mistakes.too_large_number(span, LARGEST_NUMBER)
        return s.Number(span, int(value) if multiple > 1 and value == int(value) else value, str(children[0]), unit)

    def _pair(self, span: Span, children: list[Any]) -> s.Sides:
        height, width = (int(side[:400]) for side in str(children[0]).split("x"))
        if max(height, width) > LARGEST_SIDE:
            raise mistakes.too_large_number(span, LARGEST_SIDE)
        return s.Sides(span, height, width)

    def _string(self, span: Span, children: list[Any]) -> s.String:
        return s.String(span, re.sub(r"\\(.)", r"\1", str(children[0])[1:-1]))

    def _true(self, span: Span, children: list[Any]) -> s.Bool:
        return s.Bool(span, True)

    def _false(self, span: Span, children: list[Any]) -> s.Bool:
        return s.Bool(span, False)

    def _name(self, span: Span, children: list[Any]) -> s.Name:
        return s.Name(span, str(children[0]))

    def _set(self, span: Span, children: list[Any]) -> s.Set:
        return s.Set(span, self._all(children))

    def _stages(self, span: Span, children: list[Any]) -> s.Stages:
        rows = self._all(children)
        if not rows:
            raise mistakes.no_header(span)
        header = tuple(self._column(cell) for cell in rows[0].cells)
        return s.Stages(span, header, rows[1:])

    def _column(self, cell: s.Expr) -> s.Identifier:
        if isinstance(cell, s.Name):
            return s.Identifier(cell.span, cell.text)
        raise mistakes.no_header(cell.span)

    def _row(self, span: Span, children: list[Any]) -> s.Row:
        return s.Row(span, self._all(children))

    def _one_for_the_row(self, span: Span, children: list[Any]) -> s.OneForTheRow:
        return s.OneForTheRow(span, *map(self._build, children))

    def _empty(self, span: Span, children: list[Any]) -> s.Empty:
        return s.Empty(span)


def _doc(span: Span) -> str:
    """The comments `##` right above what begins its line, as one text."""
    lines: list[str] = []
    line, column = span.source.place(span.start)
    if span.source.line(line)[: column - 1].strip():
        return ""
    for number in range(line - 1, 0, -1):
        text = span.source.line(number).strip()
        if not text.startswith("##"):
            break
        lines.append(text.lstrip("#").strip())
    return " ".join(reversed(lines)).strip()
