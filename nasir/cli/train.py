"""`nasir train`."""

from dataclasses import replace
from pathlib import Path

from nasir.api import load
from nasir.cli.options import File, Quiet, With, check_start, parameters, with_request
from nasir.cli.running import console_of_rank, resumed, show, show_summary, stoppable
from nasir.lang.settings import Settings
from nasir.runs.request import Request

NAME = "train"


@with_request(NAME)
def command(file: File, *, given: With = None, request: Request, quiet: Quiet = False) -> None:
    """Train a network, decision-free `.nas` or emitted `.py`, from scratch or from weights; everything into RUN.

    `--set` takes `epochs=30` and the like. `--with` gives a parameter of the program, or of the constructor in the
    `.py`: `nasir train model.py --init model.safetensors --with classes=7 --data folder:DIR` trains a new head.
    """
    check_start(request)
    from nasir.runs.run import train_file, train_network  # imports torch

    console = console_of_rank(quiet)
    arguments = parameters(given)
    network = None if file.endswith(".py") else load(file, **arguments)
    folder = request.out or Path("runs") / f"{network.name if network else Path(file).stem}_train"
    request = replace(request, out=folder)
    settings = request.settle(network.settings if network else Settings(), "train")
    if network is None:
        summary = stoppable(lambda: train_file(Path(file), settings, request, console, arguments), resumed(folder))
        show_summary(summary, folder, console)
        return
    decided = replace(network, settings=settings)
    show(stoppable(lambda: train_network(decided, request, console), resumed(folder)), folder, console)
