"""A family of networks: one search for each of several bounds, as processes of their own, and what they came to."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nasir.cost.registry import STANDARD, described
from nasir.drawing.curves import Series, plot
from nasir.files import replace_atomically
from nasir.jobs.folder import RunFolder
from nasir.jobs.machine import cores
from nasir.jobs.mistakes import folder_not_made
from nasir.jobs.signals import WORKS_FOR, Stopped, pausing
from nasir.lang.settings import Settings, with_bounds
from nasir.mistakes import not_written
from nasir.runs import mistakes
from nasir.runs.summary import amounts, costs_in
from nasir.searching.metric import ACCURACY, Metric, metrics_of

_LOOK_EVERY = 0.2  # seconds
_RESULTS = ("sweep.json", "sweep.md", "sweep.svg")


@dataclass(frozen=True)
class Member:
    """One search of a family: its bound, as `macs <= 20M`, and its run folder."""

    bound: str
    folder: Path

    @property
    def log(self) -> Path:
        """What its process printed."""
        return self.folder.with_name(f"{self.folder.name}.log")

    def last_lines(self) -> list[str]:
        """The end of what it printed: why it failed."""
        return self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-4:]


def members(cost: str, limits: Sequence[str], out: Path) -> list[Member]:
    """A member for each limit of a cost, `20M` or `60%`; for limits that are the same number, one.

    Raises:
        CompileError: where one is no limit.
    """
    found: dict[tuple[float, bool], Member] = {}
    for text in limits:
        (bound,) = with_bounds(Settings(), [f"{cost} <= {text}"], f"--{cost}").objective.bounds
        plain = re.fullmatch(r"([0-9.]+[A-Za-z]*)(%?)", text.replace(" ", ""))
        limit = plain[1] if plain else f"{100 * bound.limit:.12g}" if bound.relative else f"{bound.limit:.12g}"
        named = re.sub(r"[^A-Za-z0-9.]+", "-", cost).strip("-")
        folder = out / f"{named}-{limit}{'pct' * bound.relative}"
        found.setdefault((bound.limit, bound.relative), Member(f"{cost} <= {text}", folder))
    return list(found.values())


def run_all(
    family: Sequence[Member], arguments: Sequence[str], jobs: int, done: Callable[[Member, bool], None]
) -> list[Member]:
    """Search every member, `jobs` at a time, each with its share of the cores (or the threads that OMP_NUM_THREADS
    says); those that failed come back.

    Raises:
        CompileError: where the folder cannot be made, or a log not be written.
        Stopped: where a signal ended it; the searches have saved their states.
    """
    try:
        family[0].log.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise folder_not_made(family[0].log.parent, error.strerror) from None
    threads = str(max(1, cores() // min(jobs, len(family))))
    environment = {"OMP_NUM_THREADS": threads, **os.environ, WORKS_FOR: str(os.getpid())}
    waiting, failed = list(family), list[Member]()
    running: dict[Member, subprocess.Popen[bytes]] = {}
    with pausing() as pauses:
        try:
            while (waiting or running) and not pauses.signal:
                while waiting and len(running) < jobs:
                    member = waiting.pop(0)
                    running[member] = _start(member, arguments, environment)
                time.sleep(_LOOK_EVERY)
                for member, process in [(m, p) for m, p in running.items() if p.poll() is not None]:
                    del running[member]
                    if process.returncode:
                        failed.append(member)
                    done(member, not process.returncode)
        finally:
            for process in running.values():
                process.terminate()
            for process in running.values():
                process.wait()
        if pauses.signal:
            raise Stopped(pauses.signal)
    return failed


def _start(member: Member, arguments: Sequence[str], environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    # -P: without it Python looks for modules in the current folder first, which may be a stranger's.
    command = [sys.executable, "-P", "-m", "nasir", "search", *arguments]
    try:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        log = os.fdopen(os.open(member.log, flags, 0o666), "ab")
    except OSError as error:
        raise not_written(member.log, error) from None
    with log:
        options = ["--bound", member.bound, "--out", str(member.folder)]
        # A session of its own: of a Ctrl-C it hears from us alone, for a second signal would end it at once.
        return subprocess.Popen([*command, *options], stdout=log, stderr=log, env=environment, start_new_session=True)


def check_no_family(out: Path) -> None:
    """A sweep may write its results here.

    Raises:
        CompileError: where there are results already.
    """
    found = next((name for name in _RESULTS if os.path.lexists(out / name)), None)
    if found is not None:
        raise mistakes.sweep_there(out, found)


def write_family(out: Path, cost: str, family: Sequence[Member]) -> str:
    """Write sweep.json, sweep.md and sweep.svg (the metric over cost, as the paper's figures 8 and 9) of the members
    that are finished; the table comes back.

    Raises:
        CompileError: where a file cannot be written.
    """
    found: list[dict[str, Any]] = [
        {"bound": member.bound, "folder": member.folder.name, **summary}
        for member in family
        if (summary := RunFolder(member.folder).read_json("summary.json")) is not None
    ]
    plans = (RunFolder(member.folder).read_json("plan.json") for member in family)
    metric = next((metrics_of(plan)[0] for plan in plans if plan is not None), ACCURACY)
    table = _table(found, metric)
    points = sorted((one[cost], metric.plotted(one[f"test_{metric.name}"])) for one in found)
    known = described(cost)
    assert known is not None, "bounds are on costs"
    series = [Series("networks", [(x / known.scale, y) for x, y in points])]
    picture = plot(f"Test {metric.axis}", series, known.label, from_zero=False, legend=False)
    for name, text in zip(_RESULTS, (json.dumps(found, indent=2) + "\n", table, picture), strict=True):
        replace_atomically(out / name, text.encode("utf-8"))
    return table


def _table(found: Sequence[Mapping[str, Any]], metric: Metric) -> str:
    shown = list(dict.fromkeys(name for one in found for name in costs_in(one))) or STANDARD
    lines = [
        "| bound | " + " | ".join(shown) + f" | of the bound | test {metric.title} |",
        "| --- |" + " ---: |" * (2 + len(shown)),
    ]
    for one in found:
        costs = " | ".join(amount for _, amount in amounts({name: one[name] for name in shown}))
        used = max((bound["used"] for bound in one["bounds"].values()), default=0.0)
        remark = " (no nearer network found)" if one["lands"] is False else ""
        worth = metric.shown(one[f"test_{metric.name}"])
        lines.append(f"| {one['bound']} | {costs} | {used:.1%}{remark} | {worth} |")
    return "\n".join(lines) + "\n"
