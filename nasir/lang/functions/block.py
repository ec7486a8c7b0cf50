"""Blocks: a body of statements over `x`, evaluated anew at each use."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property

from nasir.ir.dims import Dim
from nasir.ir.graph import Region
from nasir.lang import mistakes
from nasir.lang import syntax as s
from nasir.lang.building import Naming, Tensor, join
from nasir.lang.functions.parametric import Parametric
from nasir.lang.imports import Module
from nasir.lang.statements import run
from nasir.lang.things import Context, Frame, Layer, Thing, Writer, region_values


@dataclass(frozen=True)
class BlockFunction(Parametric):
    """A block of a module; its sets make new decisions each time it is applied."""

    kind = "block"

    block: s.Block
    module: Module = field(repr=False)

    @property
    def name(self) -> str:
        return self.block.name.text

    @property
    def decides(self) -> bool:
        return True

    @cached_property
    def positional(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return tuple(p.name.text for p in self.block.parameters)

    def apply(self, x: Tensor, naming: Naming, context: Context) -> Tensor:
        return self._applied(x, context.use(self, naming.scope, naming.next(self.step)), context)

    def layer(self, x: Tensor, layer: Layer, context: Context) -> Tensor:
        return self._applied(x, layer.path, context)

    def _applied(self, x: Tensor, path: str, context: Context) -> Tensor:
        builder, record = context.builder, context.record
        with context.call(self):
            frame = Frame(self.module, path, {"x": x})
            region = Region(path, "block", self.name)
            if self.block.doc:
                builder.docs.setdefault(self.name, self.block.doc)
            builder.region(self.span, region)  # takes the path before regions within it do
            for parameter in self.block.parameters:
                frame.names[parameter.name.text] = self._argument(parameter, frame, context)
            record.inlined[path] = frame.inlined
            record.given[path] = frozenset(self.bound)
            with self._named_in(context):
                result = run(self.block.body, frame, self.block.name, context)
        channels = builder.dims.define(Dim(join(path, "channels"), "channels", of=x.node))
        values = (("in_channels", channels), *region_values(frame.names))
        builder.region(self.span, replace(region, values=values))
        return result

    def _argument(self, parameter: s.Parameter, frame: Frame, context: Context) -> Thing:
        name = parameter.name.text
        if name in self.bound:
            return self.bound[name].value
        if parameter.default is None:
            raise mistakes.missing_argument(self.span, self.name, name)
        return context.evaluate(parameter.default, frame.place(name))

    @contextmanager
    def _named_in(self, context: Context) -> Generator[None]:
        """Mistakes in a block of another file name the place that uses it."""
        start = len(context.diagnostics)
        try:
            yield
        finally:
            for i, diagnostic in enumerate(context.diagnostics[start:], start):
                if diagnostic.span and diagnostic.span.source is not self.span.source and not diagnostic.related:
                    note = (self.span, f"`{self.name}` is used here")
                    context.diagnostics[i] = replace(diagnostic, related=(note,))

    def written(self, path: str, writer: Writer) -> s.Expr:
        place = writer.record.uses.get((path, self.span), path)
        name = writer.definition(self.block, self.module, place)
        gone = writer.record.inlined.get(place, frozenset[str]())
        kept = {parameter: b for parameter, b in self.bound.items() if parameter not in gone}
        return replace(self, bound=kept).written_call(name, path, writer)

    def written_as_step(self, path: str, name: str, writer: Writer) -> s.Expr:
        return self.written(path, writer)
