"""`nasir explain`."""

from typing import Annotated

import typer

from nasir.diagnostics import CompileError, Diagnostic, closest
from nasir.diagnostics.codes import CODES

NAME = "explain"


def command(
    code: Annotated[
        str | None, typer.Argument(metavar="CODE", help="A code such as E0201; all codes without one.")
    ] = None,
) -> None:
    """Explain what an error means, with a wrong and a right example."""
    if code is None:
        for known, entry in CODES.items():
            print(f"{known}  {entry.title}")
        return
    entry = CODES.get(code.upper())
    if entry is None:
        hints = (*closest(code.upper(), CODES), "`nasir explain` lists them all")
        raise CompileError(Diagnostic("E0609", f"no error has the code `{code}`", hints=hints))
    print(entry.text(code.upper()))
