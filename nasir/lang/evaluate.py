"""Expressions to things: values, tensors, functions. A set makes a decision each time it is evaluated."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nasir.diagnostics import Span
from nasir.ir.dims import SHAPE_FUNCTIONS, Decision, Dim
from nasir.ir.ops import OPS
from nasir.ir.values import Ref, Scalar, Value, text
from nasir.lang import mistakes
from nasir.lang import syntax as s
from nasir.lang.building import Builder, Naming, join
from nasir.lang.modules import Module
from nasir.lang.things import (
    BlockFunction,
    Bound,
    ChoiceFunction,
    Composed,
    Conditional,
    Function,
    Identity,
    OneOf,
    OpFunction,
    Tensor,
    Thing,
    describe,
    name_of,
    share,
    steps,
)

if TYPE_CHECKING:
    from nasir.lang.application import Applier

MOST_OPTIONS = 4_096
MOST_STEPS = 10_000
"""Of a flow in parentheses, the flows that it is made of written out."""
DEEPEST_LETS = 40
VALUE_FUNCTIONS: Mapping[str, tuple[int, int]] = {"round_to": (2, 3), "min": (2, 2), "max": (2, 2)}
_COMPARISONS = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_OPERATORS = {"+": "add", "-": "sub", "*": "mul", "/": "div", "and": "and", "or": "or", **_COMPARISONS}


class Poisoned(Exception):
    """The expression uses a name whose own definition was a mistake: that mistake is reported already."""


@dataclass(frozen=True)
class Poison:
    """What a name is bound to after its definition failed."""


@dataclass
class Frame:
    """The names in scope at a place of the program, and the path its nodes are named under."""

    module: Module
    path: str
    names: dict[str, Thing | Poison] = field(default_factory=dict[str, "Thing | Poison"])
    unlabelled: dict[str, int] = field(default_factory=dict[str, int])

    def naming(self, label: str | None, *, single: bool) -> Naming:
        """The names of a flow's steps. Flows that are bound to no name count their steps together."""
        return Naming(self.path, label, single, {} if label else self.unlabelled)


