"""Syntax trees as text, in the one layout: two spaces, aligned tables and bindings."""

import textwrap
from collections.abc import Sequence

from nasir.lang import syntax as s

_WIDTH = 100
_PRECEDENCE = {
    "or": 2,
    "and": 3,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), 5),
    "+": 7,
    "-": 7,
    "*": 8,
    "/": 8,
    "^": 10,
}
_FLOW, _NOT, _COMPARED, _RANGE, _NEGATIVE, _ATOM = 1, 4, 6, 6, 9, 11


def print_file(file: s.File) -> str:
    """The whole file, a blank line between items."""
    parts: list[str] = []
    for before, item in zip((None, *file.items), file.items, strict=False):
        if parts and not (isinstance(item, (s.Import, s.Let)) and type(before) is type(item)):
            parts.append("")
        parts += _item(item)
    return "\n".join(parts) + "\n"


def print_expr(expr: s.Expr) -> str:
    """An expression on one line."""
    return _expr(expr, 0)


def _item(item: s.Item) -> list[str]:
    match item:
        case s.Import():
            names = ", ".join(f"{n.name} as {n.alias}" if n.alias else str(n.name) for n in item.names)
            return [f"from {_quoted(item.path.value)} import {names}"]
        case s.Let():
            return [f"let {_let_name(item)} = {print_expr(item.value)}"]
        case s.NarrowedSpace():
            arguments = ", ".join(f"{a.name} = {print_expr(a.value)}" for a in item.arguments)
            narrowed = ", ".join(f"{'.'.join(n.path)} = {print_expr(n.value)}" for n in item.narrowings)
            with_ = f" with {narrowed}" if narrowed else ""
            return [*_doc(item.doc), f"space {item.name} = {item.base}({arguments}){with_}"]
        case s.Block():
            return [*_doc(item.doc), f"block {item.name}({_parameters(item.parameters)}) {{", *_body(item.body), "}"]
        case s.Space():
            return [*_doc(item.doc), f"space {item.name}({_parameters(item.parameters)}) {{", *_body(item.body), "}"]
        case s.Choice():
            return [f"choice {item.name} {{", *_alternatives(item.alternatives), "}"]
        case s.Objective():
            return _objective(item)
        case s.Settings():
            rows = [(str(x.name), print_expr(x.value)) for x in item.settings]
            return [f"{item.section} {{", *_aligned(rows, " = "), "}"]


def _doc(text: str) -> list[str]:
    return [f"## {line}" for line in textwrap.wrap(text, _WIDTH - 3, break_long_words=False)]


def _parameters(parameters: Sequence[s.Parameter]) -> str:
    written = (str(p.name) if p.default is None else f"{p.name} = {print_expr(p.default)}" for p in parameters)
    return ", ".join(written)


def _alternatives(alternatives: Sequence[s.Alternative]) -> list[str]:
    width = max((len(str(a.name)) for a in alternatives), default=0) + 1
    lines: list[str] = []
    for alternative in alternatives:
        guard = f"  when {print_expr(alternative.condition)}" if alternative.condition else ""
        lines.append(f"  {f'{alternative.name}:':<{width}} {print_expr(alternative.value)}{guard}")
    return lines


def _objective(item: s.Objective) -> list[str]:
    lines = ["objective {", f"  minimize {print_expr(item.minimize)}"]
    if item.constraints:
        bounds = (f"{print_expr(c.left)} {c.operator} {print_expr(c.right)}{'%' * c.percent}" for c in item.constraints)
        lines.append(f"  subject to {', '.join(bounds)}")
    return [*lines, "}"]


def _aligned(rows: Sequence[tuple[str, str]], between: str) -> list[str]:
    width = max((len(left) for left, _ in rows), default=0)
    return [f"  {left:<{width}}{between}{right}" for left, right in rows]


def _body(body: Sequence[s.Statement]) -> list[str]:
    width = max((len(_names(x)) for x in body if isinstance(x, s.Bind)), default=0)
    lines: list[str] = []
    for statement in body:
        match statement:
            case s.Let():
                lines += _statement(f"let {_let_name(statement)} = ", statement.value)
            case s.Require():
                lines += _statement("require ", statement.value)
            case s.Bind():
                lines += _statement(f"{_names(statement):<{width}} = ", statement.value)
            case s.Return():
                lines += _statement("return ", statement.value)
    return lines


