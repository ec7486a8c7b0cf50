"""`nasir search`."""

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from nasir.api import load
from nasir.cli.options import Quiet, With, check_start, parameters, with_request
from nasir.diagnostics import plain
from nasir.files import read_regular
from nasir.ir.values import key
from nasir.jobs.machine import rank
from nasir.runs.request import OPTIONS, Request

if TYPE_CHECKING:
    from rich.console import Console

    from nasir.runs.run import Result
    from nasir.runs.summary import Summary

NAME = "search"
T = TypeVar("T")


@with_request(NAME)
def command(
    context: typer.Context,
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="A path, or a name in the shipped library (`digits`).")
    ] = None,
    *,
    given: With = None,
    request: Request,
    quiet: Quiet = False,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="RUN",
            help="Repeat a run, its space, data, settings and seed; name no FILE. Data that are code are named again:"
            " --data python:...",
        ),
    ] = None,
) -> None:
    """Search a space, derive the network it finds, emit it as plain PyTorch, and train it; everything into RUN.

    Under `torchrun --no-python --nproc-per-node N nasir search ...` each process takes its part of every batch.
    """
    check_start(request)
    if (file is None) == (source is None):
        raise typer.BadParameter("name a FILE to search, or a run to repeat: `--from RUN`")
    if source is not None:
        _check_repetition(context, source, request)
    from nasir.runs.run import search  # imports torch

    if source is None:
        assert file is not None, "one of the two is given"
        loaded = load(file, **parameters(given))
        space = replace(loaded, settings=request.settle(loaded.settings))
        request = replace(request, out=request.out or Path("runs") / space.name)
    else:
        from nasir.runs.repeating import repeat

        again = source.parent / f"{source.name}_again" if source.name else Path(f"{source.resolve()}_again")
        named = [one.name for one in OPTIONS if one.option.renamed and _is_given(context, one.name)]
        space, request = repeat(source, replace(request, out=request.out or again), named)
    console = console_of_rank(quiet)
    result = stoppable(lambda: search(space, request, console), resumed(request.folder))
    show(result, request.folder, console)
    if source is not None and rank() == 0:
        _compare(source, request.folder, console)


def _check_repetition(context: typer.Context, source: Path, request: Request) -> None:
    """A run is repeated as it was, and beside itself."""
    settling = ["given", *(one.name for one in OPTIONS if one.option.planned and not one.option.renamed)]
    if any(_is_given(context, name) for name in settling):
        raise typer.BadParameter("`--from RUN` repeats a run as it was: its settings and seed are in RUN")
    if request.out is not None and request.out.resolve() == source.resolve():
        raise typer.BadParameter("a run is repeated beside itself: name another folder, `--out DIR`")


def _is_given(context: typer.Context, name: str) -> bool:
    found = context.get_parameter_source(name)
    return found is not None and found.name != "DEFAULT"


def _compare(run: Path, other: Path, console: "Console") -> None:
    """Which files of a run and of its repetition are the same bytes."""
    from nasir.runs.repeating import COMPARED

    there = [name for name in COMPARED if os.path.isfile(run / name)]
    same = [name for name in there if read_regular(run / name, None) == read_regular(other / name, None)]
    different = [name for name in there if name not in same]
    missing = [name for name in COMPARED if name not in there]
    console.print(f"as in {run}: {', '.join(same) or 'nothing'}", markup=False, soft_wrap=True)
    for words, names in (("otherwise than in", different), ("not there in", missing)):
        if names:
            console.print(f"{words} {run}: {', '.join(names)}", style="yellow", markup=False, soft_wrap=True)


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
    from nasir.runs.summary import by_layer

    table = Table("layer", "made of", "output", box=SIMPLE_HEAD, header_style="dim")
    costs = tuple(result.summary.costs)
    for cost in costs:
        table.add_column(cost, justify="right")
    chosen = by_layer({name: key(option) for name, option in result.chosen.items()})
    if chosen:
        table.add_column("chosen")
    known = result.network.costs
    for row in layer_rows(known, costs):
        amounts = (known.costs[name].amount(amount) for name, amount in row.costs.items())
        cells = [row.name, row.block, row.shape, *amounts]
        table.add_row(*cells, *([chosen.get(row.name, "")] if chosen else []))
    console.print(table)
    show_summary(result.summary, folder, console, result.decisions)


def show_summary(summary: "Summary", folder: Path, console: "Console", decisions: int = 0) -> None:
    """The figures of a run, of a search over so many decisions."""
    from nasir.runs.summary import NOT_LANDED, amounts, undecided, used

    told = amounts(summary.costs)
    width = max(len(label) for label, _ in told)
    for cost, (label, amount) in zip(summary.costs, told, strict=True):
        of_bound = used(summary.bounds, cost)
        words = f"{label:<{width}}  {amount}"
        console.print(words + f"   [dim]{of_bound}[/]" * bool(of_bound))
    titles = {
        f"test {metric.title}": metric.shown(value) for metric, value in zip(summary.metrics, summary.test, strict=True)
    }
    width = max(map(len, titles))
    if summary.validation is not None:
        told = summary.metrics[0].shown(summary.validation)
        words = f"{told}   [dim]on held-out inputs, epoch {summary.kept_epoch}[/]"
        console.print(f"{'validation':<{width}}  {words}")
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
