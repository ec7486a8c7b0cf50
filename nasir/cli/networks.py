"""The commands that write one network of a space: choose it, make a text of it, write that."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from nasir.api import Space, load
from nasir.cli.options import (
    Choices,
    Choose,
    File,
    Largest,
    Run,
    Sample,
    Smallest,
    With,
    parameters,
    selected,
    write_or_print,
)
from nasir.ir.values import Scalar

Chosen = dict[str, Scalar] | None


def network_command(help: str, metavar: str, text_of: Callable[[Space, Chosen], str]) -> Callable[..., None]:
    """A command that writes `text_of(space, choices)`; the choices are None where none were made and some are open."""

    def command(
        file: File,
        given: With = None,
        out: Annotated[
            Path | None, typer.Option("-o", metavar=metavar, help="Where to write it.  [default: standard output]")
        ] = None,
        largest: Largest = False,
        smallest: Smallest = False,
        sample: Sample = None,
        choose: Choose = None,
        choices: Choices = None,
        run: Run = None,
    ) -> None:
        space = load(file, **parameters(given))
        chosen = selected(
            space, largest=largest, smallest=smallest, sample=sample, choose=choose, choices=choices, run=run
        )
        write_or_print(text_of(space, chosen), out)

    command.__doc__ = help
    return command
