"""`nasir build`."""

from pathlib import Path
from typing import Annotated

import typer

from nasir.api import emit, load
from nasir.cli.options import (
    Choices,
    Choose,
    File,
    Largest,
    Run,
    Sample,
    Smallest,
    network,
    selected,
    write_or_print,
)

NAME = "build"


def command(
    file: File,
    out: Annotated[
        Path | None, typer.Option("-o", metavar="model.py", help="Where to write it.  [default: standard output]")
    ] = None,
    largest: Largest = False,
    smallest: Smallest = False,
    sample: Sample = None,
    choose: Choose = None,
    choices: Choices = None,
    run: Run = None,
) -> None:
    """Emit one network as the source of a standalone PyTorch module, which needs torch and nothing else."""
    space = load(file)
    chosen = selected(space, largest=largest, smallest=smallest, sample=sample, choose=choose, choices=choices, run=run)
    write_or_print(emit(network(space, chosen)), out)
