"""Syntax trees as text, in the one layout: two spaces, aligned tables and bindings."""

import math
import textwrap
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from nasir.lang import syntax as s
from nasir.lang.layout import Bracket, Comment, Doc, Filled, Gap, Gaps, Joined, Mark, Printer, Token, Unbroken

WIDTH = 100
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
_FLOW, _NOT, _COMPARED, _RANGE, _SUM, _NEGATIVE, _ATOM = 1, 4, 6, 6, 7, 9, 11


def print_file(file: s.File, gaps: Gaps | None = None) -> str:
    """The whole file, a blank line between items; with the comments and blank lines of `gaps`, or else with the
    documentation of its definitions alone."""
    parts = [_item(item) for item in file.items]
    text = Printer(_docs(file.items, parts) if gaps is None else gaps, WIDTH).items(parts, _apart(file.items))
    return f"{text}\n" if text else ""


def print_expr(expr: s.Expr) -> str:
    """An expression on one line, but for its tables."""
    return Printer({}, math.inf).items([_expr(expr, 0)], [False])


def stand_apart(before: type[s.Item] | None, item: type[s.Item] | None) -> bool:
    """Whether a blank line stands between two items: imports stand together, and so do lets."""
    return before is not item or item not in {s.Import, s.Let, s.Defaults}


def _apart(items: Sequence[s.Item]) -> list[bool]:
    kinds = [None, *map(type, items)]
    return [stand_apart(before, item) for before, item in pairwise(kinds)]


def _docs(items: Sequence[s.Item], parts: Sequence[Doc]) -> Gaps:
    """The documentation of the definitions as comments before them."""
    found: dict[int, Gap] = {}
    place = 0
    for item, part in zip(items, parts, strict=True):
        if isinstance(item, (s.Block, s.Space, s.NarrowedSpace)) and item.doc:
            lines = textwrap.wrap(item.doc, WIDTH - 3, break_long_words=False)
            found[place] = Gap(tuple(Comment(f"## {line}") for line in lines))
        place += part.tokens
    return found


# Items


def _item(item: s.Item) -> Doc:
    match item:
        case s.Import():
            names = _listed([_import_name(name) for name in item.names])
            return _spaced("from", _quoted(item.path.value), "import", Filled(names))
        case s.Let():
            return _let(item)
        case s.Defaults():
            arguments = Bracket("(", _listed([_default(a) for a in item.arguments]), ")", "filled")
            return _spaced("set", Joined((Token(str(item.name)), arguments)))
        case s.NarrowedSpace():
            return _narrowed(item)
        case s.Block():
            return _definition("block", item)
        case s.Space():
            return _definition("space", item)
        case s.Choice():
            return _spaced("choice", str(item.name), _body(_alternatives(item.alternatives)))
        case s.Objective():
            return _spaced("objective", _body(_objective(item)))
        case s.Settings():
            width = max((len(str(x.name)) for x in item.settings), default=0)
            return _spaced(item.section, _body([_bound((x.name,), x.value, width) for x in item.settings]))


def _let(item: s.Let) -> Doc:
    name: Doc = Token(str(item.name))
    if item.parameters:
        name = Joined((name, Bracket("(", _listed([_parameter(p) for p in item.parameters]), ")", "filled")))
    return _spaced("let", name, "=", _expr(item.value, 0))


def _narrowed(item: s.NarrowedSpace) -> Doc:
    arguments = [_default(a) for a in item.arguments]
    base = Joined((Token(str(item.base)), Bracket("(", _listed(arguments), ")", "filled")))
    head = _spaced("space", str(item.name), "=", base)
    if not item.narrowings:
        return head
    narrowings = [_spaced(_place(one.path), "=", _expr(one.value, 0)) for one in item.narrowings]
    return _spaced(head, "with", Filled(_listed(narrowings)))


def _default(argument: s.Argument) -> Doc:
    """`name = value`, as the parameters of a definition have it."""
    return _spaced(str(argument.name), "=", _expr(argument.value, 0)) if argument.name else _expr(argument.value, 0)


def _place(path: Sequence[str]) -> Doc:
    first, *others = path
    return Joined((Token(first), *(part for name in others for part in (Token("."), Token(name)))))


