"""Runs side by side: their figures, the settings in which they differ, the networks that they found."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nasir.diagnostics import CompileError, Diagnostic
from nasir.ir.values import key
from nasir.runs.record import OF_A_SEARCH, PHASES, Record, record
from nasir.runs.summary import amounts, used

Texts = Mapping[str, str | None]
"""Figures of one run by what they are; None, or left out, is what it does not tell."""


@dataclass(frozen=True)
class Row:
    """One thing in each run, None where the run does not tell it."""

    title: str
    cells: tuple[str | None, ...]

    @property
    def differs(self) -> bool:
        """Runs do not agree in it."""
        return len({*self.cells}) > 1


@dataclass(frozen=True)
class Networks:
    """The networks that some runs found in spaces with the same decisions: a row for each decision, None where the
    network has no use for it."""

    names: tuple[str, ...]
    rows: tuple[Row, ...]


def records(runs: Sequence[Path]) -> tuple[Record, ...]:
    """The runs' records, in order.

    Raises:
        CompileError: naming each folder that holds no run.
    """
    found: list[Record] = []
    mistakes: list[Diagnostic] = []
    for run in runs:
        try:
            found.append(record(run))
        except CompileError as error:
            mistakes += error.diagnostics
    if mistakes:
        raise CompileError(mistakes)
    return tuple(found)


def names(runs: Sequence[Record]) -> tuple[str, ...]:
    """What the runs go by: the names of their folders, or their paths where two have one name."""
    found = tuple(os.path.basename(os.path.abspath(run.path)) for run in runs)
    return found if len({*found}) == len(found) else tuple(str(run.path) for run in runs)


def figures(runs: Sequence[Record]) -> list[Row]:
    """The figures of the runs, as a reader is told them. What no run tells has no row."""
    rows: list[Row] = []
    for parts in zip(*map(_figures, runs), strict=True):
        titles = dict.fromkeys(title for part in parts for title in part)
        rows += [Row(title, tuple(part.get(title) for part in parts)) for title in titles]
    return [row for row in rows if any(cell is not None for cell in row.cells)]


def _figures(run: Record) -> list[Texts]:
    """The figures of a run, in the parts of the table: what a part has may be another thing for each run."""
    first = run.metrics[0]
    bounds = {name: {"limit": limit, "used": run.costs.get(name, 0) / limit} for name, limit in run.bounds.items()}
    limits = dict(zip(bounds, amounts(run.bounds), strict=True))
    return [
        {
            "state": run.state,
            "program": run.name,
            "strategy": run.strategy,
            "data": run.data,
            "seed": None if run.seed is None else str(run.seed),
        },
        {f"bound on {label}": used(bounds, name) if run.costs else text for name, (label, text) in limits.items()},
        dict(amounts(run.costs)),
        {f"test {one.title}": one.shown(run.test[one.name]) for one in run.metrics if one.name in run.test},
        {f"validation {first.title}": None if run.validation is None else first.shown(run.validation)},
        {f"supernet's {first.title}": None if run.supernet is None else first.shown(run.supernet)},
        {"entropy": None if run.entropy is None else f"{run.entropy:.2f}"},
        {f"epochs of the {_CALLED[phase]}": _epochs(run, phase) for phase in PHASES},
        {f"time of the {_CALLED[phase]}": _time(run.seconds.get(phase)) for phase in PHASES},
        {"wall time": _time(run.wall)},
    ]


_CALLED = {"search": "search", "train": "training"}


def _epochs(run: Record, phase: str) -> str | None:
    """How many are done, and of how many where some are left."""
    done, asked = run.epochs.get(phase), run.settings.get(f"{phase}.epochs")
    return None if done is None else str(done) if asked in (str(done), None) else f"{done} of {asked}"


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds:,.0f} s"


def differing(runs: Sequence[Record]) -> list[Row]:
    """The settings in which runs differ. Those of a search are no settings of a training alone."""
    found: list[Row] = []
    for name in dict.fromkeys(name for run in runs for name in run.settings):
        row = Row(name, tuple(run.settings.get(name) for run in runs))
        of = [run for run in runs if run.settings and (run.searches or not name.startswith(OF_A_SEARCH))]
        if len({run.settings.get(name) for run in of}) > 1:
            found.append(row)
    return found


def networks(runs: Sequence[Record]) -> list[Networks]:
    """The networks that were found, side by side where their spaces have the same decisions."""
    called = names(runs)
    spaces: dict[tuple[str, ...], list[int]] = {}
    for i, run in enumerate(runs):
        if run.choices is not None:
            spaces.setdefault(run.decisions, []).append(i)
    return [
        Networks(
            tuple(called[i] for i in those),
            tuple(Row(name, tuple(_option(runs[i], name) for i in those)) for name in decisions),
        )
        for decisions, those in spaces.items()
    ]


def _option(run: Record, decision: str) -> str | None:
    taken = run.choices or {}
    return key(taken[decision]) if decision in taken else None


def facts(runs: Sequence[Record]) -> dict[str, Any]:
    """What `--json` prints: the figures as they are, in shares and seconds, and the settings that differ."""
    return {
        "runs": [_facts(run, name) for run, name in zip(runs, names(runs), strict=True)],
        "differing": {row.title: row.cells for row in differing(runs)},
    }


def _facts(run: Record, name: str) -> dict[str, Any]:
    return {
        "run": str(run.path),
        "called": name,
        **{field: getattr(run, field) for field in _FACTS},
        "metrics": [asdict(one) for one in run.metrics],
        "seconds": {**run.seconds, **({} if run.wall is None else {"wall": run.wall})},
        "damage": [one.message for one in run.damage],
    }


_FACTS = (
    *("state", "name", "strategy", "data", "seed", "bounds", "costs"),
    *("test", "validation", "supernet", "entropy", "epochs", "choices"),
)
