"""`nasir sweep`."""

import os
import platform
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nasir.api import load
from nasir.cli.options import (
    Cpus,
    File,
    Gpus,
    On,
    Quiet,
    With,
    check_place,
    check_start,
    folder,
    parameters,
    with_limits,
    with_request,
)
from nasir.cli.running import resumed, stoppable
from nasir.cost.registry import PRIMARY
from nasir.cost.tabled import FAMILIES
from nasir.diagnostics import render_all
from nasir.jobs.machine import under_torchrun
from nasir.jobs.mistakes import not_shared
from nasir.jobs.pool import LOCAL, pool
from nasir.jobs.signals import Stopped
from nasir.lang.settings import with_bounds
from nasir.mistakes import not_written
from nasir.runs.request import Request

if TYPE_CHECKING:
    from nasir.api import Space
    from nasir.jobs.pool import Outcome
    from nasir.lang.settings import Settings
    from nasir.runs.sweep import Member

NAME = "sweep"
_BY_A_SIGNAL = 128
"""What exit statuses of commands begin with that a signal ended."""


@with_request(NAME)
@with_limits
def command(
    file: File,
    limits: dict[str, str],
    *,
    given: With = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            parser=folder,
            help="A run folder for each bound goes in it.  [default: runs/NAME_sweep]",
        ),
    ] = None,
    request: Request,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            metavar="N",
            min=1,
            help="Searches at a time.  [default: one; on a cluster as many as it has room for]",
        ),
    ] = None,
    shared: Annotated[
        bool,
        typer.Option(
            "--shared",
            help="Train one supernet for all bounds, in the search for the largest one; the others choose by it. For"
            " strategies whose supernet serves any bound: `--set search.strategy=evolution`.",
        ),
    ] = False,
    on: On = LOCAL,
    cpus: Cpus = None,
    gpus: Gpus = 0.0,
    quiet: Quiet = False,
) -> None:
    """Search a family of networks, one for each bound; a table and a plot of accuracy over cost.

    Writes sweep.json, sweep.md and sweep.svg into DIR. `--resume` goes on with what is unfinished.
    """
    from nasir.runs.sweep import run_all, write_family
    from nasir.terminal import Terminal

    check_start(request)
    check_place(on, gpus)
    space = load(file, **parameters(given))
    out = out or Path("runs") / f"{space.name}_sweep"
    cost, family, least = _family(space, limits, request, out, shared=shared)
    asked = replace(request, resume=True, overwrite=False).arguments()
    arguments = ["search", file, *(f"--with={text}" for text in given or []), *asked, *least]
    console = Terminal(highlight=False, quiet=quiet)
    say = partial(console.print, soft_wrap=True, markup=False)
    jobs = jobs and min(jobs, len(family))

    def searches() -> "list[Member]":
        with pool(on, at_once=jobs, cpus=cpus, gpus=gpus, tell=say) as workers:
            return run_all(family, workers, partial(searched, Path.cwd(), arguments), partial(_tell, say))

    at_once = f", {jobs or 1} at a time" if jobs or on == LOCAL else ""
    say(f"{'1 search' if len(family) == 1 else f'{len(family)} searches{at_once}'}; lines in {out}/*.log")
    failed = stoppable(searches, resumed(out))
    finished = [member for member in family if member not in failed]
    if finished:
        console.print(write_family(out, cost, finished), end="", markup=False)
    for member in failed:
        say("\n".join([member.bound, *member.last_lines()]))
    say(f"everything in {out}", style="dim")
    if failed:
        raise typer.Exit(1)


def _family(
    space: "Space", limits: Mapping[str, str], request: Request, out: Path, *, shared: bool
) -> "tuple[str, list[Member], list[str]]":
    """The cost that bounds are given of, a member for each, and what the searches are told besides.

    Raises:
        CompileError: as `_checked` does; where the bounds are to share a supernet that serves one alone.
    """
    from nasir.runs.sweep import check_same_supernet, members, sharing
    from nasir.searching.strategy import check_serves

    cost, texts = _asked(limits)
    settings = request.settle(space.settings)
    if cost in FAMILIES:
        cost = _of_a_file(cost, settings.objective.costs)
    family = members(cost, [limit.strip() for limit in texts.split(",") if limit.strip()], out)
    if not family:
        raise typer.BadParameter("give the bounds: `20M,40M,60M`")
    if shared:
        check_serves(settings.search.strategy)
    highest = _checked(family, space, settings, request, out)
    if not shared:
        return cost, family, []
    family, least = sharing(family, highest, settings.search)
    if request.resume:
        check_same_supernet(family, least)
    return cost, family, [f"--set=search.least={least:.6g}"]


