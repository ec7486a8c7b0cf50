"""`nasir search`."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from nasir.api import Space, load
from nasir.cli import mistakes
from nasir.cli.options import (
    Classes,
    Data,
    Device,
    Out,
    Overwrite,
    Quiet,
    Resume,
    Seed,
    Set,
    SkipBroken,
    SyncBatchNorm,
    TensorBoard,
    Threads,
    With,
    check_start,
    parameters,
)
from nasir.diagnostics import plain
from nasir.files import Unreadable, parse_json, read_regular
from nasir.ir.values import key
from nasir.lang.settings import override, with_bounds
from nasir.searching.machine import rank, rank_count

if TYPE_CHECKING:
    from rich.console import Console

    from nasir.searching.plan import Request
    from nasir.searching.run import Result
    from nasir.searching.summary import Summary

NAME = "search"
T = TypeVar("T")
_COMPARED = ("arch.nas", "choices.json", "metrics.jsonl", "model.py", "model.safetensors", "probabilities.jsonl")


def command(
    context: typer.Context,
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="A path, or a name in the shipped library (`digits`).")
    ] = None,
    data: Data = "digits",
    given: With = None,
    out: Out = None,
    bound: Annotated[
        list[str] | None,
        typer.Option(
            "--bound",
            metavar="COST<=LIMIT",
            help="A bound, `macs <= 20M` or `macs <= 60%`, in place of the file's on that cost; may be repeated.",
        ),
    ] = None,
    set: Set = None,
    classes: Classes = None,
    skip_broken: SkipBroken = False,
    seed: Seed = 0,
    device: Device = "auto",
    threads: Threads = None,
    sync_bn: SyncBatchNorm = False,
    tensorboard: TensorBoard = False,
    resume: Resume = False,
    overwrite: Overwrite = False,
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
    check_start(resume, overwrite)
    if (file is None) == (source is None):
        raise typer.BadParameter("name a FILE to search, or a run to repeat: `--from RUN`")
    settling = ("given", "bound", "set", "classes", "skip_broken", "seed", "sync_bn", "threads")
    if source is not None and any(_is_given(context, name) for name in settling):
        raise typer.BadParameter("`--from RUN` repeats a run as it was: its settings and seed are in RUN")
    from nasir.searching.run import Request, search  # imports torch

    if source is None:
        assert file is not None, "one of the two is given"
        space = _settled(load(file, **parameters(given)), bound or [], set or [])
        texts = {"set": set or [], "bound": bound or []}
        request = Request(
            data,
            out or Path("runs") / space.name,
            seed=seed,
            device=device,
            classes=classes,
            skip_broken=skip_broken,
            synchronised=sync_bn,
            tensorboard=tensorboard,
            threads=threads,
            given=texts,
        )
    else:
        again = source.parent / f"{source.name}_again" if source.name else Path(f"{source.resolve()}_again")
        if out is not None and out.resolve() == source.resolve():
            raise typer.BadParameter("a run is repeated beside itself: name another folder, `--out DIR`")
        space, request = _repeated(source, out or again, device, data if _is_given(context, "data") else None)
        request = replace(request, tensorboard=tensorboard)
    request = replace(request, resume=resume, overwrite=overwrite)
    console = console_of_rank(quiet)
    result = stoppable(lambda: search(space, request, console), request.out)
    show(result, request.out, console)
    if source is not None:
        _compare(source, request.out, console)


def _is_given(context: typer.Context, name: str) -> bool:
    found = context.get_parameter_source(name)
    return found is not None and found.name != "DEFAULT"


def _compare(run: Path, other: Path, console: "Console") -> None:
    """Which files of a run and of its repetition are the same bytes."""
    there = [name for name in _COMPARED if os.path.isfile(run / name)]
    same = [name for name in there if read_regular(run / name, None) == read_regular(other / name, None)]
    different = [name for name in there if name not in same]
    missing = [name for name in _COMPARED if name not in there]
    console.print(f"as in {run}: {', '.join(same) or 'nothing'}", markup=False, soft_wrap=True)
    for words, names in (("otherwise than in", different), ("not there in", missing)):
        if names:
            console.print(f"{words} {run}: {', '.join(names)}", style="yellow", markup=False, soft_wrap=True)


def console_of_rank(quiet: bool) -> "Console":
    """The console; a silent one where that is asked for, and on all ranks but the first."""
    from nasir.terminal import Terminal

    return Terminal(highlight=False, quiet=quiet or rank() > 0)


def _settled(space: Space, bounds: list[str], settings: list[str]) -> Space:
    return replace(space, settings=override(with_bounds(space.settings, bounds), settings))


def _repeated(run: Path, out: Path, device: str, data: str | None) -> "tuple[Space, Request]":
    """The space and the request of a run, with as many threads. Data that a user's code makes (`python:`) must be named
    again, for a run folder is data, and may be another's: it runs no code on its own.

    Raises:
        CompileError: where the folder holds no run, or one of other data than `data`.
    """
    from nasir.searching.data import anchored
    from nasir.searching.plan import MOST_SEED, MOST_THREADS, Request, plain_settings, whole

    try:
        plan: dict[str, Any] = parse_json(read_regular(run / "plan.json"))
        given: dict[str, list[str]] = plan["given"]
        if not os.path.isfile(run / "space.nas"):
            raise ValueError("of a training")
        space = _settled(load(run / "space.nas"), given.get("bound", []), given.get("set", []))
        settings = plan["settings"]
        kind = str(plan["device"]).split(":")[0]
        request = Request(
            str(plan["data"]),
            out,
            seed=whole(plan["seed"], 0, MOST_SEED),
            device=kind if device == "auto" else device,
            classes=plan["classes"],
            skip_broken=plan["skip_broken"],
            synchronised=plan["synchronised"],
            threads=whole(plan["threads"], 1, MOST_THREADS),
            given=given,
        )
        ranks = whole(plan["ranks"], 1)
    except (Unreadable, ValueError, KeyError, TypeError, AttributeError):  # whatever was done to the file
        raise mistakes.nothing_to_repeat(run) from None
    if (data is None and request.data.startswith("python:")) or (data is not None and anchored(data) != request.data):
        raise mistakes.repeated_on_other_data(run, request.data)
    if json.loads(json.dumps(plain_settings(space.settings))) != settings:
        raise mistakes.settings_from_python(run)
    if ranks != rank_count():
        raise mistakes.other_ranks(run, ranks)
    return space, request


def stoppable(run: Callable[[], T], folder: Path) -> T:
    """What `run` returns; where a signal stops it, the way to go on with it, and the exit status of the signal."""
    from nasir.searching.pausing import Stopped

    try:
        return run()
    except Stopped as stopped:
        if rank() == 0:
            words = f"stopped, and saved: go on with `--out {folder} --resume` and the same options"
            print(plain(words), file=sys.stderr)
        raise typer.Exit(128 + stopped.signal) from None


def show(result: "Result", folder: Path, console: "Console") -> None:
    """The network that a run ended with, and what it is worth."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from nasir.cost.table import layer_rows
    from nasir.searching.summary import by_layer

    table = Table("layer", "made of", "output", box=SIMPLE_HEAD, header_style="dim")
    table.add_column("macs", justify="right")
    table.add_column("params", justify="right")
    chosen = by_layer({name: key(option) for name, option in result.chosen.items()})
    if chosen:
        table.add_column("chosen")
    for row in layer_rows(result.network.graph):
        cells = [row.name, row.block, row.shape, *(f"{amount:,}" for amount in row.costs.values())]
        table.add_row(*cells, *([chosen.get(row.name, "")] if chosen else []))
    console.print(table)
    show_summary(result.summary, folder, console, result.decisions)


