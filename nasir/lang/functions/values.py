"""Functions of values: `let ch(c, m = 1.0) = round_to(8, c * m)`."""

from dataclasses import dataclass, field, replace
from functools import cached_property

from nasir.lang import composition, mistakes
from nasir.lang import syntax as s
from nasir.lang.building import Naming, Tensor
from nasir.lang.functions.parametric import Parametric
from nasir.lang.things import Context, Frame, Function, Place, Thing, Writer

MOST_CALLS = 20_000
"""Of functions of values in one space: two that call each other's callers twice grow by powers of two."""


@dataclass(frozen=True)
class ValueFunction(Parametric):
    """A `let` with parameters: a call of it is its expression, the names in it the arguments'. It decides nothing."""

    kind = "function of values"

    definition: s.Let
    frame: Frame = field(repr=False)

    @property
    def name(self) -> str:
        return self.definition.name.text

    @cached_property
    def positional(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return tuple(p.name.text for p in self.definition.parameters)

    def called(self, call: s.Call, place: Place, context: Context) -> Thing:
        known = self.partial(call, place, context)
        context.value_calls += 1
        if context.value_calls > MOST_CALLS:
            raise mistakes.too_large(call.span, "functions of values are called too often", MOST_CALLS)
        with context.call(self):
            inside = replace(self.frame, path=place.frame.path, names=dict(self.frame.names))
            for parameter in self.definition.parameters:
                name = parameter.name.text
                if name in known.bound:
                    inside.names[name] = known.bound[name].value
                elif parameter.default is None:
                    raise mistakes.missing_argument(call.span, self.name, name)
                else:
                    inside.names[name] = context.evaluate(parameter.default, Place(inside, place.hint))
            return context.value(self.definition.value, Place(inside, place.hint))

    def apply(self, x: Tensor, naming: Naming, context: Context) -> Tensor:
        raise mistakes.not_applicable(self.span, f"`{self.name}` makes values and")

    def written(self, path: str, writer: Writer) -> s.Expr:
        return s.Name(self.span, self.name)


def value_function(definition: s.Let, frame: Frame) -> Function:
    """What a `let` with parameters is.

    Raises:
        Mistake: where a set stands in it: whose decision it is would depend on who calls.
    """
    for tree in s.walk((definition.parameters, definition.value)):
        if isinstance(tree, (s.Set, s.Range)):
            raise composition.deciding_function(tree.span, definition.name.text)
    return ValueFunction(definition.name.span, definition, frame)
