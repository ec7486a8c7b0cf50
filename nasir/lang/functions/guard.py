"""Guarded functions: `function when condition`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nasir.ir.values import Ref, Value
from nasir.lang import mistakes
from nasir.lang import syntax as s
from nasir.lang.building import Naming, Tensor
from nasir.lang.functions.compound import Compound
from nasir.lang.things import Context, Function, Place, Writer


@dataclass(frozen=True)
class Conditional(Compound):
    """Its function where the condition holds, and else nothing."""

    function: Function
    condition: Value

    @property
    def name(self) -> str:
        return self.function.name

    @property
    def parts(self) -> Mapping[str, Function]:
        return {"": self.function}

    def with_parts(self, parts: Mapping[str, Function]) -> "Conditional":
        return replace(self, function=parts[""])

    @property
    def steps(self) -> int:
        return self.function.steps

    def shared(self, name: str) -> "Conditional":
        return replace(self, function=self.function.shared(name))

    def apply_parts(self, x: Tensor, naming: Naming, context: Context) -> Tensor:
        if isinstance(self.condition, Ref):
            inside = self.function.apply(x, naming, context)
            return context.builder.mix(naming.next("when"), self.condition, {True: inside, False: x}, self.span)
        if self.condition:
            return self.function.apply(x, naming, context)
        self.skip(naming)
        return x

    def skip(self, naming: Naming) -> None:
        self.function.skip(naming)

    def write_parts(self, path: str, writer: Writer) -> s.Expr:
        function = self.function.written(path, writer)
        return s.Guarded(self.span, function, writer.value(self.span, self.condition))


def guarded(expr: s.Guarded, place: Place, context: Context) -> Conditional:
    """What `function when condition` is.

    Raises:
        Mistake: where the parts are no function and no condition.
    """
    function = context.function(expr.function, place.part())
    condition = context.value(expr.condition, place.part("when"))
    decision = context.builder.decision(condition)
    if not all(isinstance(option, (bool, Ref)) for option in (decision.options if decision else (condition,))):
        raise mistakes.not_a_value(expr.condition.span, "a number or a string", "a condition")
    return Conditional(expr.span, function, condition)
