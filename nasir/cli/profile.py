"""`nasir profile`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nasir.api import load
from nasir.cli.options import File, Json, Quiet, With, parameters
from nasir.cli.search import stoppable

if TYPE_CHECKING:
    from rich.console import Console

    from nasir.profiling.profile import Made

NAME = "profile"
_RUNTIMES = "onnxruntime, torch, compile, executorch, or roofline, a formula that needs no device"
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def _seconds(text: str) -> float:
    """A time as `10m`, `90s` or `1h`."""
    try:
        return float(text[:-1]) * _SECONDS[text[-1:]]
    except (ValueError, KeyError):
        raise typer.BadParameter(f"write `10m`, `90s` or `1h`, not `{text}`") from None


def command(
    file: File,
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="DEVICE.json", help="The device file to make, or to add to.")
    ],
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
        str, typer.Option("--device", metavar="NAME", help="What the device is called in the file.")
    ] = "",
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of the order and of the networks.")] = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure every kernel that a network of the space can have: the table behind `latency("DEVICE.json")`.

    A kernel is what the runtime executes as one, as a convolution with its batch norm and activation; which ops those
    are is measured first. Kernels are measured interleaved, each until its median is known to 2%, then random networks
    whole, to calibrate their sums. A file that is there is added to: what it has is not measured again. An interrupted
    profile goes on from where it was.
    """
    from nasir.jobs.progress import stages
    from nasir.jobs.signals import pausing
    from nasir.profiling.profile import Asked, profiled
    from nasir.profiling.runtime import Measured, runtimes
    from nasir.terminal import Terminal

    known = runtimes()
    if runtime not in known:
        raise typer.BadParameter(f"`{runtime}` is none of {', '.join(sorted(known))}", param_hint="--runtime")
    kind = known[runtime]
    asked = Asked(
        kind(threads) if issubclass(kind, Measured) else kind(), threads, batch, _seconds(time), networks, seed, device
    )
    space = load(file, **parameters(given))
    console = Terminal(highlight=False, quiet=quiet or as_json)
    with pausing() as pauses, stages(console) as told:
        made = stoppable(lambda: profiled(space, out, asked, told, pauses), "the same command")
    if as_json:
        residuals = dict(made.profile.calibration.residuals)
        facts = {"measured": made.measured, "kept": made.kept, "filled": made.filled, "residuals": residuals}
        print(json.dumps({"file": str(out), "kernels": len(made.profile.rows), **facts}, indent=2))
        return
    _show(console, made, out)


def _show(console: "Console", made: "Made", out: Path) -> None:
    """What the file has, and how far it is to be trusted."""
    profile, calibration = made.profile, made.profile.calibration
    words = [f"{made.measured:,} measured", *([f"{made.kept:,} kept"] if made.kept else [])]
    words += [f"{made.filled:,} filled in by a fit"] if made.filled else []
    console.print(f"{len(profile.rows):,} kernels: {', '.join(words)}", soft_wrap=True)
    if calibration.networks:
        low, high = (calibration.residuals[name] for name in ("p05", "p95"))
        console.print(
            f"{calibration.networks} networks: {calibration.offset:.1f} us and {calibration.factor:.3f} of the sum;"
            f" nine in ten within {low:+.1%} and {high:+.1%}",
            soft_wrap=True,
        )
    console.print(f"{out}", style="dim", markup=False, soft_wrap=True)