def _import_name(name: s.ImportName) -> Doc:
    return _spaced(str(name.name), "as", str(name.alias)) if name.alias else Token(str(name.name))


def _definition(word: str, item: s.Block | s.Space) -> Doc:
    style = "filled" if all(p.default is None or _is_plain(p.default) for p in item.parameters) else "lines"
    parameters = Bracket("(", _listed([_parameter(p) for p in item.parameters]), ")", style)
    named = Joined((Token(str(item.name)), parameters))
    return _spaced(word, named, _body(_statements(item.body)))


def _parameter(parameter: s.Parameter) -> Doc:
    if parameter.default is None:
        return Token(str(parameter.name))
    return _spaced(str(parameter.name), "=", _expr(parameter.default, 0))


def _body(parts: Sequence[Doc]) -> Doc:
    return Bracket("{", tuple(parts), "}", "body")


def _alternatives(alternatives: Sequence[s.Alternative]) -> list[Doc]:
    width = max((len(str(a.name)) for a in alternatives), default=0)
    return [_alternative(a, width - len(str(a.name))) for a in alternatives]


def _alternative(alternative: s.Alternative, pad: int) -> Doc:
    # A `when` behind a bare flow would be its last step's.
    value = _expr(alternative.value, _FLOW + 1 if alternative.condition else 0)
    if alternative.condition:
        value = Filled((value, _spaced("when", _expr(alternative.condition, _FLOW + 1))), "  ")
    return Joined((Token(str(alternative.name)), Token(":"), Mark(" " * (pad + 1)), value))


def _objective(item: s.Objective) -> list[Doc]:
    lines = [_spaced("minimize", _expr(item.minimize, 0))]
    if item.constraints:
        lines.append(_spaced("subject", "to", Filled(_listed([_constraint(c) for c in item.constraints]))))
    return lines


def _constraint(constraint: s.Constraint) -> Doc:
    right = _expr(constraint.right, _SUM)
    right = Joined((right, Token("%"))) if constraint.percent else right
    return _spaced(_expr(constraint.left, _SUM), constraint.operator, right)


def _statements(body: Sequence[s.Statement]) -> list[Doc]:
    width = max((_width(x.names) for x in body if isinstance(x, s.Bind)), default=0)
    return [_statement(statement, width) for statement in body]


def _statement(statement: s.Statement, width: int) -> Doc:
    match statement:
        case s.Let():
            return _let(statement)
        case s.Require():
            return _spaced("require", _expr(statement.value, 0))
        case s.Bind():
            return _bound(statement.names, statement.value, width)
        case s.Return():
            return _spaced("return", _expr(statement.value, 0))


def _bound(names: Sequence[s.Identifier], value: s.Expr, width: int) -> Doc:
    """`names = value`, the sign behind `width` columns of names."""
    left = _spaced(*_listed([Token(str(name)) for name in names]))
    return Joined((left, Mark(" " * (width - _width(names) + 1)), Token("="), Mark(" "), _expr(value, 0)))


def _width(names: Sequence[s.Identifier]) -> int:
    return len(", ".join(map(str, names)))


# Expressions


def _expr(expr: s.Expr, least: int) -> Doc:
    """The expression, in parentheses where it binds weaker than `least`."""
    doc, precedence = _written(expr)
    return Joined((Mark("(", opens=True), doc, Mark(")"))) if precedence < least else doc


