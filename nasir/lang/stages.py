"""`stages` tables: a row a group of layers, each layer evaluating the row afresh."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from nasir.diagnostics import Span
from nasir.ir.dims import SHAPE_FUNCTIONS
from nasir.ir.graph import Region
from nasir.ir.values import Ref, Scalar, Value, text
from nasir.lang import composition, mistakes
from nasir.lang import syntax as s
from nasir.lang.building import Tensor, join
from nasir.lang.things import Bound, Context, Frame, Function, Layer, Place, Poison, Poisoned, Thing, describe

MOST_LAYERS = 1_000
SPECIAL_COLUMNS = ("name", "block", "depth", "stride")
"""Those that mean something here; other columns are the block's."""
PREVIOUS = "previous"
"""The parameter of a block that gets the output of the layer before the last, as the cells of DARTS and NASNet do."""


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
    names: dict[str, Tensor] = {}
    before = x
    for row in table.rows:
        result = context.attempt(_Row(table, row, frame, context, names).run, before, x, path, layers)
        if isinstance(result, Poison):
            failed = True
        else:
            before, x = result
    if failed:
        raise Poisoned
    return Tensor(x.node, tuple((name, tensor.node) for name, tensor in names.items()))


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
    """A row; `names` are the outputs of the named rows so far, `shared` the cells that are evaluated once."""

    table: s.Stages
    row: s.Row
    frame: Frame
    context: Context
    names: dict[str, Tensor]
    shared: dict[str, Thing] = field(default_factory=dict[str, Thing])

    def run(self, before: Tensor, x: Tensor, path: str, layers: list[str]) -> tuple[Tensor, Tensor]:
        """The last two outputs after the row's layers; where its depth is a set, the last is a mixture of the row's
        exits by the depth."""
        first = f"{path}.{len(layers)}"
        cells = self._cells()
        depth, options = self._depth(cells.get("depth"), first)
        exits: list[Tensor] = [x]
        for i in range(max(options)):
            layer = f"{path}.{len(layers)}"
            layers.append(layer)
            self.context.record.depths[layer] = (depth, i)
            before, x = x, self._layer(before, x, cells, layer, i)
            exits.append(x)
        if isinstance(depth, Ref):
            branches: dict[Scalar, Tensor] = {option: exits[option] for option in options}
            x = self.context.builder.mix(f"{first}.exit", depth, branches, self.row.span)
        if "name" in cells:
            self._name(cells["name"], x, layers[-1])
        return before, x

    def _name(self, cell: s.Expr, x: Tensor, layer: str) -> None:
        """Give the row's output the name that stands in its cell."""
        if not isinstance(cell, s.Name) or cell.text in SHAPE_FUNCTIONS:
            raise composition.no_row_name(cell.span)
        if cell.text in self.names:
            raise composition.row_named_twice(cell.span, cell.text)
        self.names[cell.text] = x
        self.context.record.names[layer] = cell.text

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
        found = self.context.builder.options(depth)
        if found is None:
            raise mistakes.undecided_attribute(cell.span, "depth")
        least = 0 if max(found, key=str) != min(found, key=str) else 1
        options: list[int] = []
        for option in found:
            if not isinstance(option, int) or isinstance(option, bool) or option < least:
                must = "a whole number from 1, or a set of them from 0"
                raise mistakes.out_of_range(cell.span, "depth", must, text(option))
            if option > MOST_LAYERS:
                raise mistakes.too_large(cell.span, f"a row of {option:,} layers is too deep", MOST_LAYERS)
            options.append(option)
        return depth, tuple(options)

    def _layer(self, before: Tensor, x: Tensor, cells: Mapping[str, s.Expr], path: str, index: int) -> Tensor:
        frame = replace(self.frame, path=path)
        if "block" not in cells:
            raise mistakes.no_block(self.row.span)
        function = self._function(cells["block"], Place(frame, path))
        for column, cell in cells.items():
            if column == "stride":
                stride = self.context.value(cell, frame.place(column)) if index == 0 else 1
                function = _bind(function, column, Bound(stride, cell.span))
            elif column not in SPECIAL_COLUMNS and not (column == PREVIOUS and index):
                thing = self._cell(column, cell, frame.place(column))
                if isinstance(thing, Tensor) and column != PREVIOUS:
                    raise mistakes.not_a_value(cell.span, describe(thing), "a value or a function")
                function = _bind(function, column, Bound(thing, cell.span, expr=cell))
        if function.takes(PREVIOUS):
            function = function.bind(PREVIOUS, Bound(before, self.row.span, optional=True))
        self.context.record.layers[path] = function
        return function.layer(x, Layer(path, path.replace(".", "_"), join(path, "block")), self.context)

    def _function(self, cell: s.Expr, place: Place) -> Function:
        thing = self._cell("block", cell, place)
        if not isinstance(thing, Function):
            raise mistakes.not_applicable(cell.span, describe(thing))
        return thing

    def _cell(self, column: str, cell: s.Expr, place: Place) -> Thing:
        """What a cell is for a layer; one with `let` is evaluated for the row's first and holds for all."""
        if not isinstance(cell, s.OneForTheRow):
            return self.context.evaluate(cell, place)
        if column not in self.shared:
            thing = self.context.evaluate(cell.value, place)
            self.shared[column] = thing.shared(place.hint) if isinstance(thing, Function) else thing
        return self.shared[column]


def _bind(function: Function, column: str, bound: Bound) -> Function:
    if function.takes(column):
        return function.bind(column, bound)
    if column == "stride" and bound.value == 1:
        return function
    raise mistakes.unused_column(bound.span, column, function.parameters)
