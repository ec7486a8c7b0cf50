"""`nasir`: the commands, and how errors leave the program."""

import gc
import sys
import time
from typing import Annotated

import typer

from nasir.cli import build, check, derive, draw, explain, info, ir, report, search, sweep, train
from nasir.diagnostics import CompileError, render_all
from nasir.search.machine import rank

_RANKS_AGREE = 3.0  # seconds

app = typer.Typer(
    name="nasir",
    help="Compile neural architecture search spaces: search them, derive networks, emit plain PyTorch.",
    epilog="Start with `nasir search digits --out runs/digits`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
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


for module in (check, info, ir, draw, search, sweep, report, derive, build, train, explain):
    app.command(module.NAME)(module.command)


def run() -> None:
    """The entry point. Exit status: 0, 1 for diagnostics, 2 for wrong usage, 130 where interrupted."""
    # A compile makes a great many small objects that live to its end; walking them again and again is a tenth of it.
    gc.set_threshold(100_000)
    try:
        app(standalone_mode=True)
    except CompileError as error:
        if rank() > 0:
            time.sleep(_RANKS_AGREE)  # what the first rank says as well is said once: torchrun ends the others
        print(render_all(error.diagnostics), file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
