"""`nasir check`."""

import json
import sys
from typing import Annotated

import typer

from nasir.api import check
from nasir.diagnostics import CompileError, Diagnostic, render_all
from nasir.lang.imports import find

NAME = "check"


def command(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Paths, or names in the shipped library.")],
    strict: Annotated[bool, typer.Option("--strict", help="Warnings are mistakes.")] = False,
    format: Annotated[str, typer.Option("--format", metavar="text|json", help="How to print mistakes.")] = "text",
) -> None:
    """Check files: parse, bind, infer shapes. Prints every mistake of every file, and warnings; exit status 1 where
    there is a mistake."""
    if format not in {"text", "json"}:
        raise typer.BadParameter("text or json", param_hint="--format")
    found: list[Diagnostic] = []
    for name in files:
        try:
            found += check(find(name))
        except CompileError as error:
            found += error.diagnostics
    found = list(dict.fromkeys(found))
    if format == "json":
        print(json.dumps([_record(d) for d in found], indent=2))
    elif found:
        print(render_all(found), file=sys.stderr)
    wrong = [d for d in found if strict or not d.is_warning]
    if format == "text" and not wrong:
        warned = f", {len(found)} warning{'s' * (len(found) > 1)}" if found else ""
        print(f"{len(files)} {'file' if len(files) == 1 else 'files'} checked, no mistakes{warned}")
    raise typer.Exit(1 if wrong else 0)


def _record(diagnostic: Diagnostic) -> dict[str, object]:
    span = diagnostic.span
    return {
        "code": diagnostic.code,
        "message": diagnostic.message,
        "file": span.source.name if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
        "hints": list(diagnostic.hints),
    }
