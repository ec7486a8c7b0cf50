"""`stages` tables: a row a group of layers, each layer evaluating the row afresh."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nasir.diagnostics import Span
from nasir.ir.graph import Region
from nasir.ir.values import Ref, Scalar, Value, text
from nasir.lang import mistakes
from nasir.lang import syntax as s
from nasir.lang.building import Tensor, join
from nasir.lang.things import Bound, Context, Frame, Function, Layer, Place, Poison, Poisoned, describe

MOST_LAYERS = 1_000
SPECIAL_COLUMNS = ("block", "depth", "stride")
"""Those that mean something here; other columns are the block's."""


def run(table: s.Stages, x: Tensor, frame: Frame, path: str, context: Context) -> Tensor:
    """The layers `path.0`, `path.1`, ... applied one after another.

    Raises:
        Mistake: where there are no rows, or no columns that they could fit.
        Poisoned: where a row has a mistake, which is noted.
    """
    _check_header(table)
    context.builder.region(table.span, Region(path, "stages", "stages"))
    layers = context.record.tables.setdefault((frame.path, table.span), [])
    failed = False
    for row in table.rows:
        result = context.attempt(_Row(table, row, frame, context).run, x, path, layers)
        if isinstance(result, Poison):
            failed = True
        else:
            x = result
    if failed:
        raise Poisoned
    return x


def _check_header(table: s.Stages) -> None:
    seen: dict[str, Span] = {}
    for column in table.header:
        if column.text in seen:
            raise mistakes.defined_twice(column.span, column.text, seen[column.text])
        seen[column.text] = column.span
    if "block" not in seen:
        raise mistakes.no_block_column(table.header[0].span)
    if not table.rows:
        raise mistakes.no_rows(table.span)


@dataclass(frozen=True)
class _Row:
    table: s.Stages
    row: s.Row
    frame: Frame
    context: Context

    def run(self, x: Tensor, path: str, layers: list[str]) -> Tensor:
        """The row's layers; where its depth is a set, a mixture of the row's exits by the depth."""
        first = f"{path}.{len(layers)}"
        cells = self._cells()
        depth, options = self._depth(cells.get("depth"), first)
        exits: list[Tensor] = []
        for i in range(max(options)):
            layer = f"{path}.{len(layers)}"
            layers.append(layer)
            self.context.record.depths[layer] = (depth, i)
            x = self._layer(x, cells, layer, i)
            exits.append(x)
        if not isinstance(depth, Ref):
            return x
        branches: dict[Scalar, Tensor] = {option: exits[option - 1] for option in options}
        return self.context.builder.mix(f"{first}.exit", depth, branches, self.row.span)

    def _cells(self) -> Mapping[str, s.Expr]:
        """The row's cells by column, empty ones left out."""
        header, cells = self.table.header, self.row.cells
        if len(cells) != len(header):
            raise mistakes.cell_count(self.row.span, len(cells), len(header))
        pairs = zip(header, cells, strict=True)
        return {column.text: cell for column, cell in pairs if not isinstance(cell, s.Empty)}

    def _depth(self, cell: s.Expr | None, path: str) -> tuple[Value, tuple[int, ...]]:
        """The row's depth and the numbers that it can be."""
        if cell is None:
            return 1, (1,)
        depth = self.context.value(cell, Place(self.frame, join(path, "depth")))
        decision = self.context.builder.decision(depth)
        if isinstance(depth, Ref) and decision is None:
            raise mistakes.undecided_attribute(cell.span, "depth")
        options: list[int] = []
        for option in decision.options if decision else (depth,):
            if not isinstance(option, int) or isinstance(option, bool) or option < 1:
                raise mistakes.out_of_range(cell.span, "depth", "a whole number from 1", text(option))
            if option > MOST_LAYERS:
                raise mistakes.too_large(cell.span, f"a row of {option:,} layers is too deep", MOST_LAYERS)
            options.append(option)
        return depth, tuple(options)

    def _layer(self, x: Tensor, cells: Mapping[str, s.Expr], path: str, index: int) -> Tensor:
        frame = replace(self.frame, path=path)
        if "block" not in cells:
            raise mistakes.no_block(self.row.span)
        function = self.context.function(cells["block"], Place(frame, path))
        for column, cell in cells.items():
            if column == "stride":
                stride = self.context.value(cell, frame.place(column)) if index == 0 else 1
                function = _bind(function, column, Bound(stride, cell.span))
            elif column not in SPECIAL_COLUMNS:
                thing = self.context.evaluate(cell, frame.place(column))
                if isinstance(thing, Tensor):
                    raise mistakes.not_a_value(cell.span, describe(thing), "a value or a function")
                function = _bind(function, column, Bound(thing, cell.span))
        self.context.record.layers[path] = function
        return function.layer(x, Layer(path, path.replace(".", "_"), join(path, "block")), self.context)


def _bind(function: Function, column: str, bound: Bound) -> Function:
    if function.takes(column):
        return function.bind(column, bound)
    if column == "stride" and bound.value == 1:
        return function
    raise mistakes.unused_column(bound.span, column, function.parameters)
