"""`nasir profile`."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nasir.api import Space, load
from nasir.cli.options import File, Json, Quiet, With, parameters
from nasir.cli.running import stoppable

if TYPE_CHECKING:
    from rich.console import Console

    from nasir.cost.profile import Profile
    from nasir.profiling.profile import Asked

NAME = "profile"
_RUNTIMES = "onnxruntime, executorch, torch, compile, or roofline, a formula that needs no device"
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_AGAIN = "the same command"


def _seconds(text: str) -> float:
    """A time as `10m`, `90s` or `1h`."""
    try:
        found = float(text[:-1]) * _SECONDS[text[-1:]]
    except (ValueError, KeyError):
        found = math.nan
    if not 0 < found < math.inf:
        raise typer.BadParameter(f"write `10m`, `90s` or `1h`, not `{text}`", param_hint="--time")
    return found


def command(
    file: File,
    out: Annotated[
        Path | None, typer.Option("-o", metavar="DEVICE.json", help="The device file to make, or to add to.")
    ] = None,
    given: With = None,
    runtime: Annotated[str, typer.Option("--runtime", metavar="NAME", help=f"{_RUNTIMES}.")] = "onnxruntime",
    threads: Annotated[int, typer.Option("--threads", metavar="N", min=1, help="Threads that compute.")] = 1,
    batch: Annotated[int, typer.Option("--batch", metavar="N", min=1, help="Images at a time.")] = 1,
    time: Annotated[
        str, typer.Option("--time", metavar="T", help="For measuring kernels: `10m`, `90s`. What is left is filled in.")
    ] = "10m",
    networks: Annotated[
        int, typer.Option("--networks", metavar="N", min=0, help="Random networks to calibrate with; 0: none.")
    ] = 30,
    device: Annotated[
        str, typer.Option("--device", metavar="DEVICE", help="`cpu`, or `cuda` where torch or compile runs on a GPU.")
    ] = "cpu",
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="What the device is called in the file.")] = "",
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of the order and of the networks.")] = 0,
    emit: Annotated[
        Path | None, typer.Option("--emit", metavar="DIR", help="Write kernels and a script for another machine.")
    ] = None,
    collect: Annotated[
        Path | None, typer.Option("--collect", metavar="DIR", help="Read what that script measured.")
    ] = None,
    table: Annotated[
        Path | None, typer.Option("--import", metavar="TABLE", help="Read a table of FBNet's or ProxylessNAS' format.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure every kernel that a network of the space can have: the table behind `latency("DEVICE.json")`.

    A kernel is what the runtime executes as one, as a convolution with its batch norm and activation; which ops those
    are is measured first. Kernels are measured interleaved, each until its median is known to 2%, then random networks
    whole, to calibrate their sums. A file that is there is added to: what it has is not measured again. An interrupted
    profile goes on from where it was.

    For a device without nasir, `--emit DIR` writes a folder to copy there; `python measure.py` in it measures, and
    `--collect DIR` makes the file of its results. `--import TABLE` makes it of a table that another project measured.
    """
    from nasir.profiling.profile import Asked
    from nasir.profiling.runtime import Measured, runtimes
    from nasir.terminal import Terminal

    known = runtimes()
    if runtime not in known:
        raise typer.BadParameter(f"`{runtime}` is none of {', '.join(sorted(known))}", param_hint="--runtime")
    if (out is None) == (emit is None):
        raise typer.BadParameter("one of -o, the device file, and --emit, the folder")
    if [emit, collect, table].count(None) < 2:
        raise typer.BadParameter("one of --emit, --collect and --import")
    kind = known[runtime]
    backends = kind.backends if issubclass(kind, Measured) else ("cpu",)
    if device not in backends:
        raise typer.BadParameter(f"`{runtime}` runs on {' or '.join(backends)}", param_hint="--device")
    way = kind(threads, device) if issubclass(kind, Measured) else kind()
    asked = Asked(way, batch, _seconds(time), networks, seed, name)
    space = load(file, **parameters(given)).without_objective()
    console = Terminal(highlight=False, quiet=quiet or as_json)
    if out is None:
        assert emit is not None, "one of the two is given"
        figures = _emit(space, emit, asked, console)
    elif collect is not None:
        figures = _collect(space, collect, out, console)
    elif table is not None:
        figures = _import(space, table, out, name, console)
    else:
        figures = _measure(space, out, asked, console)
    if as_json:
        print(json.dumps(figures, indent=2))


