"""Runs as lines of a CSV file: what is there is not done again."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from nasir.files import replace_atomically

FILE = Path(__file__).parent / "runs.csv"


@dataclass(frozen=True, order=True)
class Key:
    """Which run: of a contender on a data set, what it does (`search`; `pick`, a training on the part for the weights,
    judged on the part for the architecture; `train`, on all, judged on the test's inputs), with the seed of the search,
    the number of the network among several, the recipe and the seed of the training."""

    set: str
    contender: str
    what: str
    seed: int = 0
    number: int = 0
    recipe: str = ""
    training: int = 0


@dataclass(frozen=True)
class Line:
    """A run: the network that it found or trained, the score of it (of a search by the supernet's weights), and the
    seconds of processor time. Of a search: the multiply-adds of the likeliest network before landing and the entropy of
    the decisions, where distributions are learnt; the test accuracy with the supernet's weights, as they are and after
    two epochs; and what the random networks' losses are with those weights. `code` is a digest of the programs."""

    key: Key
    macs: int
    params: int
    accuracy: float
    seconds: float
    code: str
    file: str
    parameters: Mapping[str, Any]
    choices: Mapping[str, Any]
    likeliest: int | None = None
    entropy: float | None = None
    sliced: float | None = None
    tuned: float | None = None
    losses: Sequence[float] = field(default=())


_KEYS = tuple(one.name for one in fields(Key))
_OWN = tuple(one.name for one in fields(Line) if one.name != "key")
_OPTIONAL = {"likeliest": int, "entropy": float, "sliced": float, "tuned": float}


def read(path: Path) -> dict[Key, Line]:
    """The lines of a file, none where there is none."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {line.key: line for line in map(_line, csv.DictReader(file))}


def write(path: Path, lines: Mapping[Key, Line]) -> None:
    """Write all lines, ordered by their keys."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [*_KEYS, *_OWN], lineterminator="\n")
    writer.writeheader()
    for key in sorted(lines):
        line = lines[key]
        own = {name: _written(getattr(line, name)) for name in _OWN}
        writer.writerow({**asdict(key), **own})
    replace_atomically(path, text.getvalue().encode("utf-8"))


def _written(value: object) -> object:
    if isinstance(value, str | int | None):
        return value
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, Mapping):
        return json.dumps(value, separators=(",", ":"))
    return " ".join(f"{one:.5g}" for one in value)  # pyright: ignore[reportGeneralTypeIssues]


def _line(row: Mapping[str, str]) -> Line:
    key = {name: int(row[name]) if name in {"seed", "number", "training"} else row[name] for name in _KEYS}
    optional = {name: kind(row[name]) if row[name] else None for name, kind in _OPTIONAL.items()}
    return Line(
        Key(**key),  # pyright: ignore[reportArgumentType]
        int(row["macs"]),
        int(row["params"]),
        float(row["accuracy"]),
        float(row["seconds"]),
        row["code"],
        row["file"],
        json.loads(row["parameters"]),
        json.loads(row["choices"]),
        **optional,  # pyright: ignore[reportArgumentType]
        losses=tuple(float(one) for one in row["losses"].split()),
    )