def _let_name(item: s.Let) -> str:
    return f"{item.name}({_parameters(item.parameters)})" if item.parameters else str(item.name)


def _names(statement: s.Bind) -> str:
    return ", ".join(map(str, statement.names))


def _statement(start: str, value: s.Expr) -> list[str]:
    if not isinstance(value, s.Flow):
        return [f"  {start}{print_expr(value)}"]
    lines = [f"  {start}{_expr(value.head, _FLOW + 1)}"]
    indent = " " * (2 + len(start))
    for step in value.steps:
        if isinstance(step, s.Stages):
            lines[-1] += " -> stages {"
            lines += [*(f"    {row}" for row in _table(step)), "  }"]
            continue
        written = f"-> {_expr(step, _FLOW + 1)}"
        if len(lines[-1]) + 1 + len(written) <= _WIDTH:
            lines[-1] += f" {written}"
        else:
            lines.append(indent + written)
    return lines


def _table(table: s.Stages) -> list[str]:
    rows = [[str(column) for column in table.header], *([_expr(c, 0) for c in row.cells] for row in table.rows)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(table.header))]
    return ["| " + " | ".join(f"{c:<{w}}" for c, w in zip(row, widths, strict=True)) + " |" for row in rows]


def _expr(expr: s.Expr, least: int) -> str:
    """The expression, in parentheses where it binds weaker than `least`."""
    text, precedence = _written(expr)
    return f"({text})" if precedence < least else text


def _written(expr: s.Expr) -> tuple[str, int]:
    match expr:
        case s.Number():
            return expr.text, _ATOM
        case s.String():
            return _quoted(expr.value), _ATOM
        case s.Bool():
            return ("true" if expr.value else "false"), _ATOM
        case s.Name():
            return expr.text, _ATOM
        case s.Attribute():
            return f"{_expr(expr.base, _ATOM)}.{expr.name}", _ATOM
        case s.Call():
            arguments = (f"{a.name}={print_expr(a.value)}" if a.name else print_expr(a.value) for a in expr.arguments)
            return f"{_expr(expr.callee, _ATOM)}({', '.join(arguments)})", _ATOM
        case s.Binary():
            own = _PRECEDENCE[expr.operator]
            if expr.operator == "^":  # groups to the right, and takes a sign there
                return f"{_expr(expr.left, _ATOM)} ^ {_expr(expr.right, _NEGATIVE)}", own
            # Comparisons do not chain; the others group to the left.
            left = _expr(expr.left, _COMPARED if own == _PRECEDENCE["=="] else own)
            return f"{left} {expr.operator} {_expr(expr.right, own + 1)}", own
        case s.Unary():
            own = _NOT if expr.operator == "not" else _NEGATIVE
            return f"{'not ' if own == _NOT else '-'}{_expr(expr.operand, own)}", own
        case s.Sides():
            return f"{expr.height}x{expr.width}", _ATOM
        case s.Set():
            return f"{{{', '.join(map(print_expr, expr.items))}}}", _ATOM
        case s.Range():
            low, high, step = (_expr(e, _RANGE + 1) for e in (expr.low, expr.high, expr.step))
            return f"{low}..{high} by {step}", _RANGE
        case s.Empty():
            return "-", _ATOM
        case s.OneForTheRow():
            return f"let {print_expr(expr.value)}", _FLOW
        case s.Guarded():
            return f"{_expr(expr.function, _ATOM)} when {_expr(expr.condition, 2)}", _FLOW + 1
        case s.Flow():
            return " -> ".join(_expr(e, _FLOW + 1) for e in (expr.head, *expr.steps)), _FLOW
        case s.Stages():
            return "stages { ... }", _ATOM
        case s.Outputs():
            pairs = zip(expr.names, expr.values, strict=True)
            return f"{{ {', '.join(f'{name}: {print_expr(value)}' for name, value in pairs)} }}", _ATOM


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
