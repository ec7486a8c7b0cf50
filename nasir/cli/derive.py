"""`nasir derive`."""

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

NAME = "derive"


def command(
    file: File,
    out: Annotated[
        Path | None, typer.Option("-o", metavar="arch.nas", help="Where to write it.  [default: standard output]")
    ] = None,
    largest: Largest = False,
    smallest: Smallest = False,
    sample: Sample = None,
    choose: Choose = None,
    choices: Choices = None,
    run: Run = None,
) -> None:
    """Derive one network of a space, as a decision-free `.nas` file."""
    space = load(file)
    chosen = selected(space, largest=largest, smallest=smallest, sample=sample, choose=choose, choices=choices, run=run)
    emit(network(space, chosen))  # a diagnostic where decisions are left
    write_or_print(space.arch(chosen or {}), out)
