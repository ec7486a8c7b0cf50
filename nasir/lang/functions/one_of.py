"""Sets of functions: `{relu, hswish}`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nasir.ir.values import Ref, Scalar, Value
from nasir.lang import mistakes
from nasir.lang import syntax as s
from nasir.lang.building import Naming, Tensor, join
from nasir.lang.functions.compound import Compound
from nasir.lang.things import Context, Function, Place, Writer


@dataclass(frozen=True)
class OneOf(Compound):
    """The decision `selector` picks one of the functions by its name."""

    selector: Ref
    options: Mapping[str, Function]

    @property
    def name(self) -> str:
        return "one_of"

    @property
    def value(self) -> Value:
        return self.selector

    @property
    def parts(self) -> Mapping[str, Function]:
        return self.options

    def with_parts(self, parts: Mapping[str, Function]) -> "OneOf":
        return replace(self, options=parts)

    def apply_parts(self, x: Tensor, naming: Naming, context: Context) -> Tensor:
        namings = {option: naming.branch(option) for option in self.options}
        branches: dict[Scalar, Tensor] = {
            option: function.apply(x, namings[option], context) for option, function in self.options.items()
        }
        naming.join(list(namings.values()))
        return context.builder.mix(join(naming.path, naming.label or self.name), self.selector, branches, self.span)

    def write_parts(self, path: str, writer: Writer) -> s.Expr:
        return self.options[writer.option(self.selector)].written(path, writer)


def one_of(expr: s.Set, functions: list[Function], place: Place, context: Context) -> Function:
    """What a set of functions is: itself a function.

    Raises:
        Mistake: where two of them have one name.
    """
    options: dict[str, Function] = {}
    for function, item in zip(functions, expr.items, strict=True):
        if function.name in options:
            raise mistakes.repeated_option(item.span, f"`{function.name}`")
        options[function.name] = function
    selector = context.builder.decide(place.hint, tuple(options), expr.span)
    if not isinstance(selector, Ref):
        return options[str(selector)]
    site = (place.frame.path, expr.span)
    context.record.sites[site], context.record.sets[site] = selector, tuple(options)
    return OneOf(expr.span, selector, options)
