"""Ops of the IR as functions: `conv(3, 16)`, `relu`; those of several tensors are called with them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from nasir.ir.ops import Op, Parameter
from nasir.ir.path import ALTERNATIVE
from nasir.ir.values import Ref, Scalar, Value, key, text
from nasir.lang import mistakes
from nasir.lang import syntax as s
from nasir.lang.building import Naming, Tensor
from nasir.lang.functions.parametric import Parametric
from nasir.lang.things import Bound, Context, Function, Place, Thing, Writer, describe


@dataclass(frozen=True)
class OpFunction(Parametric):
    """An op; its parameters are the node's attributes."""

    kind = "op"

    op: Op

    @property
    def name(self) -> str:
        return self.op.name

    @property
    def step(self) -> str:
        return self.op.name

    @cached_property
    def positional(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return (*(p.name for p in self.op.parameters), *self._sides)

    @property
    def _sides(self) -> tuple[str, ...]:
        """The operands that a call gives by their names, beside the tensor of the flow."""
        return self.op.operands[1:] if self.op.operands[:1] == ("x",) else ()

    @property
    def beyond(self) -> tuple[str, ...]:
        pairs = [p.name for p in self.op.parameters if p.kind == "size"]
        return (f"a height and a width are one argument: `{pairs[0]}=49x10`",) if pairs else ()

    def takes_tensor(self, name: str) -> bool:
        return name in self._sides

    def called(self, call: s.Call, place: Place, context: Context) -> Thing:
        named = {str(argument.name) for argument in call.arguments if argument.name}
        if self.op.operands[:1] == ("x",) and len(named & {*self._sides}) == len(self._sides):
            return super().called(call, place, context)
        return self._called_with_tensors(call, place, context)

    def _called_with_tensors(self, call: s.Call, place: Place, context: Context) -> Tensor:
        """An op called with its tensors: `shortcut(x, y)`, `concat(a, b)`, `image(3, size=32)`."""
        is_variadic = self.op.operands == ("...",)
        operands = tuple(f"x{i}" for i in range(len(call.arguments))) if is_variadic else self.op.operands
        inside = place.frame.place(self.name)
        tensors: dict[str, Tensor] = {}
        for operand, argument in zip(operands, call.arguments, strict=False):
            if argument.name is not None and (is_variadic or argument.name.text != operand):
                raise mistakes.unknown_argument(argument.name.span, self.name, argument.name.text, ())
            thing = context.evaluate(argument.value, inside)
            if not isinstance(thing, Tensor):
                raise mistakes.not_a_value(argument.span, describe(thing), "a tensor")
            tensors[operand] = thing
        if is_variadic and not tensors:
            raise mistakes.missing_argument(call.span, self.name, "tensor")
        if len(tensors) < len(operands):
            raise mistakes.missing_argument(call.span, self.name, operands[len(tensors)])
        rest = replace(call, arguments=call.arguments[len(operands) :])
        bound = {label: Bound(tensors[label], call.span) for label in self._sides}
        known = replace(self, bound={**self.bound, **bound})
        return known.partial(rest, inside, context)._applied(tensors, place.naming(steps=1), context)

    def apply(self, x: Tensor, naming: Naming, context: Context) -> Tensor:
        operands = {"x": x}
        for label in self._sides:
            thing = self.bound[label].value if label in self.bound else None
            if isinstance(thing, Tensor):
                operands[label] = thing
        if self.op.operands != tuple(operands):
            raise mistakes.not_applicable(self.span, f"`{self.name}` takes its tensors as arguments and")
        return self._applied(operands, naming, context)

    def _applied(self, operands: dict[str, Tensor], naming: Naming, context: Context) -> Tensor:
        attributes = self._attributes()  # before a name is taken: one that is missing leaves no gap in the names
        return self._node(naming.next(self.step), operands, attributes, context)

    def _node(self, name: str, operands: dict[str, Tensor], attributes: dict[str, Value], context: Context) -> Tensor:
        for parameter in self.op.parameters:
            value = attributes[parameter.name]
            if not isinstance(value, Ref) or parameter.sizing:
                continue
            if (options := context.builder.options(value)) is not None:  # else it follows from shapes: known later
                return self._mixture(name, operands, parameter, value, options, context)
        written = tuple(
            (parameter, b.span.text)
            for parameter, b in self.bound.items()
            if parameter in attributes and (b.span.text.isidentifier() or b.span.text == "x.channels")
        )
        made = context.builder.node(name, self.op.name, operands, attributes, self.span, written)
        results = self.op.results(next(iter(attributes.values()))) if attributes else 1
        return replace(made, results=results)

    def _mixture(
        self,
        name: str,
        operands: dict[str, Tensor],
        parameter: Parameter,
        value: Ref,
        options: Sequence[Scalar],
        context: Context,
    ) -> Tensor:
        """A decision where torch needs a constant (a kernel, a stride, a bias): a mixture of the op at each option."""
        span = self.bound[parameter.name].span
        branches: dict[Scalar, Tensor] = {}
        for option in options:
            one = replace(self, bound={**self.bound, parameter.name: Bound(option, span)})
            place = f"{name}{ALTERNATIVE}{parameter.name}_{key(option)}"
            branches[option] = one._node(place, operands, one._attributes(), context)
        return context.builder.mix(name, value, branches, self.span)

    def _attributes(self) -> dict[str, Value]:
        return {p.name: self._attribute(p) for p in self.op.parameters}

    def _attribute(self, parameter: Parameter) -> Value:
        bound = self.bound.get(parameter.name)
        if bound is None:
            if parameter.default is None:
                raise mistakes.missing_argument(self.span, self.name, parameter.name)
            return parameter.default
        if isinstance(bound.value, (Tensor, Function)):
            raise mistakes.not_a_value(bound.span, describe(bound.value), f"a value for `{parameter.name}`")
        if not isinstance(bound.value, Ref) and (problem := parameter.problem(bound.value)):
            raise mistakes.out_of_range(bound.span, parameter.name, problem, text(bound.value))
        return bound.value

    def written(self, path: str, writer: Writer) -> s.Expr:
        return self.written_call(self.name, path, writer)

    def written_as_row(self, path: str, name: str, writer: Writer) -> s.Expr:
        return self.written(path, writer)
