"""One constructor for each mistake that a profile can end with."""

from collections.abc import Mapping
from pathlib import Path

from nasir.diagnostics import CompileError, Diagnostic


def another_device(path: Path, differing: Mapping[str, tuple[object, object]]) -> CompileError:
    words = "; ".join(f"{name}: {there} there, {here} here" for name, (there, here) in differing.items())
    hint = "name another file with `-o`, or give the options that it was made with"
    return CompileError(Diagnostic("E0993", f"`{path}` is of another device: {words}", hints=(hint,)))


def other_kernels(path: Path) -> CompileError:
    hint = "name another file with `-o`"
    return CompileError(Diagnostic("E0993", f"the kernels of `{path}` are of other ops run as one", hints=(hint,)))


def emitted_there(folder: Path) -> CompileError:
    hint = "name another folder: what was measured of this one would be of no use"
    return CompileError(Diagnostic("E0994", f"`{folder}` has kernels to measure already", hints=(hint,)))


def not_measured(path: Path, missing: int, total: int) -> CompileError:
    hint = "run `python measure.py` there again: it goes on with what is missing"
    return CompileError(Diagnostic("E0995", f"`{path}` lacks {missing:,} of {total:,} files", hints=(hint,)))


def nothing_collected(folder: Path, why: str) -> CompileError:
    hint = "`nasir profile --emit DIR` writes such a folder, and `python measure.py` in it the results"
    return CompileError(Diagnostic("E0996", f"`{folder}` has no results to collect: {why}", hints=(hint,)))
