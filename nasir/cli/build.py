"""`nasir build`."""

from pathlib import Path
from typing import Annotated

import typer

from nasir.api import load
from nasir.cli.choosing import Choosing, with_choice
from nasir.cli.options import TO, File, With, parameters, write_or_print

NAME = "build"


@with_choice
def command(
    file: File,
    *,
    given: With = None,
    out: Annotated[Path | None, typer.Option("-o", metavar="model.py", help=TO)] = None,
    choosing: Choosing,
) -> None:
    """Emit one network as the source of a standalone PyTorch module, which needs torch and nothing else."""
    from nasir.execution import proved  # imports torch

    write_or_print(proved(choosing.network(load(file, **parameters(given)))), out)
