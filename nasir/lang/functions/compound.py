"""Functions made of functions: flows, guarded functions, sets of functions."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

from nasir.diagnostics import Span
from nasir.ir.graph import Region
from nasir.ir.path import ALTERNATIVE
from nasir.lang import syntax as s
from nasir.lang.building import Naming, Tensor
from nasir.lang.things import Bound, Context, Function, Layer, Writer


@dataclass(frozen=True)
class Compound(Function, ABC):
    """A function with parts. Where it is `named`, a name stands here for it: each use of the name decides for itself,
    for what is within is written in a scope of the use's own."""

    named: bool = field(default=False, kw_only=True, repr=False)

    @property
    @abstractmethod
    def parts(self) -> Mapping[str, Function]:
        """Its functions, by what tells them apart."""

    @abstractmethod
    def with_parts(self, parts: Mapping[str, Function]) -> Self:
        """Itself with other parts of the same names."""

    @cached_property
    def size(self) -> int:
        return sum(f.size for f in self.parts.values())

    @property
    def decides(self) -> bool:
        return any(f.decides for f in self.parts.values())

    @property
    def parameters(self) -> frozenset[str]:
        return frozenset[str]().union(*(f.parameters for f in self.parts.values()))

    def bind(self, name: str, bound: Bound) -> Self:
        return self.with_parts({part: f.bind(name, bound) for part, f in self.parts.items()})

    def shared(self, name: str) -> Self:
        return self.with_parts({part: f.shared(f"{name}.{part}") for part, f in self.parts.items()})

    def at(self, span: Span) -> Self:
        return replace(self, span=span, named=True)

    def apply(self, x: Tensor, naming: Naming, context: Context) -> Tensor:
        if not self.named:
            return self.apply_parts(x, naming, context)
        scope = context.use(self, naming.scope, f"{naming.scope}{ALTERNATIVE}{len(context.record.uses)}")
        return self.apply_parts(x, naming.within(scope), context)

    @abstractmethod
    def apply_parts(self, x: Tensor, naming: Naming, context: Context) -> Tensor:
        """As `apply`, with the parts written in the naming's scope."""

    def layer(self, x: Tensor, layer: Layer, context: Context) -> Tensor:
        context.builder.region(self.span, Region(layer.path, "block", layer.block))
        return self.apply(x, Naming(layer.path, layer.path), context)

    def written(self, path: str, writer: Writer) -> s.Expr:
        return self.write_parts(writer.record.uses.get((path, self.span), path) if self.named else path, writer)

    @abstractmethod
    def write_parts(self, path: str, writer: Writer) -> s.Expr:
        """As `written`, with the parts written in the scope `path`."""
