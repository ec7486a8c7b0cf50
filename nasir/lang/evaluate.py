"""Expressions to things: values, tensors, functions."""

from collections.abc import Mapping

from nasir.diagnostics import Span
from nasir.ir.dims import SHAPE_FUNCTIONS, Dim
from nasir.ir.ops import OPS
from nasir.ir.ops import WORDS as WORDS_OF_OPS
from nasir.ir.values import Ref, Value, pair_of
from nasir.lang import composition, mistakes
from nasir.lang import syntax as s
from nasir.lang.building import Tensor, join
from nasir.lang.decisions import decision
from nasir.lang.functions.block import BlockFunction
from nasir.lang.functions.choice import ChoiceFunction
from nasir.lang.functions.flow import flow
from nasir.lang.functions.guard import guarded
from nasir.lang.functions.identity import Identity
from nasir.lang.functions.op import OpFunction
from nasir.lang.functions.pick import NAME as PICK
from nasir.lang.functions.pick import SUBSETS, pick, subsets
from nasir.lang.functions.values import value_function
from nasir.lang.imports import Definition, Module
from nasir.lang.things import Bound, Context, Frame, Function, Place, Poison, Poisoned, Thing, as_value, describe

DEEPEST_LETS = 40
VALUE_FUNCTIONS: Mapping[str, tuple[int, int]] = {"round_to": (2, 3), "min": (2, 2), "max": (2, 2)}
_OF_TENSORS = ("add", "sub", "mul")
"""Operators that are ops, between two tensors; a tensor times a number is the op `_FACTOR`."""
_FACTOR = "times"
_COMPARISONS = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_OPERATORS = {"+": "add", "-": "sub", "*": "mul", "/": "div", "and": "and", "or": "or", **_COMPARISONS}


