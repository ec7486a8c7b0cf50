"""`stages` tables: a row a group of layers, each layer evaluating the row afresh."""

from dataclasses import replace
from typing import TYPE_CHECKING

from nasir.diagnostics import Span
from nasir.ir.graph import Region
from nasir.ir.values import Ref, Value, key, text
from nasir.lang import mistakes
from nasir.lang import syntax as s
from nasir.lang.building import join
from nasir.lang.evaluate import Frame, Poisoned
from nasir.lang.mistakes import Mistake
from nasir.lang.things import Bound, ChoiceFunction, Function, Tensor, bind, describe, parameters

if TYPE_CHECKING:
    from nasir.lang.application import Applier

MOST_LAYERS = 1_000
SPECIAL_COLUMNS = ("block", "depth", "stride")


class Tables:
    """Runs tables: `block`, `depth` and `stride` have a meaning here, other columns are the block's."""

    def __init__(self, applier: "Applier") -> None:
        self._applier = applier

    def run(self, table: s.Stages, x: Tensor, frame: Frame, path: str) -> Tensor:
        """The layers `path.0`, `path.1`, ... applied one after another."""
        self._check_header(table)
        builder = self._applier.builder
        builder.region(table.span, Region(path, "stages", "stages"))
        layers = builder.record.tables.setdefault((frame.path, table.span), [])
        failed = False
        for row in table.rows:
            try:
                x = self._row(table, row, x, frame, path, layers)
            except Mistake as mistake:
                self._applier.diagnostics.append(mistake.diagnostic)
                failed = True
            except Poisoned:
                failed = True
        if failed:
            raise Poisoned
        return x

    def _row(self, table: s.Stages, row: s.Row, x: Tensor, frame: Frame, path: str, layers: list[str]) -> Tensor:
        """The layers of one row; where its depth is a set, a mixture of the row's exits by the depth."""
        first = f"{path}.{len(layers)}"
        depth, options = self._depth(table, row, frame, first)
        exits: list[Tensor] = []
        for i in range(max(options)):
            layer = f"{path}.{len(layers)}"
            layers.append(layer)
            self._applier.builder.record.depths[layer] = (depth, i)
            x = self._layer(table, row, x, frame, layer, i)
            exits.append(x)
        if not isinstance(depth, Ref):
            return x
        operands = {key(option): exits[option - 1] for option in options}
        return self._applier.builder.node(f"{first}.exit", "mix", operands, {"selector": depth}, row.span)

    def _check_header(self, table: s.Stages) -> None:
        seen: dict[str, Span] = {}
        for column in table.header:
            if column.text in seen:
                raise mistakes.defined_twice(column.span, column.text, seen[column.text])
            seen[column.text] = column.span
        if "block" not in seen:
            raise mistakes.no_block_column(table.header[0].span)
        if not table.rows:
            raise mistakes.no_rows(table.span)

    def _depth(self, table: s.Stages, row: s.Row, frame: Frame, path: str) -> tuple[Value, tuple[int, ...]]:
        """The row's depth and the numbers that it can be."""
        if len(row.cells) != len(table.header):
            raise mistakes.cell_count(row.span, len(row.cells), len(table.header))
        cell = _cells(table, row).get("depth")
        if cell is None:
            return 1, (1,)
        depth = self._applier.evaluator.value(cell, frame, join(path, "depth"))
        decision = self._applier.builder.dims.decisions.get(depth.name) if isinstance(depth, Ref) else None
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

    def _layer(self, table: s.Stages, row: s.Row, x: Tensor, frame: Frame, path: str, index: int) -> Tensor:
        evaluator = self._applier.evaluator
        cells = _cells(table, row)
        scope = replace(frame, path=path)
        if "block" not in cells:
            raise mistakes.no_block(row.span)
        function = evaluator.evaluate(cells["block"], scope, path)
        if not isinstance(function, Function):
            raise mistakes.not_applicable(cells["block"].span, describe(function))
        for column, cell in cells.items():
            if column == "stride":
                stride = Bound(evaluator.value(cell, scope, join(path, column)) if index == 0 else 1, cell.span)
                function = self._bind(function, column, stride)
            elif column not in SPECIAL_COLUMNS:
                thing = evaluator.evaluate(cell, scope, join(path, column))
                if isinstance(thing, Tensor):
                    raise mistakes.not_a_value(cell.span, describe(thing), "a value or a function")
                function = self._bind(function, column, Bound(thing, cell.span))
        self._applier.builder.record.layers[path] = function
        if isinstance(function, ChoiceFunction):
            return self._applier.choice(function, x, path, join(path, "block"))
        return self._applier.layer(function, x, path, path.replace(".", "_"))

    def _bind(self, function: Function, column: str, bound: Bound) -> Function:
        if isinstance(function, ChoiceFunction) or column in parameters(function):
            return bind(function, column, bound)
        if column == "stride" and bound.value == 1:
            return function
        raise mistakes.unused_column(bound.span, column, parameters(function))


def _cells(table: s.Stages, row: s.Row) -> dict[str, s.Expr]:
    """The row's cells by column, empty ones left out."""
    pairs = zip(table.header, row.cells, strict=True)
    return {column.text: cell for column, cell in pairs if not isinstance(cell, s.Empty)}
