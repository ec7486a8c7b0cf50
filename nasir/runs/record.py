"""What the folder of a run tells of it, finished or not, damaged or not."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, cast

from nasir.cost.registry import described
from nasir.diagnostics import CompileError, Diagnostic
from nasir.drawing import draw
from nasir.files import Unreadable
from nasir.ir.values import Scalar
from nasir.jobs.folder import RunFolder
from nasir.lang.settings import Settings
from nasir.runs import mistakes
from nasir.runs.curves import Picture, pictures
from nasir.runs.summary import costs_in, figure, network_of, space_of
from nasir.searching.metric import ACCURACY, Metric, metrics_of

PHASES = ("search", "train")
OF_A_SEARCH = ("search.", "space.")
"""What settings are called that a training alone has not."""


@dataclass(frozen=True)
class Record:
    """A run as its folder tells it; what it does not tell, or where damage stands, is None or empty.

    `bounds` are limits by the cost's name, `costs` those of the network that was trained. `test` is by the metrics'
    names; `validation` and `supernet`, with the supernet's weights, are of the first metric. `epochs` are those that
    are done, `seconds` what they took, by the phase, `search` or `train`; `wall` is the wall time of the whole run.
    `settings` are texts by name, `search.epochs`. `decisions` are those of its space, `choices` the options that the
    found network uses. `network` is a picture of the network, in SVG.
    """

    path: Path
    name: str | None = None
    data: str | None = None
    seed: float | None = None
    strategy: str | None = None
    bounds: Mapping[str, float] = field(default_factory=dict[str, float])
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    metrics: tuple[Metric, ...] = (ACCURACY,)
    finished: bool = False
    costs: Mapping[str, float] = field(default_factory=dict[str, float])
    test: Mapping[str, float] = field(default_factory=dict[str, float])
    validation: float | None = None
    supernet: float | None = None
    entropy: float | None = None
    wall: float | None = None
    epochs: Mapping[str, int] = field(default_factory=dict[str, int])
    seconds: Mapping[str, float] = field(default_factory=dict[str, float])
    pictures: tuple[Picture, ...] = ()
    decisions: tuple[str, ...] = ()
    choices: Mapping[str, Scalar] | None = None
    network: str = ""
    damage: tuple[Diagnostic, ...] = ()

    @property
    def state(self) -> str | None:
        """How far it has come; None where damage hides it."""
        if self.finished or self.damage:
            return "finished" if self.finished else None
        return "training" if self.choices is not None or not self.searches else "searching"

    @property
    def searches(self) -> bool:
        """It is the run of a search, and not of a training alone."""
        return self.strategy is not None


def record(run: Path) -> Record:
    """The record of the run in a folder, which may be a stranger's: of damage it has a diagnostic for each file.

    Raises:
        CompileError: where the folder holds no run.
    """
    folder = RunFolder(run)
    if not folder.begun:
        raise mistakes.no_run(run)
    found: dict[str, Any] = {"path": run}
    damage: list[Diagnostic] = []
    for name, told in _FILES.items():
        try:
            found |= told(folder, Record(**found))
        except Exception as error:  # whatever was done to the file
            damage += mistakes.damaged_file(run / name, _reason(error)).diagnostics
    return Record(**found, damage=tuple(damage))


def _reason(error: Exception) -> str:
    match error:
        case CompileError():
            return error.diagnostics[0].message
        case Unreadable():
            return str(error)
        case _:
            return f"{type(error).__name__}: {error}"


def _plan(folder: RunFolder, _: Record) -> dict[str, Any]:
    plan = _object(folder, "plan.json")
    bounds = {name: figure(plan["bounds"], name) for name in plan["bounds"]}
    if not all(described(name) and limit > 0 for name, limit in bounds.items()):
        raise Unreadable("its bounds are no bounds on costs")
    for one in plan.get("metrics", ()):
        _text(one, "name")
        _text(one, "title")
    of_a_search = os.path.lexists(folder.path / "space.nas")
    program = hashlib.sha256(json.dumps([plan["space"], plan["imports"]]).encode()).hexdigest()[:_DIGITS]
    others = {name: plan[name] for name in plan if name not in _NO_SETTINGS}
    settings = _DEFAULTS | _flat({"space.sha256": program, **plan["settings"], **others})
    kept = {name: text for name, text in settings.items() if of_a_search or not name.startswith(OF_A_SEARCH)}
    return {
        "name": _text(plan, "name"),
        "data": _text(plan, "data_set"),
        "seed": figure(plan, "seed"),
        "strategy": settings[_STRATEGY] if of_a_search else None,
        "bounds": bounds,
        "settings": {name: text for name, text in kept.items() if name not in _SHOWN},
        "metrics": metrics_of(plan),
    }


_NO_SETTINGS = {
    *("name", "space", "imports", "bounds", "data", "data_set", "seed", "settings"),
    *("given", "metrics", "inputs", "normalisation", "split"),
}
"""Of a plan what is shown elsewhere, or follows from what is shown."""
_DIGITS = 8
"""Of a space's digest, which says that another text was searched."""
_STRATEGY = "search.strategy"
_SHOWN = {_STRATEGY, "objective.bounds"}
_DEFAULTS = {
    f"{section.name}.{one.name}": str(one.default)
    for section in fields(Settings)
    for one in fields(getattr(Settings(), section.name))
    if one.metadata
}
"""Settings that a plan does not have where they are these."""


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Settings as texts by name, `search.epochs`."""
    found: dict[str, str] = {}
    for name, value in settings.items():
        match value:
            case {"name": str(function), "arguments": list()}:
                given = ", ".join(f"{key}={one}" for key, one in settings[name]["arguments"])
                found[prefix + name] = f"{function}({given})"
            case dict():
                found |= _flat(cast("dict[str, Any]", value), f"{prefix}{name}.")
            case str():
                found[prefix + name] = value
            case None:
                found[prefix + name] = "default"
            case _:
                found[prefix + name] = json.dumps(value)
    return found


def _summary(folder: RunFolder, known: Record) -> dict[str, Any]:
    if not os.path.lexists(folder.path / "summary.json"):
        return {}
    summary, first = _object(folder, "summary.json"), known.metrics[0].name

    def maybe(name: str) -> float | None:
        return None if summary.get(name) is None else figure(summary, name)

    return {
        "finished": True,
        "costs": {name: figure(summary, name) for name in costs_in(summary)},
        "test": {one.name: figure(summary, f"test_{one.name}") for one in known.metrics},
        "validation": maybe(f"validation_{first}"),
        "supernet": maybe(f"supernet_{first}"),
        "entropy": maybe("entropy"),
        "wall": figure(summary, "seconds"),
    }


def _metrics(folder: RunFolder, known: Record) -> dict[str, Any]:
    lines = _lines(folder, "metrics.jsonl")
    done = Counter(line["phase"] for line in lines)
    found = tuple(pictures(lines, known.bounds, known.metrics[0]))
    return {"epochs": {phase: done[phase] for phase in PHASES if done[phase]}, "pictures": found}


def _timing(folder: RunFolder, _: Record) -> dict[str, Any]:
    taken: Counter[str] = Counter()
    for line in _lines(folder, "timing.jsonl"):
        taken[line["phase"]] += figure(line, "seconds")  # pyright: ignore[reportArgumentType]
    return {"seconds": {phase: taken[phase] for phase in PHASES if phase in taken}}


def _choices(folder: RunFolder, _: Record) -> dict[str, Any]:
    space = space_of(folder.path)
    decisions = tuple(one.name for one in space.decisions) if space else ()
    if space is None or not os.path.lexists(folder.path / "choices.json"):
        return {"decisions": decisions}
    choices = space.choices(_object(folder, "choices.json"))
    return {"decisions": decisions, "choices": space.active(choices)}


def _network(folder: RunFolder, _: Record) -> dict[str, Any]:
    network = network_of(folder.path)
    return {"network": draw(network.graph)} if network else {}


_FILES: Mapping[str, Callable[[RunFolder, Record], dict[str, Any]]] = {
    "plan.json": _plan,
    "summary.json": _summary,
    "metrics.jsonl": _metrics,
    "timing.jsonl": _timing,
    "choices.json": _choices,
    "arch.nas": _network,
}
"""What each file tells, given what those before it told."""


def _object(folder: RunFolder, name: str) -> dict[str, Any]:
    found = folder.read_json(name)
    if found is None:
        raise Unreadable("it is not a JSON object")
    return found


def _lines(folder: RunFolder, name: str) -> list[dict[str, Any]]:
    if folder.is_cut(name):
        raise Unreadable("not all its lines are JSON objects of a run")
    return list(folder.lines(name))


def _text(plan: Mapping[str, Any], name: str) -> str:
    if not isinstance(plan[name], str):
        raise Unreadable(f"`{name}` is no text")
    return plan[name]
