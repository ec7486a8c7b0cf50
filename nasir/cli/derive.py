"""`nasir derive`."""

from pathlib import Path
from typing import Annotated

import typer

from nasir.api import emit, load
from nasir.cli.choosing import Choosing, with_choice
from nasir.cli.options import TO, File, With, parameters, write_or_print

NAME = "derive"


@with_choice
def command(
    file: File,
    *,
    given: With = None,
    out: Annotated[Path | None, typer.Option("-o", metavar="arch.nas", help=TO)] = None,
    choosing: Choosing,
) -> None:
    """Derive one network of a space, as a decision-free `.nas` file."""
    space = load(file, **parameters(given))
    choices = choosing.of(space)  # once: a file of them may be a pipe
    emit(space if choices is None else space.at(choices))  # a diagnostic where decisions are left
    write_or_print(space.arch(choices or {}), out)
