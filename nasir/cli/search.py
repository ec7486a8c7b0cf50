"""`nasir search`."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nasir.api import load
from nasir.cli.options import Data, Device, File, Out, Overwrite, Seed, Set, With, parameters
from nasir.ir.values import key
from nasir.lang.settings import override

if TYPE_CHECKING:
    from rich.console import Console

    from nasir.search.run import Result, Summary

NAME = "search"


def command(
    file: File,
    data: Data = "digits",
    given: With = None,
    out: Out = None,
    set: Set = None,
    seed: Seed = 0,
    device: Device = "auto",
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the folder's last checkpoint.")] = False,
    overwrite: Overwrite = False,
) -> None:
    """Search a space, derive the network it finds, emit it as plain PyTorch, and train it; everything into RUN."""
    from rich.console import Console

    from nasir.search.run import Request, search  # imports torch

    space = load(file, **parameters(given))
    space = replace(space, settings=override(space.settings, set or []))
    folder = out or Path("runs") / space.name
    console = Console(highlight=False)
    if resume and overwrite:
        raise typer.BadParameter("one of --resume and --overwrite")
    request = Request(data, folder, seed, device, resume, overwrite)
    try:
        result = search(space, request, console)
    except KeyboardInterrupt:
        started = (folder / "plan.json").exists()
        hint = f"; go on with `--out {folder} --resume` and the same options" if started else ""
        print(f"interrupted{hint}", file=sys.stderr)
        raise typer.Exit(130) from None
    show(result, folder, console)


def show(result: "Result", folder: Path, console: "Console") -> None:
    """The network that a run ended with, and what it is worth."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from nasir.cost.table import layer_rows

    table = Table("layer", "made of", "output", box=SIMPLE_HEAD, header_style="dim")
    table.add_column("macs", justify="right")
    table.add_column("params", justify="right")
    chosen: dict[str, list[str]] = {}
    for name, value in result.chosen.items():
        layer, _, what = name.rpartition(".")
        chosen.setdefault(layer, []).append(key(value) if what == "block" else f"{what} {key(value)}")
    if chosen:
        table.add_column("chosen")
    for row in layer_rows(result.network.graph):
        cells = [row.name, row.block, row.shape, f"{row.macs:,}", f"{row.params:,}"]
        table.add_row(*cells, *([", ".join(reversed(chosen.get(row.name, [])))] if chosen else []))
    console.print(table)
    show_summary(result.summary, folder, console)


def show_summary(summary: "Summary", folder: Path, console: "Console") -> None:
    """The figures of a run."""
    console.print(f"multiply-adds  {summary.macs:,}")
    console.print(f"parameters     {summary.params:,}")
    console.print(f"test accuracy  {summary.test_accuracy:.2%}")
    console.print(f"[dim]{summary.seconds:.0f} s, everything in {folder}[/]", soft_wrap=True)
