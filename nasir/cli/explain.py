"""`nasir explain`."""

from typing import Annotated

import typer

from nasir.cli import mistakes
from nasir.diagnostics.codes import codes, document

NAME = "explain"


def command(
    code: Annotated[
        str | None, typer.Argument(metavar="CODE", help="A code such as E0201; all codes without one.")
    ] = None,
) -> None:
    """Explain what an error means, with a wrong and a right example."""
    if code is None:
        for known in codes():
            print(f"{known}  {document(known).title}")
        return
    if code.upper() not in codes():
        raise mistakes.unknown_code(code, codes())
    print(document(code.upper()).text())
