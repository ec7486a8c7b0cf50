"""Flows: `x -> f -> g` is a tensor, `(f -> g)` a function."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from nasir.lang import mistakes
from nasir.lang import syntax as s
from nasir.lang.building import Naming, Tensor, join
from nasir.lang.functions.compound import Compound
from nasir.lang.stages import run
from nasir.lang.things import Context, Function, Place, Thing, Writer, describe

MOST_STEPS = 10_000
"""Of a flow in parentheses, the flows that it is made of written out."""


@dataclass(frozen=True)
class Composed(Compound):
    """`(f -> g)`: one function after another."""

    functions: tuple[Function, ...]

    @property
    def name(self) -> str:
        return "flow"

    @property
    def parts(self) -> Mapping[str, Function]:
        return {str(i): f for i, f in enumerate(self.functions)}

    def with_parts(self, parts: Mapping[str, Function]) -> "Composed":
        return replace(self, functions=tuple(parts.values()))

    @property
    def steps(self) -> int:
        return sum(f.steps for f in self.functions)

    def apply_parts(self, x: Tensor, naming: Naming, context: Context) -> Tensor:
        for function in self.functions:
            x = function.apply(x, naming, context)
        return x

    def skip(self, naming: Naming) -> None:
        for function in self.functions:
            function.skip(naming)

    def write_parts(self, path: str, writer: Writer) -> s.Expr:
        head, *steps = (f.written(path, writer) for f in self.functions)
        return s.Flow(self.span, head, tuple(steps))


def flow(expr: s.Flow, place: Place, context: Context) -> Thing:
    """What a flow is: a tensor where its head is one, a function where that is one.

    Raises:
        Mistake: where it is neither, or a step is no function.
    """
    head = context.evaluate(expr.head, place.part())
    inside = Place(place.frame, join(place.frame.path, place.label) if place.label else place.hint)
    steps = [x if isinstance(x, s.Stages) else context.function(x, inside) for x in expr.steps]
    match head:
        case Function():
            return _composed(expr, head, steps)
        case Tensor():
            return _applied(head, steps, place, context)
        case _:
            raise mistakes.head_not_tensor(expr.head.span, describe(head))


def _composed(expr: s.Flow, head: Function, steps: Sequence[Function | s.Stages]) -> Composed:
    if tables := [step for step in steps if isinstance(step, s.Stages)]:
        raise mistakes.stray_stages(tables[0].span)
    composed = Composed(expr.span, (head, *(step for step in steps if isinstance(step, Function))))
    if composed.size > MOST_STEPS:
        raise mistakes.too_large(expr.span, f"the flow has {composed.size:,} steps", MOST_STEPS)
    return composed


def _applied(x: Tensor, steps: Sequence[Function | s.Stages], place: Place, context: Context) -> Tensor:
    naming = place.naming(sum(1 if isinstance(step, s.Stages) else step.steps for step in steps))
    for step in steps:
        if isinstance(step, s.Stages):
            x = run(step, x, place.frame, context.builder.region_path(naming.next("stages")), context)
        else:
            x = step.apply(x, naming, context)
    return x