class Evaluator:
    """Evaluates the expressions of one space."""

    applier: "Applier"

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self._lets: dict[Span, Thing] = {}
        self._open_lets: list[Span] = []

    def evaluate(self, expr: s.Expr, frame: Frame, hint: str, label: str | None = None) -> Thing:
        """What `expr` is in `frame`. `hint` names decisions and dims it makes, `label` the flow's steps."""
        match expr:
            case s.Number(value=value) | s.Bool(value=value) | s.String(value=value):
                return value
            case s.Name():
                return self.name(expr, frame)
            case s.Attribute():
                return self._attribute(expr, frame, hint)
            case s.Call():
                return self._call(expr, frame, hint, label)
            case s.Binary():
                return self._binary(expr, frame, hint, label)
            case s.Unary():
                return self._unary(expr, frame, hint)
            case s.Set() | s.Range():
                return self._decision(expr, frame, hint)
            case s.Flow():
                return self._flow(expr, frame, hint, label)
            case s.Guarded():
                return self._guarded(expr, frame, hint)
            case s.Stages():
                raise mistakes.stray_stages(expr.span)
            case s.Empty():
                raise mistakes.not_a_value(expr.span, "an empty cell", "a value")

    def value(self, expr: s.Expr, frame: Frame, hint: str) -> Value:
        """`expr` as a number, a truth value or a reference to one."""
        thing = self.evaluate(expr, frame, hint)
        if isinstance(thing, (Tensor, Function)):
            raise mistakes.not_a_value(expr.span, describe(thing), "a number")
        return thing

    def name(self, expr: s.Name, frame: Frame) -> Thing:
        """What a name stands for: the frame's own names first, then the file's, then ops."""
        if expr.text in frame.names:
            thing = frame.names[expr.text]
            if isinstance(thing, Poison):
                raise Poisoned
            return _named(thing, expr)
        if expr.text in frame.module.names:
            module, definition = frame.module.names[expr.text]
            match definition:
                case s.Block():
                    return BlockFunction(expr.span, definition, module)
                case s.Choice():
                    return ChoiceFunction(expr.span, definition, module)
                case s.Let():
                    return _named(self._let(definition, module), expr)
        if expr.text == "identity":
            return Identity(expr.span)
        if expr.text in OPS and OPS[expr.text].in_language:
            return OpFunction(expr.span, OPS[expr.text])
        # `binding` reports the same mistake in the same words, guards apart: their names are known only here.
        raise mistakes.unknown_name(expr.span, expr.text, {*frame.names, *builtin_names(), *frame.module.names})

    def _let(self, definition: s.Let, module: Module) -> Thing:
        # One decision, however often and from however many blocks it is used.
        if definition.span not in self._lets:
            name = definition.name.text
            if definition.span in self._open_lets:
                raise mistakes.recursive(definition.name.span, name)
            if len(self._open_lets) >= DEEPEST_LETS:
                raise mistakes.too_large(definition.name.span, "values are defined by values too deep", DEEPEST_LETS)
            self._open_lets.append(definition.span)
            try:
                thing = self.evaluate(definition.value, Frame(module, ""), name)
                self._lets[definition.span] = share(thing, name) if isinstance(thing, Function) else thing
            finally:
                self._open_lets.pop()
        return self._lets[definition.span]

    def _attribute(self, expr: s.Attribute, frame: Frame, hint: str) -> Value:
        base = self.evaluate(expr.base, frame, hint)
        if not isinstance(base, Tensor):
            raise mistakes.not_a_value(expr.base.span, describe(base), "a tensor")
        if expr.name.text not in SHAPE_FUNCTIONS:
            raise mistakes.unknown_attribute(expr.name.span, expr.name.text)
        dim = Dim(join(frame.path, f"{expr.name.text}"), expr.name.text, of=base.node)
        return self.builder.dims.define(dim)

    def _call(self, expr: s.Call, frame: Frame, hint: str, label: str | None) -> Thing:
        if (
            isinstance(expr.callee, s.Name)
            and expr.callee.text in VALUE_FUNCTIONS
            and expr.callee.text not in frame.names
        ):
            return self._value_function(expr, expr.callee.text, frame, hint)
        callee = self.evaluate(expr.callee, frame, hint)
        if not isinstance(callee, Function):
            raise mistakes.not_a_value(expr.callee.span, describe(callee), "a function")
        if isinstance(callee, OpFunction) and callee.op.operands != ("x",):
            return self.applier.call_op(expr, callee, frame, frame.naming(label, single=True))
        return self.partial(expr, replace(callee, span=expr.span), frame, hint)

    def partial(self, expr: s.Call, callee: Function, frame: Frame, hint: str) -> Function:
        """The function with the call's arguments bound; the rest may come from a table's row."""
        match callee:
            case OpFunction():
                names: tuple[str, ...] | None = tuple(p.name for p in callee.op.parameters)
            case BlockFunction():
                names = tuple(p.name.text for p in callee.block.parameters)
            case ChoiceFunction():
                names = None  # what its alternatives take; checked where it is applied
            case _:
                raise mistakes.not_callable(expr.callee.span)
        bound = dict(callee.bound)
        for i, argument in enumerate(expr.arguments):
            name = self._parameter_name(argument, i, names, name_of(callee))
            if name in bound:
                raise mistakes.given_twice(argument.span, name_of(callee), name)
            value = self.evaluate(argument.value, frame, join(hint, name))
            if isinstance(value, Tensor) and isinstance(callee, OpFunction):
                raise mistakes.tensor_as_argument(expr, argument, callee.op.name)
            bound[name] = Bound(value, argument.value.span)
        return replace(callee, bound=bound)

    def _parameter_name(self, argument: s.Argument, index: int, names: tuple[str, ...] | None, callee: str) -> str:
        if argument.name is None:
            if names is None or index >= len(names):
                raise mistakes.too_many_arguments(argument.span, callee, len(names or ()))
            return names[index]
        if names is not None and argument.name.text not in names:
            raise mistakes.unknown_argument(argument.name.span, callee, argument.name.text, names)
        return argument.name.text

    def _value_function(self, expr: s.Call, name: str, frame: Frame, hint: str) -> Value:
        least, most = VALUE_FUNCTIONS[name]
        if named := [a for a in expr.arguments if a.name is not None]:
            raise mistakes.only_by_position(named[0].span, name)
        if not least <= len(expr.arguments) <= most:
            raise mistakes.argument_count(expr.span, name, least, most)
        args = [self.value(a.value, frame, f"{hint}.in") for a in expr.arguments]
        return self._apply(name, args, expr.span, hint)

    def _binary(self, expr: s.Binary, frame: Frame, hint: str, label: str | None) -> Thing:
        left = self.evaluate(expr.left, frame, join(hint, "left"))
        right = self.evaluate(expr.right, frame, join(hint, "right"))
        if expr.operator == "^":
            raise mistakes.stray_power(expr.span)
        function = _OPERATORS[expr.operator]
        if isinstance(left, Tensor) and isinstance(right, Tensor) and function in {"add", "mul"}:
            name = frame.naming(label, single=True).next(function)
            return self.builder.node(name, function, {"a": left, "b": right}, {}, expr.span)
        for thing, side in ((left, expr.left), (right, expr.right)):
            if isinstance(thing, (Tensor, Function)):
                raise mistakes.not_a_value(side.span, describe(thing), "a number")
        return self._apply(function, [left, right], expr.span, hint)  # pyright: ignore[reportArgumentType]

    def _unary(self, expr: s.Unary, frame: Frame, hint: str) -> Value:
        operand = self.value(expr.operand, frame, join(hint, "operand"))
        if expr.operator == "not":
            return self._apply("not", [operand], expr.span, hint)
        return self._apply("sub", [0, operand], expr.span, hint)

    def _apply(self, function: str, args: list[Value], span: Span, hint: str) -> Value:
        try:
            return self.builder.dims.apply(function, *args, hint=hint)
        except TypeError as error:
            raise mistakes.unlike_operands(span, str(error)) from None
        except ValueError as error:
            raise mistakes.arithmetic(span, str(error)) from None
        except ZeroDivisionError:
            raise mistakes.arithmetic(span, "division by zero") from None
        except OverflowError:
            raise mistakes.arithmetic(span, "the result is too large") from None

    def _decision(self, expr: s.Set | s.Range, frame: Frame, hint: str) -> Thing:
        if isinstance(expr, s.Range):
            thing: Thing = self._decide(self._range_options(expr, frame, hint), hint, expr.span)
        else:
            items = [self.evaluate(item, frame, hint) for item in expr.items]
            thing = self._set(expr, items, hint)
        if not isinstance(thing, (Tensor, Function)):
            self.builder.record.sites[frame.path, expr.span] = thing
        elif isinstance(thing, OneOf):
            self.builder.record.sites[frame.path, expr.span] = thing.selector
            self.builder.record.sets[frame.path, expr.span] = tuple(thing.options)
        return thing

    def _set(self, expr: s.Set, items: list[Thing], hint: str) -> Thing:
        if all(isinstance(item, Function) for item in items):
            functions: dict[str, Function] = {}
            for item, place in zip(items, expr.items, strict=True):
                assert isinstance(item, Function), "all items are functions"
                if name_of(item) in functions:
                    raise mistakes.repeated_option(place.span, f"`{name_of(item)}`")
                functions[name_of(item)] = item
            selector = self._decide(tuple(functions), hint, expr.span)
            return (
                OneOf(expr.span, selector, functions) if isinstance(selector, Ref) else next(iter(functions.values()))
            )
        scalars: list[Scalar] = []
        for item, place in zip(items, expr.items, strict=True):
            if isinstance(item, (Tensor, Function)):
                raise mistakes.mixed_set(expr.span)
            if isinstance(item, Ref):
                raise mistakes.not_a_value(place.span, describe(item), "a constant")
            if isinstance(item, str) or (scalars and isinstance(item, bool) != isinstance(scalars[0], bool)):
                raise mistakes.mixed_set(expr.span)
            if item in scalars:
                raise mistakes.repeated_option(place.span, text(item))
            scalars.append(item)
        if len(scalars) > MOST_OPTIONS:
            raise mistakes.too_large(expr.span, f"the set has {len(scalars):,} options", MOST_OPTIONS)
        return self._decide(tuple(scalars), hint, expr.span)

    def _range_options(self, expr: s.Range, frame: Frame, hint: str) -> tuple[Scalar, ...]:
        low, high, step = (self._constant(e, frame, hint) for e in (expr.low, expr.high, expr.step))
        if step <= 0 or high < low:
            raise mistakes.bad_range(expr.span, "the range is empty")
        count = (high - low) / step
        if count > MOST_OPTIONS:
            raise mistakes.too_large(expr.span, f"the range has {count + 1:,.0f} options", MOST_OPTIONS)
        whole = round(count)
        if not math.isclose(count, whole, abs_tol=1e-9):
            below = math.floor(count)
            ends = (tidy(low + below * step), tidy(low + (below + 1) * step))
            raise mistakes.bad_step(expr.high.span, text(low), text(high), text(step), (text(ends[0]), text(ends[1])))
        return tuple(tidy(low + i * step) for i in range(whole + 1))

    def _constant(self, expr: s.Expr, frame: Frame, hint: str) -> int | float:
        value = self.value(expr, frame, hint)
        if isinstance(value, (bool, str, Ref)):
            raise mistakes.not_a_value(expr.span, describe(value), "a constant number")
        return value

    def _decide(self, options: tuple[Scalar, ...], hint: str, span: Span) -> Value:
        return self.builder.dims.decide(Decision(hint or "step", options, span))

    def _flow(self, expr: s.Flow, frame: Frame, hint: str, label: str | None) -> Thing:
        head = self.evaluate(expr.head, frame, hint)
        base = join(frame.path, label) if label else hint
        parts: list[Function | s.Stages] = []
        for step in expr.steps:
            if isinstance(step, s.Stages):
                parts.append(step)
                continue
            thing = self.evaluate(step, frame, base)
            if not isinstance(thing, Function):
                raise mistakes.not_applicable(step.span, describe(thing))
            parts.append(thing)
        if isinstance(head, Function):
            if tables := [p for p in parts if isinstance(p, s.Stages)]:
                raise mistakes.stray_stages(tables[0].span)
            composed = Composed(expr.span, (head, *(p for p in parts if isinstance(p, Function))))
            if composed.size > MOST_STEPS:
                raise mistakes.too_large(expr.span, f"the flow has {composed.size:,} steps", MOST_STEPS)
            return composed
        if not isinstance(head, Tensor):
            raise mistakes.head_not_tensor(expr.head.span, describe(head))
        single = sum(1 if isinstance(p, s.Stages) else steps(p) for p in parts) == 1
        naming = frame.naming(label, single=single)
        for part in parts:
            if isinstance(part, s.Stages):
                head = self.applier.stages(part, head, frame, naming)
            else:
                head = self.applier.apply(part, head, naming, frame.path)
        return head

    def _guarded(self, expr: s.Guarded, frame: Frame, hint: str) -> Function:
        function = self.evaluate(expr.function, frame, hint)
        if not isinstance(function, Function):
            raise mistakes.not_applicable(expr.function.span, describe(function))
        condition = self.value(expr.condition, frame, join(hint, "when"))
        decision = self.builder.dims.decisions.get(condition.name) if isinstance(condition, Ref) else None
        if not all(isinstance(o, (bool, Ref)) for o in (decision.options if decision else (condition,))):
            raise mistakes.not_a_value(expr.condition.span, "a number or a string", "a condition")
        return Conditional(expr.span, function, condition)


def _named(thing: Thing, expr: s.Name) -> Thing:
    """What a name stands for, at the place of the name."""
    if not isinstance(thing, Function):
        return thing
    return replace(thing, span=expr.span, named=isinstance(thing, (Composed, Conditional, OneOf)))


def tidy(value: float) -> int | float:
    """`value` without the noise of repeated float steps, as an int where it is whole and all its parts are."""
    rounded = round(value, 10)
    return int(rounded) if isinstance(value, int) else rounded


WORDS = frozenset(
    "and block by choice false from import let minimize not objective or return search space stages subject to train "
    "true when".split()
)
"""The words of the language, which no name can be."""


def builtin_names() -> tuple[str, ...]:
    """Every name the language knows without a definition."""
    return ("identity", *VALUE_FUNCTIONS, *(name for name, op in OPS.items() if op.in_language))
