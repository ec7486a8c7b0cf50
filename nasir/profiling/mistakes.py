"""One constructor for each mistake that a profile can end with."""

from collections.abc import Mapping
from pathlib import Path

from nasir.diagnostics import CompileError, Diagnostic


def another_device(path: Path, differing: Mapping[str, tuple[object, object]]) -> CompileError:
    words = "; ".join(f"{name}: {there} there, {here} here" for name, (there, here) in differing.items())
    hint = "name another file with `-o`, or give the options that it was made with"
    return CompileError(Diagnostic("E0993", f"`{path}` is of another device: {words}", hints=(hint,)))
