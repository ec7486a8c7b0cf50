"""Choices: one of several alternatives, each a function with weights of its own."""

from dataclasses import dataclass, field, replace

from nasir.ir.graph import Region
from nasir.ir.path import Path
from nasir.ir.values import Ref, Scalar, Value
from nasir.lang import mistakes
from nasir.lang import syntax as s
from nasir.lang.building import Naming, Tensor, join
from nasir.lang.functions.parametric import Parametric
from nasir.lang.imports import Module
from nasir.lang.things import Context, Frame, Function, Layer, Place, Writer, region_values


@dataclass(frozen=True)
class ChoiceFunction(Parametric):
    """A choice of a module. Where a `let` binds it, `let` names the one decision of all its uses."""

    kind = "choice"

    choice: s.Choice
    module: Module = field(repr=False)
    let: str = ""

    @property
    def name(self) -> str:
        return self.choice.name.text

    @property
    def decides(self) -> bool:
        return True

    def takes(self, name: str) -> bool:
        """Anything: what its alternatives take is known when it is applied."""
        return True

    def shared(self, name: str) -> "ChoiceFunction":
        return replace(self, let=self.let or name)

    def apply(self, x: Tensor, naming: Naming, context: Context) -> Tensor:
        path = context.use(self, naming.scope, naming.next(self.step))
        return self._applied(x, path, path, context)

    def layer(self, x: Tensor, layer: Layer, context: Context) -> Tensor:
        return self._applied(x, layer.path, layer.decision, context)

    def _applied(self, x: Tensor, path: str, decision: str, context: Context) -> Tensor:
        """A mixture of the alternatives whose guards hold, each at its own scope below `path`."""
        with context.call(self):
            alternatives = self._alternatives(x, path, context)
            values = region_values({name: b.value for name, b in self.bound.items()})
            context.builder.region(self.span, Region(path, "layer", self.name, values))
            options = tuple(alternatives)
            selector = self._selector(decision, options, context)
            context.record.choices[path] = (selector, alternatives)
            if not isinstance(selector, Ref):
                return _alternative(alternatives, str(selector), x, path, context)
            branches: dict[Scalar, Tensor] = {
                option: _alternative(alternatives, option, x, Path(path).alternative(option), context)
                for option in options
            }
            return context.builder.mix(path, selector, branches, self.span)

    def _selector(self, decision: str, options: tuple[str, ...], context: Context) -> Value:
        """The decision among the alternatives: one of its own, or that of the `let` that binds the choice."""
        if not self.let:
            return context.builder.decide(decision, options, self.span)
        if self.let not in context.selectors:
            selector = context.builder.decide(self.let, options, self.span)
            context.selectors[self.let] = (selector, options, self.span)
        selector, others, first = context.selectors[self.let]
        if options != others:
            raise mistakes.other_alternatives(self.span, self.name, options, others, first)
        return selector

    def _alternatives(self, x: Tensor, path: str, context: Context) -> dict[str, Function]:
        """The alternatives whose guards hold, with the columns that they take."""
        guard = Frame(self.module, path, {"stride": 1, **{name: b.value for name, b in self.bound.items()}})
        found: dict[str, Function] = {}
        first: dict[str, s.Identifier] = {}
        taken: set[str] = set()
        for alternative in self.choice.alternatives:
            name = alternative.name.text
            if name in first:
                raise mistakes.defined_twice(alternative.name.span, name, first[name].span)
            first[name] = alternative.name
            if not _holds(alternative, guard, context):
                continue
            scope = Path(path).alternative(name)
            function = context.function(alternative.value, Place(Frame(self.module, scope, {"x": x}), scope))
            for column in [column for column in self.bound if function.takes(column)]:
                taken.add(column)
                function = function.bind(column, replace(self.bound[column], optional=True))
            found[name] = function
        if not found:
            raise mistakes.no_alternative(self.span, self.name)
        self._check_columns(taken)
        return found

    def _check_columns(self, taken: set[str]) -> None:
        for column, b in self.bound.items():
            if column not in taken and not b.optional and not (column == "stride" and b.value == 1):
                raise mistakes.untaken_column(b.span, column, self.name)

    def written(self, path: str, writer: Writer) -> s.Expr:
        return self.written_at(writer.record.uses[path, self.span], writer)

    def written_at(self, path: str, writer: Writer) -> s.Expr:
        function, place, option = self.chosen(path, self.name, writer)
        return function.written_as_step(place, option, writer)

    def chosen(self, path: str, name: str, writer: Writer) -> tuple[Function, str, str]:
        selector, alternatives = writer.record.choices[path]
        option = writer.option(selector)
        place = Path(path).alternative(option) if isinstance(selector, Ref) else path
        return alternatives[option].chosen(place, option, writer)


def _alternative(alternatives: dict[str, Function], option: str, x: Tensor, path: str, context: Context) -> Tensor:
    function = alternatives[option]
    return function.layer(x, Layer(path, option, join(path, function.name)), context)


def _holds(alternative: s.Alternative, frame: Frame, context: Context) -> bool:
    if alternative.condition is None:
        return True
    value = context.value(alternative.condition, frame.place("when"))
    if isinstance(value, Ref):
        raise mistakes.undecided_guard(alternative.condition.span, alternative.name.text)
    return bool(value)
