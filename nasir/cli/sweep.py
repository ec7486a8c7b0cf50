"""`nasir sweep`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from nasir.api import load
from nasir.cli.options import File, Quiet, With, check_start, folder, parameters, with_limits, with_request
from nasir.cli.search import resumed, stoppable
from nasir.cost.registry import PRIMARY
from nasir.cost.tabled import FAMILIES
from nasir.jobs.machine import under_torchrun
from nasir.lang.settings import with_bounds
from nasir.runs.request import Request

NAME = "sweep"


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
        int, typer.Option("--jobs", metavar="N", min=1, help="Searches at a time; they share the cores.")
    ] = 1,
    quiet: Quiet = False,
) -> None:
    """Search a family of networks, one for each bound; a table and a plot of accuracy over cost.

    Writes sweep.json, sweep.md and sweep.svg into DIR. `--resume` goes on with what is unfinished.
    """
    from nasir.jobs.folder import RunFolder
    from nasir.runs.run import check_open
    from nasir.runs.sweep import Member, check_no_family, members, run_all, write_family
    from nasir.searching.prices import targets
    from nasir.terminal import Terminal

    if len(limits) != 1:
        raise typer.BadParameter(f"give the bounds of one cost: `--{PRIMARY} 20M,40M,60M`")
    if under_torchrun():
        raise typer.BadParameter("run the sweep without torchrun: its searches are processes of their own")
    check_start(request)
    ((cost, texts),) = limits.items()
    space = load(file, **parameters(given))
    settings = request.settle(space.settings)
    if cost in FAMILIES:
        cost = _of_a_file(cost, settings.objective.costs)
    out = out or Path("runs") / f"{space.name}_sweep"
    family = members(cost, [limit.strip() for limit in texts.split(",") if limit.strip()], out)
    if not family:
        raise typer.BadParameter("give the bounds: `20M,40M,60M`")
    check_open(space)
    anew = not (request.resume or request.overwrite)
    if anew:
        check_no_family(out)
    for member in family:  # what cannot be reached is said before any search
        targets(with_bounds(settings, [member.bound]).objective, space.costs)
        if anew:
            RunFolder(member.folder).check_free()
    arguments = [file, *(f"--with={text}" for text in given or []), *request.arguments()]
    console = Terminal(highlight=False, quiet=quiet)

    def done(member: Member, well: bool) -> None:
        words = "done" if well else f"failed, see {member.log}"
        console.print(f"{member.bound}: {words}", soft_wrap=True, markup=False)

    many = "1 search" if len(family) == 1 else f"{len(family)} searches, {min(jobs, len(family))} at a time"
    console.print(f"{many}; lines in {out}/*.log", soft_wrap=True, markup=False)
    failed = stoppable(lambda: run_all(family, arguments, jobs, done), resumed(out))
    finished = [member for member in family if member not in failed]
    if finished:
        console.print(write_family(out, cost, finished), end="", markup=False)
    for member in failed:
        console.print("\n".join([member.bound, *member.last_lines()]), markup=False, soft_wrap=True)
    console.print(f"everything in {out}", style="dim", markup=False, soft_wrap=True)
    if failed:
        raise typer.Exit(1)


def _of_a_file(family: str, costs: Sequence[str]) -> str:
    """The cost of that kind which the program's objective names."""
    named = [cost for cost in costs if cost.startswith(f"{family}(")]
    if len(named) != 1:
        count = "no device file" if not named else "several device files"
        raise typer.BadParameter(f"the program's objective names {count} with `{family}`")
    return named[0]
