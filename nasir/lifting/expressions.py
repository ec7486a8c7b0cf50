"""Syntax trees of programs that no text was read for."""

from collections.abc import Mapping, Sequence

from nasir.diagnostics import Source, Span
from nasir.ir.values import Pair, Scalar, text
from nasir.lang import syntax as s

SPAN = Span(Source("", ""), 0, 0)


def identifier(name: str) -> s.Identifier:
    return s.Identifier(SPAN, name)


def name(text: str) -> s.Name:
    return s.Name(SPAN, text)


def literal(value: Scalar) -> s.Expr:
    """A value as the language writes it."""
    match value:
        case bool():
            return s.Bool(SPAN, value)
        case Pair():
            return s.Sides(SPAN, *value.numbers)
        case str():
            return name(value)
        case _ if value < 0:
            return s.Unary(SPAN, "-", literal(-value))
        case _:
            return s.Number(SPAN, value, text(value))


def binary(left: s.Expr, operator: str, right: s.Expr) -> s.Expr:
    return s.Binary(SPAN, operator, left, right)


def channels() -> s.Expr:
    """`x.channels`."""
    return s.Attribute(SPAN, name("x"), identifier("channels"))


def call(callee: s.Expr, positional: Sequence[s.Expr], named: Mapping[str, s.Expr]) -> s.Expr:
    """A call; the name alone where it has no arguments."""
    arguments = [s.Argument(SPAN, None, value) for value in positional]
    arguments += [s.Argument(SPAN, identifier(one), value) for one, value in named.items()]
    return s.Call(SPAN, callee, tuple(arguments)) if arguments else callee


def flow(head: s.Expr, steps: Sequence[s.Expr]) -> s.Expr:
    return s.Flow(SPAN, head, tuple(steps)) if steps else head