def show_summary(summary: "Summary", folder: Path, console: "Console", decisions: int = 0) -> None:
    """The figures of a run, of a search over so many decisions."""
    from nasir.searching.summary import NOT_LANDED, undecided, used

    for words, cost, figure in (("multiply-adds", "macs", summary.macs), ("parameters   ", "params", summary.params)):
        of_bound = used(summary.bounds, cost)
        console.print(f"{words}  {figure:,}" + f"   [dim]{of_bound}[/]" * bool(of_bound))
    if summary.validation_accuracy is not None:
        words = f"{summary.validation_accuracy:.2%}   [dim]on held-out images, epoch {summary.kept_epoch}[/]"
        console.print(f"validation     {words}")
    console.print(f"test accuracy  {summary.test_accuracy:.2%}")
    if advice := undecided(summary.entropy, len(summary.moved), decisions):
        console.print(advice, style="yellow", markup=False, soft_wrap=True)
    if summary.lands is False:
        console.print(NOT_LANDED, style="yellow", soft_wrap=True)
    if summary.skipped_files:
        files = "file" if summary.skipped_files == 1 else "files"
        console.print(f"[yellow]{summary.skipped_files:,} {files} left out that could not be read[/]")
    console.print(f"{summary.seconds:.0f} s, everything in {folder}", style="dim", markup=False, soft_wrap=True)
