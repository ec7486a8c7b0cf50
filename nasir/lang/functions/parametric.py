"""Functions that a call binds parameters of: ops, blocks and choices."""

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

from nasir.lang import mistakes
from nasir.lang import syntax as s
from nasir.lang.building import Tensor
from nasir.lang.things import Bound, Context, Function, Place, Thing, Writer


@dataclass(frozen=True)
class Parametric(Function, ABC):
    """A function by its name; `bound` are the arguments it has. The others may come from a table's row."""

    kind: ClassVar[str]

    bound: Mapping[str, Bound] = field(default_factory=dict[str, Bound], kw_only=True)

    @property
    def beyond(self) -> tuple[str, ...]:
        """Hints for a call that gives more arguments than there are."""
        return ()

    @property
    def described(self) -> str:
        return f"the {self.kind} `{self.name}`"

    @property
    def parameters(self) -> frozenset[str]:
        return frozenset(self.positional) - self.bound.keys()

    def takes(self, name: str) -> bool:
        return name in self.positional and not self._is_given(name)

    def _is_given(self, name: str) -> bool:
        return name in self.bound and not self.bound[name].default

    def takes_tensor(self, name: str) -> bool:
        """Whether a tensor can be bound to the parameter `name`."""
        return True

    def bind(self, name: str, bound: Bound) -> Self:
        return replace(self, bound={**self.bound, name: bound}) if self.takes(name) else self

    def called(self, call: s.Call, place: Place, context: Context) -> Thing:
        return replace(self, span=call.span).partial(call, place, context)

    def partial(self, call: s.Call, place: Place, context: Context) -> Self:
        """Itself with the call's arguments bound.

        Raises:
            Mistake: where they do not fit.
        """
        function = self
        for i, argument in enumerate(call.arguments):
            name = function._parameter(argument, i)
            value = context.evaluate(argument.value, place.part(name))
            if isinstance(value, Tensor) and not self.takes_tensor(name):
                raise mistakes.tensor_as_argument(call, argument, self.name)
            expr = argument.value if isinstance(value, Tensor) else None
            function = function.bind(name, Bound(value, argument.value.span, expr=expr))
        return function

    def _parameter(self, argument: s.Argument, index: int) -> str:
        """The parameter that the argument is for."""
        if argument.name is None and index >= len(self.positional):
            raise mistakes.too_many_arguments(argument.span, self.name, len(self.positional), *self.beyond)
        name = argument.name.text if argument.name else self.positional[index]
        if self._is_given(name):
            raise mistakes.given_twice(argument.span, self.name, name)
        if argument.name and not self.takes(name):
            raise mistakes.unknown_argument(argument.name.span, self.name, name, self.positional)
        return name

    def written_call(self, name: str, path: str, writer: Writer) -> s.Expr:
        """A call of `name` with the arguments that are bound, as one writes it in the scope `path`."""
        arguments = tuple(
            s.Argument(b.span, s.Identifier(b.span, parameter), _written(b, path, writer))
            for parameter, b in self.bound.items()
            if not isinstance(b.value, Tensor) or b.expr is not None
        )
        if not arguments:
            return s.Name(self.span, name)
        return s.Call(self.span, s.Name(self.span, name), arguments)


def _written(bound: Bound, path: str, writer: Writer) -> s.Expr:
    match bound.value:
        case Tensor():
            assert bound.expr is not None, "a tensor is written as its cell is"
            return bound.expr
        case Function():
            return bound.value.written(path, writer)
        case value:
            return writer.value(bound.span, value)