def _tell(say: Callable[[str], None], member: "Member", outcome: "Outcome[int]") -> None:
    """How a member's search ended."""
    if outcome.error is not None:
        print(render_all(outcome.error.diagnostics), file=sys.stderr)
    failed = "failed" if outcome.error is not None else f"failed, see {member.log}"
    say(f"{member.bound}: {'done' if outcome.value == 0 else failed}")


def _asked(limits: Mapping[str, str]) -> tuple[str, str]:
    """The cost that bounds are given of, and their text."""
    if len(limits) != 1:
        raise typer.BadParameter(f"give the bounds of one cost: `--{PRIMARY} 20M,40M,60M`")
    if under_torchrun():
        raise typer.BadParameter("run the sweep without torchrun: its searches are processes of their own")
    (asked,) = limits.items()
    return asked


def _checked(
    family: "Sequence[Member]", space: "Space", settings: "Settings", request: Request, out: Path
) -> "list[float]":
    """The limits of a family's bounds, once all that can be said before the first search is said; its folders are free.

    Raises:
        CompileError: where there is nothing to search, a bound that no network keeps, or an earlier run.
    """
    from nasir.jobs.folder import RunFolder
    from nasir.runs.run import check_open
    from nasir.runs.sweep import check_no_family, check_same_family
    from nasir.searching.prices import targets

    check_open(space)
    anew = not (request.resume or request.overwrite)
    if anew:
        check_no_family(out)
    elif request.resume:
        check_same_family(out, family)
    limits: list[float] = []
    for member in family:
        bounds = targets(with_bounds(settings, [member.bound]).objective, space.costs).bounds
        limits += [bound.limit for bound in bounds if bound.cost == member.cost]
        if anew:
            RunFolder(member.folder).check_free()
    if request.overwrite:
        for member in family:
            member.clear()
    return limits


def searched(here: Path, arguments: Sequence[str], member: "Member") -> int:
    """The command with these arguments in the folder `here`, in this process, for a member's bound; its exit status.
    What it prints goes to the member's log. It goes on with what is in the member's folder.

    Raises:
        CompileError: where there is no such folder, or the log cannot be written.
        Stopped: where a signal stopped it.
    """
    try:
        os.chdir(here)
    except OSError:
        raise not_shared(here, platform.node()) from None
    if not member.log.parent.is_dir():
        raise not_shared(member.log.parent.absolute(), platform.node())
    with _printing_to(member.log):
        shared = [] if member.supernet is None else [f"--supernet={member.supernet}"]
        status = _status([*arguments, *shared, "--bound", member.bound, "--out", str(member.folder)])
    if status > _BY_A_SIGNAL:
        raise Stopped(status - _BY_A_SIGNAL)
    return status


def _status(arguments: Sequence[str]) -> int:
    from nasir.cli import main  # which imports this

    try:
        main.run(arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


@contextmanager
def _printing_to(log: Path) -> Generator[None]:
    """What this process prints, Python or a library of its, goes to the end of a file."""
    try:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        file = os.fdopen(os.open(log, flags, 0o666), "a", encoding="utf-8", buffering=1)
    except OSError as error:
        raise not_written(log, error) from None
    kept = {stream: os.dup(stream) for stream in (1, 2)}
    with file, redirect_stdout(file), redirect_stderr(file):
        try:
            for stream in kept:
                os.dup2(file.fileno(), stream)
            yield
        finally:
            for stream, before in kept.items():
                os.dup2(before, stream)
                os.close(before)


def _of_a_file(family: str, costs: Sequence[str]) -> str:
    """The cost of that kind which the program's objective names."""
    named = [cost for cost in costs if cost.startswith(f"{family}(")]
    if len(named) != 1:
        count = "no device file" if not named else "several device files"
        raise typer.BadParameter(f"the program's objective names {count} with `{family}`")
    return named[0]
