"""One constructor for each mistake that a command line can hold."""

import os
import traceback
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten

from nasir.diagnostics import CompileError, Diagnostic, closest

_MOST_WORDS = 600
"""Characters of what another library says: a compiler's own log has a hundred thousand."""


def unknown_code(code: str, known: Sequence[str]) -> CompileError:
    hints = (*closest(code.upper(), known), "`nasir explain` lists them all")
    return CompileError(Diagnostic("E0609", f"no error has the code `{code}`", hints=hints))


def unknown_pass(name: str, known: Sequence[str]) -> CompileError:
    hints = (*closest(name, known), f"passes: {', '.join(known)}")
    return CompileError(Diagnostic("E0610", f"no pass `{name}` runs here", hints=hints))


def pass_too_early(name: str, missing: Sequence[str]) -> CompileError:
    hint = "`nasir ir FILE --each` shows an order that works; docs/compiler.md says what each pass needs"
    message = f"the pass `{name}` needs a graph that is {' and '.join(sorted(missing))}"
    return CompileError(Diagnostic("E0612", message, hints=(hint,)))


def rival_options() -> CompileError:
    hint = "`--choose` alone may be added to another"
    return CompileError(Diagnostic("E0606", "these options each choose a whole network", hints=(hint,)))


def no_value(option: str, text: str) -> CompileError:
    hint = f"write `{option} NAME=VALUE`"
    return CompileError(Diagnostic("E0607", f"`{option} {text}` has no value", hints=(hint,)))


def two_values(option: str, name: str, values: tuple[str, str]) -> CompileError:
    first, second = values
    message = f"`{option}` gives `{name}` two values, `{first}` and `{second}`"
    return CompileError(Diagnostic("E0613", message, hints=("leave one of them out",)))


def no_choices(path: Path) -> CompileError:
    hint = 'write `{"trunk.0.width": 16, ...}`, or take the `choices.json` of a run'
    return CompileError(Diagnostic("E0707", f"`{path}` is not a JSON object of choices", hints=(hint,)))


def no_programs(name: str) -> CompileError:
    hint = "programs end in `.nas`; folders whose names begin with a dot are left out"
    return CompileError(Diagnostic("E0711", f"there is no program in the folder `{name}`", hints=(hint,)))


def options_of_programs(file: str) -> CompileError:
    hint = "leave out `--with`, `--choose` and the other options that choose a network"
    return CompileError(Diagnostic("E0958", f"`{file}` is one network: there is nothing to choose", hints=(hint,)))


def not_printed(error: OSError) -> CompileError:
    return CompileError(Diagnostic("E0922", f"standard output cannot be written: {error.strerror or error}"))


def no_temporary_folder() -> CompileError:
    hint = "name one that can be written: `TMPDIR=DIR nasir ...`"
    return CompileError(Diagnostic("E0923", "there is no folder for temporary files", hints=(hint,)))


def fault(error: Exception) -> CompileError:
    """What only a fault of ours explains, with the last line of ours on the way to it."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f"{os.sep}nasir{os.sep}" in f.filename]
    where = f" ({os.path.basename(frames[-1].filename)}, line {frames[-1].lineno})" if frames else ""
    hint = "please report it with the command and the program; `NASIR_TRACEBACK=1 nasir ...` shows where it happened"
    words = shorten(f"{type(error).__name__}: {error}", _MOST_WORDS, placeholder=" ...")
    return CompileError(Diagnostic("E0910", f"{words}{where}", hints=(hint,)))