def _written(expr: s.Expr) -> tuple[Doc, int]:
    match expr:
        case s.Number() | s.Name():
            return Token(expr.text), _ATOM
        case s.String():
            return Token(_quoted(expr.value)), _ATOM
        case s.Bool():
            return Token("true" if expr.value else "false"), _ATOM
        case s.Sides():
            return Token(f"{expr.height}x{expr.width}"), _ATOM
        case s.Attribute():
            return Joined((_expr(expr.base, _ATOM), Token("."), Token(str(expr.name)))), _ATOM
        case s.Call():
            values = [a.value for a in expr.arguments]
            arguments = Bracket("(", _listed([_argument(a) for a in expr.arguments]), ")", _style(values))
            return Joined((_expr(expr.callee, _ATOM), arguments)), _ATOM
        case s.Binary():
            return Filled(_operands(expr)), _PRECEDENCE[expr.operator]
        case s.Unary() if expr.operator == "not":
            return _spaced("not", _expr(expr.operand, _NOT)), _NOT
        case s.Unary():
            return Joined((Token("-"), _expr(expr.operand, _NEGATIVE))), _NEGATIVE
        case s.Set():
            return Bracket("{", _listed([_expr(x, 0) for x in expr.items]), "}", _style(expr.items)), _ATOM
        case s.Range():
            low, high, step = (_expr(e, _RANGE + 1) for e in (expr.low, expr.high, expr.step))
            return _spaced(Joined((low, Token(".."), high)), "by", step), _RANGE
        case s.Empty():
            return Token("-"), _ATOM
        case s.OneForTheRow():
            return _spaced("let", _expr(expr.value, 0)), _FLOW
        case s.Guarded():
            guard = _spaced("when", _expr(expr.condition, _FLOW + 1))
            return Filled((_expr(expr.function, _ATOM), guard)), _FLOW + 1
        case s.Flow():
            steps = [_spaced("->", _expr(step, _FLOW + 1)) for step in expr.steps]
            return Filled((_expr(expr.head, _FLOW + 1), *steps)), _FLOW
        case s.Stages():
            return _spaced("stages", _body(_rows(expr))), _ATOM
        case s.Outputs():
            pairs = zip(expr.names, expr.values, strict=True)
            outputs = [Joined((Token(str(name)), Token(":"), Mark(" "), _expr(value, 0))) for name, value in pairs]
            return Bracket("{", _listed(outputs), "}", "lines", " "), _ATOM


def _argument(argument: s.Argument) -> Doc:
    value = _expr(argument.value, 0)
    return Joined((Token(str(argument.name)), Token("="), value)) if argument.name else value


def _operands(expr: s.Binary) -> tuple[Doc, ...]:
    """What stands between the operators, each with the operator before it: all of a sum, all of a product."""
    own = _PRECEDENCE[expr.operator]
    if expr.operator == "^":  # groups to the right, and takes a sign there
        return _expr(expr.left, _ATOM), _spaced("^", _expr(expr.right, _NEGATIVE))
    last = _spaced(expr.operator, _expr(expr.right, own + 1))
    if own == _PRECEDENCE["=="]:  # comparisons do not chain
        return _expr(expr.left, _COMPARED), last
    if isinstance(expr.left, s.Binary) and _PRECEDENCE[expr.left.operator] == own:
        return *_operands(expr.left), last
    return _expr(expr.left, own), last


def _rows(table: s.Stages) -> list[Doc]:
    """The rows of a table; where a cell holds a table or a comment, its row is no longer aligned."""
    rows = [[Token(str(column)) for column in table.header], *([_expr(c, 0) for c in row.cells] for row in table.rows)]
    columns = max(map(len, rows))
    widths = [max((len(row[i].flat or "") for row in rows if i < len(row)), default=0) for i in range(columns)]
    return [_row(row, widths) for row in rows]


def _row(cells: Sequence[Doc], widths: Sequence[int]) -> Doc:
    parts: list[Doc] = [Token("|")]
    for cell, width in zip(cells, widths, strict=False):
        pad = 0 if cell.flat is None else width - len(cell.flat)
        parts += [Mark(" "), cell, Mark(" " * (pad + 1)), Token("|")]
    return Unbroken(Joined(tuple(parts)))


# Parts


def _spaced(*parts: Doc | str) -> Doc:
    """The parts with a blank between two; a text is one token."""
    found: list[Doc] = []
    for part in parts:
        found += [Mark(" ")] if found else []
        found.append(Token(part) if isinstance(part, str) else part)
    return Joined(tuple(found))


def _listed(parts: Sequence[Doc]) -> tuple[Doc, ...]:
    """The parts, with a comma behind each but the last."""
    return (*(Joined((part, Mark(","))) for part in parts[:-1]), *parts[-1:])


def _style(values: Sequence[s.Expr]) -> Literal["filled", "lines"]:
    """How a list stands on several lines: values that are words are filled, others have a line each."""
    return "filled" if all(map(_is_plain, values)) else "lines"


def _is_plain(value: s.Expr) -> bool:
    if isinstance(value, s.Set):
        return all(map(_is_plain, value.items))
    return isinstance(value, (s.Number, s.Sides, s.String, s.Bool, s.Name, s.Attribute, s.Range))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
