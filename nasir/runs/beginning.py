"""How a run takes its folder: empty, or with a run to go on with. The first rank reads and writes it, and hands on."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import torch

from nasir.diagnostics import CompileError
from nasir.jobs.folder import RunFolder
from nasir.jobs.ranks import Ranks
from nasir.runs import mistakes
from nasir.runs.deploying import data_facts
from nasir.runs.plan import Job, check_ranks_alike, check_same_plan, ranks_told, versions_told
from nasir.runs.request import Request


def goes_on(request: Request, folder: RunFolder, ranks: Ranks, launchers: Collection[str]) -> bool:
    """There is a run to go on with: that is asked for, or `torchrun` started the processes of this one again.

    Raises:
        CompileError: where the folder that has it is not the first rank's.
    """
    found = ranks.gather(folder.begun and (request.resume or folder.is_of(launchers)))
    if any(found) and not found[0]:
        raise mistakes.run_elsewhere(folder.path, found.index(True))
    return found[0]


def begin(job: Job, wanted: Mapping[str, Any], write: Callable[[], None]) -> None:
    """Make the folder that of this run: empty with `plan.json`, or a run to go on with. From here on as many threads
    compute as the plan says: sums are of as many parts."""
    check_ranks_alike(job.ranks, wanted)
    if job.resumes:
        _go_on(job, wanted, write)
        return
    torch.set_num_threads(job.threads)
    if job.request.resume:
        words = f"no run in {job.folder.path} yet: this one starts"
        job.console.print(words, style="dim", markup=False, soft_wrap=True)

    def start() -> None:
        job.folder.start(overwrite=job.request.overwrite, imports=wanted["imports"])
        try:
            if job.launchers:
                job.folder.mark(job.launchers)
            write()
            job.folder.write_json("data.json", data_facts(job.data))
            job.folder.write_json("plan.json", wanted)  # the last: with it the folder holds a run
        except CompileError:
            job.folder.abandon()
            raise

    job.ranks.lead(start)


def _go_on(job: Job, wanted: Mapping[str, Any], write: Callable[[], None]) -> None:
    """Take the folder's run up again."""
    found = job.ranks.lead(lambda: check_same_plan(job.folder, wanted, job.request))

    def take_up() -> None:
        plan_now = {**found, **{name: wanted[name] for name in ("skip_broken", "ranks")}}
        if plan_now != found:
            job.folder.write_json("plan.json", plan_now)
        if job.launchers:
            job.folder.mark(job.launchers)
        write()  # what is run of the folder is what was given, whatever has become of its files

    job.ranks.lead(take_up)
    for told, name in ((versions_told, "versions"), (ranks_told, "ranks")):
        if (before := found.get(name)) != wanted[name]:
            words = f"begun with {told(before)}, goes on with {told(wanted[name])}: its bytes may differ"
            job.console.print(words, style="yellow", markup=False, soft_wrap=True)
    torch.set_num_threads(found["threads"])


def saved(job: Job, phase: str) -> dict[str, Any] | None:
    """The state to go on from."""
    state = job.ranks.lead(lambda: job.folder.load_checkpoint(phase)) if job.resumes else None
    if job.resumes and state is None and phase == "search":
        words = f"no state of the search is saved in {job.folder.path}: it begins again"
        job.console.print(words, style="yellow", markup=False, soft_wrap=True)
    return state


def mend_lines(job: Job) -> None:
    """The lines of the run's files are those up to the state that it goes on from."""
    if mended := job.ranks.lead(job.folder.rewrite_lines):
        words = f"{' and '.join(mended)} had not all lines: written again from the checkpoint"
        job.console.print(words, style="yellow", markup=False, soft_wrap=True)
