"""One constructor for each mistake that a command line can hold."""

from collections.abc import Sequence

from nasir.diagnostics import CompileError, Diagnostic, closest


def unknown_code(code: str, known: Sequence[str]) -> CompileError:
    hints = (*closest(code.upper(), known), "`nasir explain` lists them all")
    return CompileError(Diagnostic("E0609", f"no error has the code `{code}`", hints=hints))
