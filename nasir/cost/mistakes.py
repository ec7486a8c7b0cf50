"""One constructor for each mistake about a table of costs."""

from collections.abc import Sequence
from pathlib import Path

from nasir.diagnostics import CompileError, Diagnostic, Span

_SCHEMA = "`nasir profile` makes such files; docs/profile.md has their schema"
_SHOWN = 3


def no_device_file(path: Path, why: str) -> CompileError:
    return CompileError(Diagnostic("E0990", f"`{path}` is no device file: {why}", hints=(_SCHEMA,)))


def other_quantity(path: str, cost: str, quantity: str, unit: str, span: Span | None) -> CompileError:
    hint = f'write `cost("{path}")`: it takes any quantity'
    message = f"`{cost}` reads a latency in us, and `{path}` has {quantity} in {unit}"
    return CompileError(Diagnostic("E0991", message, span, (hint,)))


def missing_kernels(path: str, missing: Sequence[str], total: int, space: str, span: Span | None) -> CompileError:
    """The table has nothing of some kernels that a network of the space can have."""
    names = "; ".join(missing[:_SHOWN]) + ("; ..." if len(missing) > _SHOWN else "")
    message = f"`{path}` lacks {len(missing):,} of the {total:,} kernels that a network of `{space}` can have: {names}"
    hint = f"`nasir profile` measures what is missing and keeps the rest: `nasir profile PROGRAM -o {path}`"
    return CompileError(Diagnostic("E0992", message, span, (hint,)))
