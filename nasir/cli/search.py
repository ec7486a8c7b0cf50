"""`nasir search`."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nasir.api import load
from nasir.cli.options import Data, Device, File, Out, Overwrite, Seed, Set
from nasir.ir.values import key
from nasir.lang.settings import override

if TYPE_CHECKING:
    from nasir.search.run import Summary

NAME = "search"


def command(
    file: File,
    data: Data = "digits",
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

    space = load(file)
    space = replace(space, settings=override(space.settings, set or []))
    folder = out or Path("runs") / space.name
    console = Console(highlight=False)
    summary = search(space, Request(data, folder, seed, device, resume, overwrite), console)
    show(summary, folder)


def show(summary: "Summary", folder: Path) -> None:
    """The network that a run ended with, and what it is worth."""
    import json

    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from nasir.cost.table import layer_rows

    console = Console(highlight=False)
    network = load(folder / "arch.nas")
    table = Table("layer", "made of", "output", box=SIMPLE_HEAD, header_style="dim")
    table.add_column("macs", justify="right")
    table.add_column("params", justify="right")
    choices = folder / "choices.json"
    chosen: dict[str, dict[str, object]] = {}
    if choices.exists():
        table.add_column("chosen")
        for name, value in json.loads(choices.read_text(encoding="utf-8")).items():
            layer, _, what = name.rpartition(".")
            chosen.setdefault(layer, {})[what] = value
    for row in layer_rows(network.graph):
        cells = [row.name, row.block, row.shape, f"{row.macs:,}", f"{row.params:,}"]
        if chosen:
            cells.append(", ".join(f"{n} {key(v)}" for n, v in chosen.get(row.name, {}).items()))  # pyright: ignore[reportArgumentType]
        table.add_row(*cells)
    console.print(table)
    console.print(f"multiply-adds  {summary.macs:,}")
    console.print(f"parameters     {summary.params:,}")
    console.print(f"test accuracy  {summary.test_accuracy:.2%}")
    console.print(
        f"[dim]{summary.seconds:.0f} s; {folder}: arch.nas, model.py, model.safetensors, metrics.jsonl, summary.json[/]"
    )
