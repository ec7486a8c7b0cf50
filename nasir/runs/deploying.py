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
from nasir.data.images import ImagePreparation
from nasir.searching.measures import Measure

DEPLOY_KEY = "deploy"
"""The entry of the weights' metadata that is `deploy.json`."""
_MOST_ROWS = 20
_MOST_NAMES = 10
_WIDTH = 84
_OUTPUTS = {"classes": "Classes", "pixels": "Classes of pixels", "labels": "Labels, as logits", "values": ""}


def deployment(data: DataSet, measure: Measure) -> dict[str, Any]:
    """`deploy.json`: how a file becomes an input, and what the outputs mean; that they tell classes is not said."""
    names = output_names(data, measure)
    told = {} if measure.tells == "classes" else {"outputs": measure.tells}
    if data.preparation is not None:
        return {**data.preparation.as_json(names), **told}
    return {"prepared_by": data.name, "classes": names, **told}


def output_names(data: DataSet, measure: Measure) -> list[str]:
    """What the network's outputs are called; their numbers, where the data do not say."""
    return list(data.names) if len(data.names) == measure.width else [str(i) for i in range(measure.width)]


def deployment_notes(data: DataSet, measure: Measure) -> list[str]:
    """The same as lines of the emitted file's docstring. Names of classes are escaped as JSON has them."""
    every = output_names(data, measure)
    names = [json.dumps(name) for name in every[:_MOST_NAMES]]
    more = f", and {len(every) - _MOST_NAMES:,} more, all in deploy.json" if len(every) > _MOST_NAMES else ""
    if data.preparation is None:
        how = f"{data.kind.capitalize()} are as the data set of the training made them."
    else:
        how = data.preparation.words()
    what = _OUTPUTS[measure.tells]
    found = [how, *([f"{what}: {', '.join(names)}{more}."] if what else [])]
    return [line for text in found for line in textwrap.wrap(text, _WIDTH, break_long_words=False)]


def data_facts(data: DataSet) -> dict[str, Any]:
    """`data.json`: what was read."""
    return {
        "data_set": data.name,
        "split": data.split,
        "sizes": data.sizes,
        "classes": [{"name": name, "train": train, "test": test} for name, train, test in data.counts()],
        **({} if data.target.is_class else {"targets": str(data.target)}),
        "passed_over": dict(sorted(data.passed_over.items())),
    }


def show_data(data: DataSet, console: Console) -> None:
    """A table of the classes and their inputs; of many classes the fewest and the most."""
    counts = data.counts()
    table = Table("class" if counts else "", box=SIMPLE_HEAD, header_style="dim")
    table.add_column("training", justify="right")
    table.add_column("test", justify="right")
    for name, train, test in counts if len(counts) <= _MOST_ROWS else _extremes(counts):
        table.add_row(Text(name), f"{train:,}", f"{test:,}")  # a name is no markup
    if len(counts) != 1:
        table.add_row(
            f"all {len(counts):,}" if counts else f"all {data.kind}",
            f"{len(data.train):,}",
            f"{len(data.test):,}",
            style="bold",
        )
    console.print(table)
    sizes = data.sizes + " pixels" * (bool(data.sizes) and data.kind == "images")
    targets = "" if data.target.is_class else f"targets: {data.target}"
    words = [data.name, sizes, targets, data.split]
    if isinstance(data.preparation, ImagePreparation) and data.preparation.bits < 16:
        words.append(f"files of sixteen bits use {data.preparation.bits}")
    console.print("; ".join(word for word in words if word), style="dim", markup=False, soft_wrap=True)
    if without := [name for name, _, test in counts if not test]:
        shown = ", ".join(without[:4]) + (", ..." if len(without) > 4 else "")
        words = f"no test {data.kind.removesuffix('s')} of {shown}: nothing is known of how well they are told"
        console.print(words, style="yellow", markup=False, soft_wrap=True)
    if data.passed_over:
        count = f"{len(data.passed_over):,} file{'s' * (len(data.passed_over) > 1)}"
        console.print(f"{count} left out that are no {data.kind}: data.json names them", style="yellow", soft_wrap=True)


def _extremes(counts: Sequence[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    ordered = sorted(counts, key=lambda one: (one[1], one[0]))
    return [*ordered[:3], *ordered[-3:]]
