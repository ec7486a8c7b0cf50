"""report.html: one self-contained page of a run, made from its folder alone."""

import base64
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nasir.api import Space
from nasir.cost.registry import STANDARD
from nasir.cost.table import layer_rows
from nasir.diagnostics import CompileError
from nasir.drawing import draw
from nasir.ir.graph import Choices
from nasir.ir.values import key
from nasir.jobs.folder import RunFolder
from nasir.profiling.winner import FILE as LATENCIES
from nasir.runs import mistakes
from nasir.runs.curves import Lines, pictures
from nasir.runs.summary import NOT_LANDED, SHARED, amounts, by_layer, costs_in, network_of, space_of, undecided, used
from nasir.searching.metric import Metric, metrics_of
from nasir.templates import template


@dataclass(frozen=True)
class HeatMap:
    """One decision's distribution over the epochs: an image, options downwards, epochs to the right."""

    name: str
    what: str
    options: Sequence[str]
    chosen: str
    """The network's option; of an unfinished search the likeliest; empty where the network has no use for it."""
    png: str
    moved: bool
    """Landing on the bounds took it from its likeliest option."""


@dataclass(frozen=True)
class LayerMaps:
    """The decisions of one layer."""

    name: str
    maps: Sequence[HeatMap]


def write_report(run: Path) -> Path:
    """Write RUN/report.html from what is in the folder, finished or not, and give its path.

    Raises:
        CompileError: where the folder holds no run, or the page cannot be written.
    """
    folder = RunFolder(run)
    read = ("plan.json", "summary.json", "choices.json", "test.json", LATENCIES)
    plan, summary, choices, tested, latencies = map(folder.read_json, read)
    if plan is None:
        raise mistakes.no_run(run)
    metrics, probabilities = (list(folder.lines(name)) for name in ("metrics.jsonl", "probabilities.jsonl"))
    network = network_of(run)
    chosen = {name: key(option) for name, option in _active(run, choices or {}).items()}
    try:
        shown = list(costs_in(summary or {})) or STANDARD
        page = template("report.html.j2").render(
            name=plan["name"],
            about=_about(plan),
            figures=[*_figures(summary, metrics_of(plan), _start(plan, run)), *_latencies(latencies)],
            remarks=_remarks(summary, len(choices or {})),
            curves=[one.plotted() for one in pictures(metrics, plan["bounds"], metrics_of(plan)[0])],
            picture=draw(network.graph) if network else "",
            costs=_columns(network, shown),
            rows=list(_rows(network, shown, chosen, _moved(summary))) if network else [],
            classes=_classes(tested),
            confusion=_confusion(tested),
            counted="pixels" if tested and "mean_iou" in tested else plan.get("inputs", "images"),
            layers=_layers(probabilities, None if choices is None else chosen, _moved(summary)),
            decided=choices is not None,
            plan=json.dumps(
                {name: value for name, value in plan.items() if name not in {"space", "imports"}}, indent=2
            ),
            space=plan["space"],
        )
    except CompileError:
        raise
    except Exception as error:  # whatever was done to the files
        raise mistakes.damaged_run(run, error) from None
    folder.write("report.html", page)
    return run / "report.html"


def _active(run: Path, choices: Choices) -> Choices:
    """The choices that the network uses: a skipped layer's width is none of them."""
    space = space_of(run) if choices else None
    return space.active(choices) if space else choices


def _about(plan: Mapping[str, Any]) -> str:
    versions, images, kind = plan["versions"], plan["images"], plan.get("inputs", "images")
    ranks = f", {plan['ranks']} ranks" if plan.get("ranks", 1) > 1 else ""
    return (
        f"{plan['data_set']}, {images['train']:,} training and {images['test']:,} test {kind}; seed {plan['seed']};"
        f" nasir {versions['nasir']}, torch {versions['torch']}, {plan['device']}{ranks}"
    )


def _start(plan: Mapping[str, Any], run: Path) -> str:
    """What the network's training began with."""
    searched = os.path.isfile(run / "space.nas")
    if searched and plan["settings"]["train"].get("init") == "sliced":
        start = "the supernet's weights"
    else:
        start = "given weights" if "init" in plan and not searched else "scratch"
    return f"trained from {start}" + ", with a teacher" * ("teacher" in plan)


def _figures(summary: Mapping[str, Any] | None, metrics: Sequence[Metric], start: str) -> list[tuple[str, str, str]]:
    if summary is None:
        return [("state", "not finished", "")]
    bounds, first, costs = summary.get("bounds", {}), metrics[0], costs_in(summary)
    found = [
        *((f"test {one.title}", one.shown(summary[f"test_{one.name}"]), start) for one in metrics),
        *((*shown, used(bounds, name)) for name, shown in zip(costs, amounts(costs), strict=True)),
    ]
    if (value := summary.get(f"validation_{first.name}")) is not None:
        found.append(("on held-out inputs", first.shown(value), f"epoch {summary['kept_epoch']}"))
    if (value := summary.get(f"supernet_{first.name}")) is not None:
        found.append(("with the supernet's weights", first.shown(value), "architecture's inputs"))
    return [*found, ("wall time", f"{summary['seconds']:,.0f} s", "")]


