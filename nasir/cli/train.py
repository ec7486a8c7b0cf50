"""`nasir train`."""

from dataclasses import replace
from pathlib import Path

import typer

from nasir.api import load
from nasir.cli.options import (
    Classes,
    Data,
    Device,
    File,
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
from nasir.cli.search import console_of_rank, show, show_summary, stoppable
from nasir.lang.settings import Settings, override

NAME = "train"


def command(
    file: File,
    data: Data = "digits",
    given: With = None,
    out: Out = None,
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
) -> None:
    """Train a network, decision-free `.nas` or emitted `.py`, from scratch; everything into RUN.

    `--set` takes `epochs=30` and the like.
    """
    check_start(resume, overwrite)
    from nasir.runs.plan import Request
    from nasir.runs.run import train_file, train_network  # imports torch

    if file.endswith(".py") and given:
        raise typer.BadParameter("an emitted file has no parameters: leave `--with` out")
    console = console_of_rank(quiet)
    is_python = file.endswith(".py")
    network = None if is_python else load(file, **parameters(given))
    folder = out or Path("runs") / f"{network.name if network else Path(file).stem}_train"
    request = Request(
        data,
        folder,
        seed=seed,
        device=device,
        resume=resume,
        overwrite=overwrite,
        classes=classes,
        skip_broken=skip_broken,
        synchronised=sync_bn,
        tensorboard=tensorboard,
        threads=threads,
        given={"set": set or [], "bound": []},
    )
    if network is None:
        settings = override(Settings(), set or [], "train")
        show_summary(stoppable(lambda: train_file(Path(file), settings, request, console), folder), folder, console)
        return
    decided = replace(network, settings=override(network.settings, set or [], "train"))
    show(stoppable(lambda: train_network(decided, request, console), folder), folder, console)
