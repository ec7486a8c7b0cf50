"""`nasir train`."""

from dataclasses import replace
from pathlib import Path

from nasir.api import load
from nasir.cli.options import Data, Device, File, Out, Overwrite, Seed, Set
from nasir.lang.settings import Settings, override

NAME = "train"


def command(
    file: File,
    data: Data = "digits",
    out: Out = None,
    set: Set = None,
    seed: Seed = 0,
    device: Device = "auto",
    overwrite: Overwrite = False,
) -> None:
    """Train a network, decision-free `.nas` or emitted `.py`, from scratch; everything into RUN.

    `--set` takes `epochs=30` and the like.
    """
    from rich.console import Console

    from nasir.cli.search import show, show_summary
    from nasir.search.run import Request, train_file, train_network  # imports torch

    console = Console(highlight=False)
    if file.endswith(".py"):
        folder = out or Path("runs") / f"{Path(file).stem}_train"
        settings = override(Settings(), set or [], "train")
        summary = train_file(Path(file), settings, Request(data, folder, seed, device, overwrite=overwrite), console)
        show_summary(summary, folder, console)
        return
    network = load(file)
    network = replace(network, settings=override(network.settings, set or [], "train"))
    folder = out or Path("runs") / f"{network.name}_train"
    request = Request(data, folder, seed, device, overwrite=overwrite)
    show(train_network(network, request, console), folder, console)
