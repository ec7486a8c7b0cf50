"""`nasir compare`."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nasir.cli.options import Json
from nasir.diagnostics import CompileError, plain

if TYPE_CHECKING:
    from rich.table import Table

    from nasir.runs.comparing import Row
    from nasir.runs.record import Record

NAME = "compare"


def command(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Run folders.")],
    as_json: Json = False,
    out: Annotated[
        Path | None, typer.Option("-o", metavar="compare.html", help="A page with their curves and networks as well.")
    ] = None,
) -> None:
    """Show runs side by side, finished or not: figures, and the settings in which they differ.

    With `-o` also a self-contained page: the curves of all runs in one picture each, the found networks decision by
    decision. A dash is what a run does not tell. A damaged file is reported at the end, and the exit status is 1.
    """
    from nasir.runs.compare_page import write_comparison
    from nasir.runs.comparing import facts, records  # imports torch

    found = records(runs)
    if out is not None:
        write_comparison(found, out)
    if as_json:
        print(json.dumps(facts(found), indent=2))
    else:
        _print(found)
        if out is not None:
            print(plain(str(out)))
    if damage := [one for run in found for one in run.damage]:
        raise CompileError(damage)


def _print(runs: Sequence["Record"]) -> None:
    from nasir.runs.comparing import differing, figures, names
    from nasir.terminal import Terminal

    console = Terminal(highlight=False)
    for table in _tables(names(runs), figures(runs), console.width):
        console.print(table)
    for row in differing(runs):
        words = " | ".join(cell or "-" for cell in row.cells)
        console.print(f"{row.title}  {words}", markup=False, soft_wrap=True)


def _tables(called: Sequence[str], rows: Sequence["Row"], width: int) -> Iterator["Table"]:
    """A column a run, in as many tables as the width of the terminal asks for."""
    from rich.box import SIMPLE_HEAD
    from rich.cells import cell_len
    from rich.table import Column, Table
    from rich.text import Text

    columns = [[name, *(row.cells[i] or "-" for row in rows)] for i, name in enumerate(called)]
    titles = ["", *(row.title for row in rows)]
    widths = [max(map(cell_len, column)) + _BETWEEN for column in (titles, *columns)]
    for shown in _fitting(widths[1:], width - widths[0]):
        heads = (Column(Text(name), overflow="fold") for name in ("", *(called[i] for i in shown)))
        table = Table(*heads, box=SIMPLE_HEAD, header_style="dim")
        for cells in zip(titles[1:], *(columns[i][1:] for i in shown), strict=True):
            table.add_row(*map(Text, cells))
        yield table


_BETWEEN = 3
"""Columns of a table are so far apart."""


def _fitting(widths: Sequence[int], room: int) -> Iterator[list[int]]:
    """The columns in parts that have room; one that is too wide is alone."""
    part: list[int] = []
    for i, width in enumerate(widths):
        if part and sum(widths[k] for k in part) + width > room:
            yield part
            part = []
        part.append(i)
    yield part
