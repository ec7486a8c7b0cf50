"""`nasir draw`."""

from pathlib import Path
from typing import Annotated

import typer

from nasir.api import load
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
from nasir.drawing import draw

NAME = "draw"


def command(
    file: File,
    out: Annotated[
        Path | None, typer.Option("-o", metavar="net.svg", help="Where to write it.  [default: standard output]")
    ] = None,
    largest: Largest = False,
    smallest: Smallest = False,
    sample: Sample = None,
    choose: Choose = None,
    choices: Choices = None,
    run: Run = None,
) -> None:
    """Draw a space or a network: a bar a layer, its height the expansion, its colour the kernel. Writes SVG."""
    space = load(file)
    chosen = selected(space, largest=largest, smallest=smallest, sample=sample, choose=choose, choices=choices, run=run)
    write_or_print(draw(network(space, chosen).graph), out)