class Evaluator(Context):
    """Evaluates the expressions of one space."""

    def __init__(self) -> None:
        super().__init__()
        self._lets: dict[Span, Thing] = {}
        self._open_lets: list[Span] = []

    def evaluate(self, expr: s.Expr, place: Place) -> Thing:
        match expr:
            case s.Number(value=value) | s.Bool(value=value) | s.String(value=value):
                return value
            case s.Sides(height=height, width=width):
                return pair_of(height, width)
            case s.Name():
                return self._name(expr, place.frame)
            case s.Attribute():
                return self._attribute(expr, place)
            case s.Call():
                return self._call(expr, place)
            case s.Binary():
                return self._binary(expr, place)
            case s.Unary():
                return self._unary(expr, place)
            case s.Set() | s.Range():
                return decision(expr, place, self)
            case s.Flow():
                return flow(expr, place, self)
            case s.Guarded():
                return guarded(expr, place, self)
            case s.Stages():
                raise mistakes.stray_stages(expr.span)
            case s.Outputs():
                raise composition.stray_outputs(expr.span)
            case s.OneForTheRow():
                return self.evaluate(expr.value, place)
            case s.Empty():
                raise mistakes.not_a_value(expr.span, "an empty cell", "a value")

    def _name(self, expr: s.Name, frame: Frame) -> Thing:
        """What a name stands for: the frame's own names first, then the file's, then ops."""
        if expr.text in frame.names:
            thing = frame.names[expr.text]
            if isinstance(thing, Poison):
                raise Poisoned
            return _at(thing, expr.span)
        if expr.text in frame.module.names:
            return self._with_defaults(self._defined(expr, *frame.module.names[expr.text]), expr.text, frame.module)
        if expr.text in WORDS_OF_OPS:
            return expr.text
        if expr.text == "identity":
            return Identity(expr.span)
        if expr.text in OPS and OPS[expr.text].in_language:
            return self._with_defaults(OpFunction(expr.span, OPS[expr.text]), expr.text, frame.module)
        # `binding` reports the same mistake in the same words, guards apart: their names are known only here.
        raise mistakes.unknown_name(expr.span, expr.text, {*frame.names, *builtin_names(), *frame.module.names})

    def _with_defaults(self, thing: Thing, name: str, module: Module) -> Thing:
        """A function with what its file sets for it."""
        for parameter, argument in module.defaults.get(name, {}).items():
            if not isinstance(thing, (BlockFunction, OpFunction)) or not thing.takes(parameter):
                known = thing.parameters if isinstance(thing, (BlockFunction, OpFunction)) else ()
                raise composition.no_such_default(argument.span, name, parameter, known)
            value = self.evaluate(argument.value, Frame(module, "").place(parameter))
            thing = thing.bind(parameter, Bound(value, argument.value.span, default=True))
        return thing

    def _defined(self, expr: s.Name, module: Module, definition: Definition) -> Thing:
        match definition:
            case s.Block():
                return BlockFunction(expr.span, definition, module)
            case s.Choice():
                return ChoiceFunction(expr.span, definition, module)
            case s.Space():
                raise composition.space_as_a_step(expr.span, expr.text)
            case s.Let() if definition.parameters:
                return _at(self.value_function(definition, Frame(module, "")), expr.span)
            case s.Let():
                return _at(self._let(definition, module), expr.span)

    def value_function(self, definition: s.Let, frame: Frame) -> Function:
        return value_function(definition, frame)

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
                thing = self.evaluate(definition.value, Frame(module, "").place(name))
                self._lets[definition.span] = thing.shared(name) if isinstance(thing, Function) else thing
            finally:
                self._open_lets.pop()
        return self._lets[definition.span]

    def _attribute(self, expr: s.Attribute, place: Place) -> Thing:
        base, name = self.tensor(expr.base, place.part()), expr.name.text
        rows = dict(base.rows)
        if name in rows:
            return Tensor(rows[name])
        if name not in SHAPE_FUNCTIONS:
            raise mistakes.unknown_attribute(expr.name.span, name, list(rows))
        return self.builder.dims.define(Dim(join(place.frame.path, name), name, of=base.node))

    def _call(self, expr: s.Call, place: Place) -> Thing:
        name = expr.callee.text if isinstance(expr.callee, s.Name) else ""
        if name in VALUE_FUNCTIONS and name not in place.frame.names:
            return self._value_function(expr, name, place)
        if name == PICK and name not in {*place.frame.names, *place.frame.module.names}:
            return pick(expr, place, self)
        if name == SUBSETS and name not in {*place.frame.names, *place.frame.module.names}:
            return subsets(expr, place, self)
        callee = self.evaluate(expr.callee, place.part())
        if not isinstance(callee, Function):
            raise mistakes.not_a_value(expr.callee.span, describe(callee), "a function")
        return callee.called(expr, place, self)

    def _value_function(self, expr: s.Call, name: str, place: Place) -> Value:
        least, most = VALUE_FUNCTIONS[name]
        if named := [a for a in expr.arguments if a.name is not None]:
            raise mistakes.only_by_position(named[0].span, name)
        if not least <= len(expr.arguments) <= most:
            raise mistakes.argument_count(expr.span, name, least, most)
        args = [self.value(a.value, place.part("in")) for a in expr.arguments]
        return self._compute(name, args, expr.span, place)

    def _binary(self, expr: s.Binary, place: Place) -> Thing:
        left = self.evaluate(expr.left, place.part("left"))
        right = self.evaluate(expr.right, place.part("right"))
        if expr.operator == "^":
            raise mistakes.stray_power(expr.span)
        function = _OPERATORS[expr.operator]
        if isinstance(left, Tensor) and isinstance(right, Tensor) and function in _OF_TENSORS:
            name = place.naming(steps=1).next(function)
            return self.builder.node(name, function, {"a": left, "b": right}, {}, expr.span)
        for tensor, factor in ((left, right), (right, left)):
            if isinstance(tensor, Tensor) and isinstance(factor, (int, float, Ref)) and function == "mul":
                return self._times(tensor, factor, expr.span, place)
        operands = [as_value(thing, side) for thing, side in ((left, expr.left), (right, expr.right))]
        return self._compute(function, operands, expr.span, place)

    def _times(self, tensor: Tensor, factor: Value, span: Span, place: Place) -> Tensor:
        """A tensor times a number."""
        bound = {"factor": Bound(factor, span)}
        return OpFunction(span, OPS[_FACTOR], bound=bound).apply(tensor, place.naming(steps=1), self)

    def _unary(self, expr: s.Unary, place: Place) -> Thing:
        thing = self.evaluate(expr.operand, place.part("operand"))
        if isinstance(thing, Tensor) and expr.operator == "-":
            return self._times(thing, -1, expr.span, place)
        operand = as_value(thing, expr.operand)
        if expr.operator == "not":
            return self._compute("not", [operand], expr.span, place)
        return self._compute("sub", [0, operand], expr.span, place)

    def _compute(self, function: str, args: list[Value], span: Span, place: Place) -> Value:
        try:
            return self.builder.dims.apply(function, *args, hint=place.hint)
        except TypeError as error:
            raise mistakes.unlike_operands(span, str(error)) from None
        except ValueError as error:
            raise mistakes.arithmetic(span, str(error)) from None
        except ZeroDivisionError:
            raise mistakes.arithmetic(span, "division by zero") from None
        except OverflowError:
            raise mistakes.arithmetic(span, "the result is too large") from None


def _at(thing: Thing, span: Span) -> Thing:
    """What a name stands for, at the place of the name."""
    return thing.at(span) if isinstance(thing, Function) else thing


WORDS = frozenset(
    "and block by choice false from import let minimize not objective or require return search set space stages "
    "subject to train true when with".split()
)
"""The words of the language, which no name can be."""


def builtin_names() -> tuple[str, ...]:
    """Every name the language knows without a definition."""
    return (
        "identity",
        PICK,
        SUBSETS,
        *WORDS_OF_OPS,
        *VALUE_FUNCTIONS,
        *(name for name, op in OPS.items() if op.in_language),
    )
