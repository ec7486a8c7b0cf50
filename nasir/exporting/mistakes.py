"""One constructor for each mistake that an export can end with."""

from collections.abc import Sequence
from pathlib import Path

from nasir.diagnostics import CompileError, Diagnostic


def not_installed(format: str, extra: str, error: Exception) -> CompileError:
    hint = f"pip install 'nasir[{extra}]'" if extra else "see docs/export.md"
    return CompileError(Diagnostic("E0951", f"`--to {format}` needs what is not installed: {error}", hints=(hint,)))


def not_exported(format: str, network: str, error: Exception) -> CompileError:
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    hint = "nothing was written; docs/export.md says what each format takes"
    return CompileError(Diagnostic("E0952", f"`{network}` cannot be exported to {format}: {reason}", hints=(hint,)))


def not_the_network(format: str, network: str, difference: str) -> CompileError:
    hint = "nothing was written: please report it with the program"
    message = f"`{network}` exported to {format} is not the network: {difference}"
    return CompileError(Diagnostic("E0953", message, hints=(hint,)))


def no_quantiser(format: str) -> CompileError:
    return CompileError(Diagnostic("E0955", f"`--to {format}` has no int8 here", hints=("see docs/export.md",)))


def no_data(network: str, why: str) -> CompileError:
    hint = "`--data D` names the data, whose training inputs say how large the network's numbers are"
    return CompileError(Diagnostic("E0954", f"`{network}` cannot be exported in int8: {why}", hints=(hint,)))


def unknown_input(path: Path) -> CompileError:
    hint = "an emitted file says it in its docstring; `deploy.json` beside it has it as well"
    return CompileError(Diagnostic("E0956", f"what the network of `{path}` takes is not known", hints=(hint,)))


def export_there(folder: Path, name: str) -> CompileError:
    hint = "`--overwrite` replaces it, `-o DIR` goes elsewhere"
    return CompileError(Diagnostic("E0950", f"`{folder}` already contains `{name}`", hints=(hint,)))


def unknown_format(name: str, known: Sequence[str]) -> CompileError:
    return CompileError(Diagnostic("E0957", f"no format is called `{name}`", hints=(f"one of {', '.join(known)}",)))
