"""A family of networks: one search for each of several bounds, by the workers of a pool, and what they came to."""

import json
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from nasir.cost.registry import STANDARD, described
from nasir.drawing.curves import Series, plot
from nasir.files import Unreadable, parse_json, read_regular, replace_atomically
from nasir.jobs.folder import RunFolder
from nasir.jobs.mistakes import folder_not_made
from nasir.jobs.pool import Job, Outcome, Pool
from nasir.lang.settings import SearchSettings, Settings, with_bounds
from nasir.runs import mistakes
from nasir.runs.summary import amounts, costs_in
from nasir.searching.metric import ACCURACY, Metric, metrics_of

_RESULTS = ("sweep.json", "sweep.md", "sweep.svg")


@dataclass(frozen=True)
class Member:
    """One search of a family: its bound, as `macs <= 20M`, on which cost that is, and its run folder; of a search that
    takes the supernet of another member, that one's folder."""

    bound: str
    cost: str
    folder: Path
    supernet: Path | None = None

    @property
    def log(self) -> Path:
        """What its search printed."""
        return self.folder.with_name(f"{self.folder.name}.log")

    def clear(self) -> None:
        """Take an earlier run out of its folder.

        Raises:
            CompileError: where another one writes into it, or it holds files that no run wrote.
        """
        folder = RunFolder(self.folder)
        folder.lock()
        try:
            folder.start(overwrite=True)
            folder.abandon()
        finally:
            folder.unlock()

    def last_lines(self) -> list[str]:
        """The end of what it printed: why it failed."""
        try:
            return read_regular(self.log).decode("utf-8", "replace").strip().splitlines()[-4:]
        except Unreadable:
            return [] if self.supernet is None else ["not searched: there is no supernet to choose by"]


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
        found.setdefault((bound.limit, bound.relative), Member(f"{cost} <= {text}", cost, folder))
    return list(found.values())


def sharing(family: Sequence[Member], limits: Sequence[float], settings: SearchSettings) -> tuple[list[Member], float]:
    """The family with one supernet, that of the search for the largest of the limits, and the setting `least` by which
    it is trained for the smallest one as well.
    """
    widest = family[limits.index(max(limits))]
    found = [one if one is widest else replace(one, supernet=widest.folder) for one in family]
    return found, settings.least * min(limits) / max(limits)


def run_all(
    family: Sequence[Member],
    pool: Pool,
    search: Callable[[Member], int],
    done: Callable[[Member, Outcome[int]], None],
) -> list[Member]:
    """Have every member searched by a worker of the pool, with `search`, which returns the exit status of the command;
    those that failed come back, and those that were to take the supernet of one that did. `done` is told of each how it
    ended.

    Raises:
        CompileError: where the folder cannot be made.
        Stopped: where a signal ended it; the end of the pool has the searches save their states.
    """
    try:
        family[0].log.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise folder_not_made(family[0].log.parent, error.strerror) from None
    members = {member.bound: member for member in family}
    failed: list[Member] = []
    for takes in (False, True):  # first those that train a supernet of their own
        searches = [member for member in family if (member.supernet is not None) == takes]
        if takes and failed:
            return failed + searches
        for outcome in pool.run([Job(member.bound, partial(search, member)) for member in searches]):
            member = members[outcome.key]
            if outcome.error is not None or outcome.value:
                failed.append(member)
            done(member, outcome)
    return failed


def check_no_family(out: Path) -> None:
    """A sweep may write its results here.

    Raises:
        CompileError: where there are results already.
    """
    found = next((name for name in _RESULTS if os.path.lexists(out / name)), None)
    if found is not None:
        raise mistakes.sweep_there(out, found)


def check_same_family(out: Path, family: Sequence[Member]) -> None:
    """The results that are there are of these members: a sweep that goes on writes its results anew.

    Raises:
        CompileError: where they are of other members.
    """
    try:
        found: Any = parse_json(read_regular(out / _RESULTS[0]))
        there = {str(one["folder"]): str(one["bound"]) for one in found}
    except (Unreadable, LookupError, TypeError):
        return  # none, or damaged: they are made of the members' own
    asked = {member.folder.name for member in family}
    if others := [bound for folder, bound in there.items() if folder not in asked]:
        raise mistakes.bounds_left_out(out, others)


def check_same_supernet(family: Sequence[Member], least: float) -> None:
    """The supernet that is there, of the member that trains one for all, was trained with this setting `least`.

    Raises:
        CompileError: where it was trained for other bounds.
    """
    widest = next(member for member in family if member.supernet is None)
    plan = RunFolder(widest.folder).read_json("plan.json")
    if plan is None:
        return
    try:
        there = float(plan["settings"]["search"].get("least", SearchSettings().least))
    except (LookupError, TypeError, ValueError, AttributeError):
        return  # damaged: its search says so
    if not math.isclose(there, least, rel_tol=1e-5):
        raise mistakes.bounds_of_a_supernet(widest.folder)


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
