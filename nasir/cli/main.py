"""`nasir`: the commands, and how errors leave the program."""

import gc
import os
import sys
import time
from collections.abc import Sequence
from typing import Annotated, Any, TextIO, cast

import typer

from nasir.cli import (
    build,
    check,
    compare,
    derive,
    draw,
    explain,
    export,
    fmt,
    info,
    ir,
    lift,
    mistakes,
    predict,
    profile,
    report,
    search,
    sweep,
    train,
)
from nasir.diagnostics import CompileError, render_all
from nasir.jobs.machine import rank

_RANKS_AGREE = 3.0  # seconds
_PIPE_CLOSED = 141  # 128 + SIGPIPE, as a shell has it
_HELP = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    name="nasir",
    help="Compile neural architecture search spaces: search them, derive networks, emit plain PyTorch.",
    epilog="Start with `nasir search digits --out runs/digits`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings=_HELP,
)


def _version(shown: bool) -> None:
    if shown:
        from importlib.metadata import version

        print(f"nasir {version('nasir')}")
        raise typer.Exit


@app.callback()
def options(
    shown: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Compile neural architecture search spaces: search them, derive networks, emit plain PyTorch."""


for module in (
    check,
    fmt,
    info,
    ir,
    draw,
    search,
    sweep,
    report,
    compare,
    derive,
    build,
    lift,
    train,
    predict,
    export,
    profile,
    explain,
):
    app.command(module.NAME, context_settings=_HELP)(module.command)


class _Output:
    """Standard output whose reader may go away, and whose disk may be full."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        return self._safely(lambda: self._stream.write(text))

    def flush(self) -> None:
        self._safely(self._stream.flush)

    def _safely(self, work: Any) -> Any:
        try:
            return work()
        except BrokenPipeError:
            self._give_up()
            sys.exit(_PIPE_CLOSED)
        except OSError as error:
            self._give_up()
            raise _NotPrinted(error) from None

    def _give_up(self) -> None:
        """Python writes what is left when it ends: to where it harms nobody."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


class _NotPrinted(Exception):
    """Standard output cannot be written; the argument is why."""


def run(arguments: Sequence[str] | None = None) -> None:
    """The entry point; `arguments` stand in place of those of the process. Exit status: 0, 1 for diagnostics, 2 for
    wrong usage, 130 where interrupted, 141 where the reader of the output went away."""
    # A compile makes a great many small objects that live to its end; walking them again and again is a tenth of it.
    gc.set_threshold(100_000)
    # Threads that wait by spinning take the cores from whatever runs beside them. It is read when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    nowhere: Any = None
    for name in ("stdout", "stderr"):  # closed by who started us
        if getattr(sys, name) is None:
            nowhere = nowhere or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
            setattr(sys, name, nowhere)
    sys.stdout = cast(TextIO, _Output(sys.stdout))
    status = 0
    try:
        app(arguments, prog_name="nasir", standalone_mode=True)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except CompileError as error:
        status = _told(error)
    except _NotPrinted as error:
        status = _told(mistakes.not_printed(*error.args))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        status = 130
    except Exception as error:
        if os.environ.get("NASIR_TRACEBACK"):
            raise
        status = _told(explained(error))
    try:
        sys.stdout.flush()
    except SystemExit:
        status = _PIPE_CLOSED
    except _NotPrinted as error:
        status = _told(mistakes.not_printed(*error.args))
    if "multiprocessing" in sys.modules:  # processes that decode images get no SIGTERM: none may be left to wait for
        for process in sys.modules["multiprocessing"].active_children():
            process.kill()
    sys.exit(status)


def _told(error: CompileError) -> int:
    if rank() > 0:
        time.sleep(_RANKS_AGREE)  # what the first rank says as well is said once: torchrun ends the others
    print(render_all(error.diagnostics), file=sys.stderr)
    return 1


def explained(error: Exception) -> CompileError:
    """What only a fault of ours, or of this machine, explains."""
    if isinstance(error, FileNotFoundError) and "temporary directory" in str(error):
        return mistakes.no_temporary_folder()
    return mistakes.fault(error)
