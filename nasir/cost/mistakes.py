"""One constructor for each mistake about a table of costs."""

from collections.abc import Mapping, Sequence
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


def lacking_layers(path: str, lacking: Mapping[str, str], total: int, space: str, format: str) -> CompileError:
    """A table of another project has nothing of some kernels: `lacking` has each with the layer that is not there, as
    the table would call it, or nothing where such tables have no name for it."""
    names = "; ".join([*lacking][:_SHOWN]) + ("; ..." if len(lacking) > _SHOWN else "")
    message = f"`{path}` lacks {len(lacking):,} of the {total:,} kernels that a network of `{space}` can have: {names}"
    layers = [*dict.fromkeys(filter(None, lacking.values()))]
    hints = [f"such a layer is missing: `{layers[0]}`"] if layers else []
    nameless = sum(not layer for layer in lacking.values())
    if nameless:
        hints.append(f"tables of {format} have no layer that is {nameless:,} of them")
    hints.append("add the layers, or measure: `nasir profile PROGRAM -o OTHER.json`")
    return CompileError(Diagnostic("E0997", message, hints=tuple(hints)))


def damaged_table(span: Span, why: str) -> CompileError:
    hint = "ProxylessNAS' YAML and FBNet's lines of JSON are read; docs/profile.md shows both"
    return CompileError(Diagnostic("E0998", f"this is no table of latencies: {why}", span, (hint,)))


def mixed_table(span: Span, condition: str, before: str, here: str) -> CompileError:
    hint = "a device file is of one device: keep the lines of one"
    message = f"the {condition} is `{here}` here, and `{before}` in the lines before"
    return CompileError(Diagnostic("E0999", message, span, (hint,)))
