"""`nasir search`."""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nasir.api import load
from nasir.cli.options import Quiet, With, check_start, parameters, with_request
from nasir.cli.running import console_of_rank, resumed, show, stoppable
from nasir.files import read_regular
from nasir.jobs.machine import rank
from nasir.runs.request import OPTIONS, Request

if TYPE_CHECKING:
    from rich.console import Console

NAME = "search"


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
