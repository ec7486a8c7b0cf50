"""Blocks one after another as the rows of a table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from nasir.lang import syntax as s
from nasir.lifting import expressions as e
from nasir.lifting.lines import Block, Line

STRIDE, DEPTH = "stride", "depth"
_ONE = e.literal(1)


@dataclass(frozen=True)
class Row:
    """Layers of a block; a stride is the first one's, the others have 1. `uses` are its layers."""

    block: str
    cells: Mapping[str, s.Expr]
    uses: tuple[Line, ...]


@dataclass(frozen=True)
class Table:
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def runs_of(lines: Sequence[Line], blocks: Mapping[str, Block]) -> Iterator[Table | list[Line]]:
    """The lines in order; two and more uses of blocks one after another as a table."""
    for is_use, group in groupby(lines, lambda line: line.is_block and line.condition is None):
        run = list(group)
        yield _table(run, blocks) if is_use and len(run) > 1 else run


def _table(uses: Sequence[Line], blocks: Mapping[str, Block]) -> Table:
    rows: list[Row] = []
    for use in uses:
        cells = dict(use.arguments)
        if rows and rows[-1].block == use.kind and _others(rows[-1].cells) == cells:
            depth = rows[-1].cells[DEPTH]
            assert isinstance(depth, s.Number), "layers are counted"
            rows[-1] = Row(use.kind, {**rows[-1].cells, DEPTH: e.literal(depth.value + 1)}, (*rows[-1].uses, use))
        else:
            rows.append(Row(use.kind, {**cells, DEPTH: e.literal(1)}, (use,)))
    strided = [row for row in rows if STRIDE in row.cells]
    has_stride = {name for name, block in blocks.items() if any(hole.name == STRIDE for hole in block.template.holes)}
    if strided:
        rows = [replace(row, cells={STRIDE: _ONE, **row.cells}) if row.block in has_stride else row for row in rows]
    names = [hole.name for block in dict.fromkeys(row.block for row in rows) for hole in blocks[block].template.holes]
    used = {name for row in rows for name in row.cells}
    columns = [name for name in dict.fromkeys(names) if name in used and name != STRIDE]
    columns += [DEPTH] if any(row.cells[DEPTH] != _ONE for row in rows) else []
    return Table((*columns, *([STRIDE] if strided else [])), tuple(rows))


def _others(cells: Mapping[str, s.Expr]) -> dict[str, s.Expr]:
    """What the other layers of a row have."""
    return {name: value for name, value in cells.items() if name not in {STRIDE, DEPTH}}
