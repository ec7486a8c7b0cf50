"""`nasir report`."""

from pathlib import Path
from typing import Annotated

import typer

from nasir.diagnostics import plain

NAME = "report"


def command(run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")]) -> None:
    """Write RUN/report.html, one self-contained page, of a run that is finished or still going on."""
    from nasir.runs.report import write_report  # imports torch

    print(plain(str(write_report(run))))
