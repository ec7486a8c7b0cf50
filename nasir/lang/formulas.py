"""Arithmetic over numbers and a few names, as objectives and settings have it; no decisions, no tensors."""

import json
import math
from collections.abc import Callable, Mapping
from typing import cast

from nasir.lang import mistakes
from nasir.lang import syntax as s

NO_UNITS: Mapping[str, float] = {"": 1}
FORMULA_FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "exp": math.exp,
    "log": math.log,
    "cos": math.cos,
    "sqrt": math.sqrt,
    "min": min,
    "max": max,
}
_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "^": lambda a, b: cast(float, float(a) ** float(b)),  # whole numbers would grow as far as memory goes
}


def has_names(expr: s.Expr) -> bool:
    match expr:
        case s.Name():
            return True
        case s.Binary():
            return has_names(expr.left) or has_names(expr.right)
        case s.Unary():
            return has_names(expr.operand)
        case _:
            return not isinstance(expr, s.Number)


def cost_name(expr: s.Expr) -> str | None:
    """The name that an expression is, `macs`, `macs(exact)` or `latency("pi4.json")`; None where it is none."""
    match expr:
        case s.Name():
            return expr.text
        case s.Call(callee=s.Name(text=text), arguments=arguments) if text not in FORMULA_FUNCTIONS:
            written = [_cost_argument(argument) for argument in arguments]
            return f"{text}({', '.join(map(str, written))})" if written and None not in written else None
        case _:
            return None


def _cost_argument(argument: s.Argument) -> str | None:
    """An argument of a cost as its name has it, a word or a path."""
    match argument:
        case s.Argument(name=None, value=s.Name(text=text)):
            return text
        case s.Argument(name=None, value=s.String(value=path)):
            return json.dumps(path, ensure_ascii=False)
        case _:
            return None


def has_unit(expr: s.Expr) -> bool:
    """Whether a number in it has one."""
    return any(isinstance(tree, s.Number) and tree.unit for tree in s.walk(expr))


def costs_in(expr: s.Expr) -> list[s.Expr]:
    """The expressions with names (`cost_name`) that arithmetic joins, in the order written."""
    match expr:
        case _ if cost_name(expr) is not None:
            return [expr]
        case s.Binary():
            return [*costs_in(expr.left), *costs_in(expr.right)]
        case s.Unary():
            return costs_in(expr.operand)
        case _:
            return []


def number(expr: s.Expr, names: Mapping[str, float], units: Mapping[str, float] = NO_UNITS) -> float:
    """The value of an arithmetic expression over numbers, `names` and FORMULA_FUNCTIONS; `units` says what the units
    stand for that numbers may have."""
    match expr:
        case s.Number(value=value, unit=unit):
            if unit and unit not in units:
                raise mistakes.wrong_unit(expr.span, unit, units)
            return value * units.get(unit, 1)
        case s.Name() if expr.text in names:
            return names[expr.text]
        case s.Name():
            raise mistakes.unknown_name(expr.span, expr.text, (*names, *FORMULA_FUNCTIONS))
        case s.Unary(operator="-"):
            return -number(expr.operand, names, units)
        case s.Binary() if expr.operator in _ARITHMETIC:
            left, right = number(expr.left, names, units), number(expr.right, names, units)
            if expr.operator == "/" and right == 0:
                raise mistakes.arithmetic(expr.span, "division by zero")
            if expr.operator == "^" and not (0 < left <= 1e6 and abs(right) <= 1e6):
                raise mistakes.arithmetic(expr.span, "a power has a base above 0")
            try:
                return _ARITHMETIC[expr.operator](left, right)
            except OverflowError:
                raise mistakes.arithmetic(expr.span, "the result is too large") from None
        case s.Call(callee=s.Name() as callee) if callee.text in FORMULA_FUNCTIONS:
            if named := [a for a in expr.arguments if a.name is not None]:
                raise mistakes.only_by_position(named[0].span, callee.text)
            arity = 2 if callee.text in {"min", "max"} else 1
            if len(expr.arguments) != arity:
                raise mistakes.argument_count(expr.span, callee.text, arity, arity)
            try:
                return FORMULA_FUNCTIONS[callee.text](*(number(a.value, names, units) for a in expr.arguments))
            except (ValueError, OverflowError):
                values = ", ".join(f"{name} = {value:g}" for name, value in names.items() if name.startswith("epoch"))
                where = f" where {values}" if values else ""
                raise mistakes.arithmetic(expr.span, f"`{callee.text}` has no value here{where}") from None
        case s.Call(callee=s.Name() as callee):
            raise mistakes.unknown_name(callee.span, callee.text, FORMULA_FUNCTIONS)
        case _:
            raise mistakes.not_a_value(expr.span, "no arithmetic", "a number")
