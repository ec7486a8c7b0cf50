"""What data were read, and what a deployment of the network needs to know of them."""

import json
import textwrap
from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from nasir.data import DataSet

DEPLOY_KEY = "deploy"
"""The entry of the weights' metadata that is `deploy.json`."""
_MOST_ROWS = 20
_MOST_NAMES = 10
_WIDTH = 84


def deployment(data: DataSet) -> dict[str, Any]:
    """`deploy.json`: how a file becomes an input, and what the outputs mean."""
    if data.preparation is not None:
        return data.preparation.as_json(data.names)
    return {"prepared_by": data.name, "classes": list(data.names)}


def deployment_notes(data: DataSet) -> list[str]:
    """The same as lines of the emitted file's docstring. Names of classes are escaped as JSON has them."""
    names = [json.dumps(name) for name in data.names[:_MOST_NAMES]]
    more = f", and {len(data.names) - _MOST_NAMES:,} more, all in deploy.json" if len(data.names) > _MOST_NAMES else ""
    if data.preparation is None:
        how = "Images are as the data set of the training made them."
    else:
        one = data.preparation
        mean, std = (", ".join(f"{v:.6g}" for v in values) for values in (one.mean, one.std))
        part = "the whole image" if one.crop is None else f"the middle, {one.crop:g} of the shorter side"
        kind = "RGB" if one.channels == 3 else "grey"
        how = (
            f"Images are upright, on white where transparent, {kind}, from 0 to 1, less the mean ({mean}) over the"
            f" deviation ({std}); {part}, resized to"
            f" {one.height} x {one.width}."
        )
    found = [how, f"Classes: {', '.join(names)}{more}."]
    return [line for text in found for line in textwrap.wrap(text, _WIDTH, break_long_words=False)]


def data_facts(data: DataSet) -> dict[str, Any]:
    """`data.json`: what was read."""
    return {
        "data_set": data.name,
        "split": data.split,
        "sizes": data.sizes,
        "classes": [{"name": name, "train": train, "test": test} for name, train, test in data.counts()],
        "passed_over": dict(sorted(data.passed_over.items())),
    }


def show_data(data: DataSet, console: Console) -> None:
    """A table of the classes and their images; of many classes the fewest and the most."""
    counts = data.counts()
    table = Table("class", box=SIMPLE_HEAD, header_style="dim")
    table.add_column("training", justify="right")
    table.add_column("test", justify="right")
    for name, train, test in counts if len(counts) <= _MOST_ROWS else _extremes(counts):
        table.add_row(Text(name), f"{train:,}", f"{test:,}")  # a name is no markup
    if len(counts) > 1:
        table.add_row(f"all {len(counts):,}", f"{len(data.train):,}", f"{len(data.test):,}", style="bold")
    console.print(table)
    words = [data.name, f"{data.sizes} pixels" if data.sizes else "", data.split]
    if data.preparation is not None and data.preparation.bits < 16:
        words.append(f"files of sixteen bits use {data.preparation.bits}")
    console.print("; ".join(word for word in words if word), style="dim", markup=False, soft_wrap=True)
    if without := [name for name, _, test in counts if not test]:
        shown = ", ".join(without[:4]) + (", ..." if len(without) > 4 else "")
        words = f"no test image of {shown}: nothing is known of how well they are told"
        console.print(words, style="yellow", markup=False, soft_wrap=True)
    if data.passed_over:
        count = f"{len(data.passed_over):,} file{'s' * (len(data.passed_over) > 1)}"
        console.print(f"{count} left out that are no images: data.json names them", style="yellow", soft_wrap=True)


def _extremes(counts: Sequence[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    ordered = sorted(counts, key=lambda one: (one[1], one[0]))
    return [*ordered[:3], *ordered[-3:]]
