"""`nasir report`."""

from pathlib import Path
from typing import Annotated

import typer

NAME = "report"


def command(run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")]) -> None:
    """Write RUN/report.html, one self-contained page, of a run that is finished or still going on."""
    from nasir.search.report import write_report  # imports torch

    print(write_report(run))