def _measure(space: Space, out: Path, asked: "Asked", console: "Console") -> dict[str, object]:
    """Measure; what `--json` prints comes back, as of all ways to make a file."""
    from nasir.jobs.progress import stages
    from nasir.jobs.signals import pausing
    from nasir.profiling.measuring import BUSY
    from nasir.profiling.profile import profiled

    with pausing() as pauses, stages(console) as told:
        made = stoppable(lambda: profiled(space, out, asked, told, pauses), _AGAIN)
    counts = {"measured": made.measured, "kept": made.kept, "filled in by a fit": made.filled}
    words = [f"{count:,} {name}" for name, count in counts.items() if count]
    _show(console, made.profile, out, words or ["by formula"])
    if made.waited > BUSY:
        console.print(
            f"other work had the processor {made.waited:.0%} of the time, and the figures are off:"
            f" for ones to rely on, remove {out}, and measure when the machine is idle",
            style="yellow",
            markup=False,
            soft_wrap=True,
        )
    figures = {name.partition(" ")[0]: count for name, count in counts.items()}
    residuals = dict(made.profile.calibration.residuals)
    return {"file": str(out), **figures, "residuals": residuals, "waited": round(made.waited, 4)}


def _emit(space: Space, folder: Path, asked: "Asked", console: "Console") -> dict[str, object]:
    from nasir.exporting.formats import format_named
    from nasir.jobs.progress import stages
    from nasir.profiling.elsewhere import emitted
    from nasir.profiling.runtime import Measured

    if not isinstance(asked.runtime, Measured) or not asked.runtime.format:
        raise typer.BadParameter(f"`{asked.runtime.name}` has no files to run elsewhere", param_hint="--runtime")
    with stages(console) as told:
        count = emitted(space, folder, format_named(asked.runtime.format), asked, told)
    console.print(f"{count:,} kernels in {folder}: copy it, and run `python measure.py` there", soft_wrap=True)
    return {"folder": str(folder), "kernels": count}


def _collect(space: Space, folder: Path, out: Path, console: "Console") -> dict[str, object]:
    from nasir.profiling.elsewhere import collected
    from nasir.profiling.profile import added_to

    found = collected(space, folder)
    profile = added_to(out, found)
    profile.write(out)
    count = len(found.rows)
    _show(console, profile, out, [f"{count:,} collected from {folder}"])
    return {"file": str(out), "collected": count, "residuals": dict(found.calibration.residuals)}


def _import(space: Space, table: Path, out: Path, name: str, console: "Console") -> dict[str, object]:
    from nasir.cost.imported.importing import imported
    from nasir.cost.model import CostModel
    from nasir.profiling.profile import added_to

    made = imported(CostModel(space.graph), table, name)
    profile, rows = added_to(out, made.profile), made.profile.rows
    profile.write(out)
    filled = sum(row.filled for row in rows.values())
    words = [
        f"{len(rows):,} from {table}, of {made.format}'s format",
        *([f"{filled:,} by another's"] if filled else []),
    ]
    _show(console, profile, out, words)
    if made.unused:
        unused = f"{made.unused:,} of the table's {made.entries:,} entries"
        console.print(f"{unused} are of no kernel of `{space.name}`", markup=False, soft_wrap=True)
    figures = {"format": made.format, "imported": len(rows), "filled": filled}
    return {"file": str(out), **figures, "entries": made.entries, "unused": made.unused}


def _show(console: "Console", profile: "Profile", out: Path, words: list[str]) -> None:
    """What the file has, and how far it is to be trusted."""
    calibration = profile.calibration
    console.print(f"{len(profile.rows):,} kernels: {', '.join(words)}", markup=False, soft_wrap=True)
    if calibration.networks:
        low, high = (calibration.residuals[name] for name in ("p05", "p95"))
        console.print(
            f"{calibration.networks} networks are from {low:+.1%} to {high:+.1%} off what is predicted, nine in ten",
            soft_wrap=True,
        )
    console.print(f"{out}", style="dim", markup=False, soft_wrap=True)