def _latencies(found: Mapping[str, Any] | None) -> Iterator[tuple[str, str, str]]:
    """What device files predict of the network, beside what was measured."""
    for one in (found or {}).get("networks", ()):
        predicted, within = (f"{one[name] / 1000:,.3f}" for name in ("predicted", "within"))
        measured = one["measured"]
        told = f"{measured / 1000:,.3f} ms" if measured is not None else "not measured"
        off = f", {measured / one['predicted'] - 1:+.1%}" if measured is not None else f": {one['why']}"
        alone = f"; {one['alone'] / 1000:,.3f} alone, again and again" if measured is not None else ""
        note = f"{predicted} predicted{off}; nine in ten within {within}{alone}"
        yield f"latency by {one['file']} ({one['device']})", told, note


def _remarks(summary: Mapping[str, Any] | None, decisions: int) -> list[str]:
    if summary is None:
        return []
    advice = undecided(summary.get("entropy"), len(_moved(summary)), decisions)
    return [words for words in (NOT_LANDED if summary.get("lands") is False else "", advice) if words]


def _moved(summary: Mapping[str, Any] | None) -> Mapping[str, str]:
    """The decisions that landing moved, with the option that was likeliest."""
    return {name: key(options[0]) for name, options in (summary or {}).get("moved", {}).items()}


@dataclass(frozen=True)
class ClassRow:
    """A class as the test saw it."""

    name: str
    count: str
    accuracy: str
    taken_for: str
    """The class that it is most often taken for, where it is not told."""


_MOST_CELLS = 30
_MOST_CLASSES = 100


def _classes(tested: Mapping[str, Any] | None) -> list[ClassRow]:
    """The classes, the worst first; of many classes the worst ones."""
    if tested is None or "confusion" not in tested:
        return []
    counts = np.array(tested["confusion"])
    totals = counts.sum(1)
    shares = counts.diagonal() / np.maximum(totals, 1)
    rows: list[ClassRow] = []
    for i in sorted(np.flatnonzero(totals), key=lambda i: (shares[i], i))[:_MOST_CLASSES]:
        others = counts[i].copy()
        others[i] = 0
        worst = int(others.argmax())
        taken = f"{tested['classes'][worst]} ({others[worst]:,})" if others[worst] else ""
        rows.append(ClassRow(tested["classes"][i], f"{totals[i]:,}", f"{shares[i]:.1%}", taken))
    return rows


def _confusion(tested: Mapping[str, Any] | None) -> list[tuple[str, list[tuple[int, float]]]]:
    """A row for each class: its name, and for each class how many of its images are taken for it, and their share."""
    if tested is None or "confusion" not in tested or len(tested["classes"]) > _MOST_CELLS:
        return []
    rows = [[int(count) for count in row] for row in tested["confusion"]]
    return [
        (name, [(count, count / max(1, sum(row))) for count in row])
        for name, row in zip(tested["classes"], rows, strict=True)
    ]


@dataclass(frozen=True)
class Row:
    """A part of the network, as the table shows it."""

    name: str
    block: str
    shape: str
    costs: list[tuple[str, float]]
    """Each with its share of the layer that has the most."""
    chosen: str
    moved: str
    """What landing on the bounds moved, and from where."""


def _columns(network: Space | None, shown: Sequence[str]) -> list[str]:
    """The costs that a layer has a share of, as the table's head."""
    found = layer_rows(network.costs, shown) if network else []
    return [network.costs.costs[name].label for name in (found[0].costs if found else ())] if network else []


def _rows(network: Space, shown: Sequence[str], chosen: Mapping[str, str], moved: Mapping[str, str]) -> Iterator[Row]:
    known = network.costs
    found = layer_rows(known, shown)
    places = [row.place for row in found]
    words = by_layer(chosen, places)
    were = by_layer({name: option for name, option in moved.items() if name in chosen}, places)
    most = {name: max((row.costs[name] for row in found), default=0) for name in (found[0].costs if found else ())}
    for row in found:
        costs = [
            (known.costs[name].amount(amount), amount / most[name] if most[name] else 0.0)
            for name, amount in row.costs.items()
        ]
        yield Row(row.name, row.block, row.shape, costs, words.get(row.place, ""), were.get(row.place, ""))
    if SHARED in words:
        yield Row(SHARED, "", "", [("", 0.0) for _ in most], words[SHARED], were.get(SHARED, ""))


def _layers(lines: Lines, chosen: Mapping[str, str] | None, moved: Mapping[str, str]) -> list[LayerMaps]:
    """`chosen` is None while nothing is."""
    if not lines:
        return []
    if chosen is None:
        chosen = {name: max(shares, key=shares.__getitem__) for name, shares in lines[-1]["decisions"].items()}
    layers: dict[str, list[HeatMap]] = {}
    for name, options in lines[0]["decisions"].items():
        layer, _, what = name.rpartition(".")
        values = np.array([[line["decisions"][name][option] for line in lines] for option in options])
        one = HeatMap(name, what or name, list(options), chosen.get(name, ""), _png(values), name in moved)
        layers.setdefault(layer or "space", []).append(one)
    return [LayerMaps(name, maps) for name, maps in layers.items()]


_DARK = np.array([5, 58, 130])


def _png(values: "np.ndarray[Any, np.dtype[np.float64]]") -> str:
    """Shares [rows, columns] as pixels from white to blue, in base64."""
    pixels = 255 - values[..., None] * (255 - _DARK)
    memory = io.BytesIO()
    Image.fromarray(pixels.round().astype(np.uint8)).save(memory, "PNG", optimize=True)
    return base64.b64encode(memory.getvalue()).decode("ascii")
