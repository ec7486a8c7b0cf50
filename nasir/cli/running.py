"""What commands that run for long have in common: a console, the way to go on, and what a run ended with."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from nasir.diagnostics import plain
from nasir.ir.values import key
from nasir.jobs.machine import rank

if TYPE_CHECKING:
    from rich.console import Console

    from nasir.runs.run import Result
    from nasir.runs.summary import Summary

T = TypeVar("T")
_HELD_OUT = "validation"
"""What a run's figure on held-out inputs is called."""


def console_of_rank(quiet: bool) -> "Console":
    """The console; a silent one where that is asked for, and on all ranks but the first."""
    from nasir.terminal import Terminal

    return Terminal(highlight=False, quiet=quiet or rank() > 0)


def resumed(folder: Path) -> str:
    """How a run in a folder goes on."""
    return f"`--out {folder} --resume` and the same options"


def stoppable(run: Callable[[], T], again: str) -> T:
    """What `run` returns; where a signal stops it, the way to go on with it, and the exit status of the signal."""
    from nasir.jobs.signals import Stopped

    try:
        return run()
    except Stopped as stopped:
        if rank() == 0:
            print(plain(f"stopped, and saved: go on with {again}"), file=sys.stderr)
        raise typer.Exit(128 + stopped.signal) from None


def show(result: "Result", folder: Path, console: "Console") -> None:
    """The network that a run ended with, and what it is worth."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from nasir.cost.table import layer_rows
    from nasir.runs.summary import SHARED, by_layer

    table = Table("layer", "made of", "output", box=SIMPLE_HEAD, header_style="dim")
    costs = tuple(result.summary.costs)
    for cost in costs:
        table.add_column(cost, justify="right")
    known = result.network.costs
    rows = layer_rows(known, costs)
    chosen = by_layer({name: key(option) for name, option in result.chosen.items()}, [row.place for row in rows])
    if chosen:
        table.add_column("chosen")
    for row in rows:
        amounts = (known.costs[name].amount(amount) for name, amount in row.costs.items())
        cells = [row.name, row.block, row.shape, *amounts]
        table.add_row(*cells, *([chosen.get(row.place, "")] if chosen else []))
    if SHARED in chosen:
        table.add_row(SHARED, "", "", *("" for _ in rows[0].costs), chosen[SHARED])
    console.print(table)
    show_summary(result.summary, folder, console, result.decisions)


def show_summary(summary: "Summary", folder: Path, console: "Console", decisions: int = 0) -> None:
    """The figures of a run, of a search over so many decisions."""
    from nasir.runs.summary import NOT_LANDED, amounts, undecided, used

    told = amounts(summary.costs)
    titles = {
        f"test {metric.title}": metric.shown(value) for metric, value in zip(summary.metrics, summary.test, strict=True)
    }
    width = max(map(len, (*(label for label, _ in told), *titles, _HELD_OUT)))
    for cost, (label, amount) in zip(summary.costs, told, strict=True):
        of_bound = used(summary.bounds, cost)
        words = f"{label:<{width}}  {amount}"
        console.print(words + f"   [dim]{of_bound}[/]" * bool(of_bound))
    if summary.validation is not None:
        told = summary.metrics[0].shown(summary.validation)
        words = f"{told}   [dim]on held-out inputs, epoch {summary.kept_epoch}[/]"
        console.print(f"{_HELD_OUT:<{width}}  {words}")
    for title, value in titles.items():
        console.print(f"{title:<{width}}  {value}")
    if advice := undecided(summary.entropy, len(summary.moved), decisions):
        console.print(advice, style="yellow", markup=False, soft_wrap=True)
    if summary.lands is False:
        console.print(NOT_LANDED, style="yellow", soft_wrap=True)
    if summary.skipped_files:
        files = "file" if summary.skipped_files == 1 else "files"
        console.print(f"[yellow]{summary.skipped_files:,} {files} left out that could not be read[/]")
    console.print(f"{summary.seconds:.0f} s, everything in {folder}", style="dim", markup=False, soft_wrap=True)
