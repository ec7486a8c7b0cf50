"""A tabular benchmark: every network of the space `tabular` was trained, with several seeds, and `tabular.csv` beside
it has what became of them. What a search is worth is looked up in place of trained: its regret takes a minute.

    table = nasir.tabular.read()
    table.accuracy(choices)                        # mean of its trainings, share of 10,000 fresh signals
    table.regret(choices, "macs", 40_000)          # what the best network within the bound has more
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import comb

from nasir import resources
from nasir.api import Space, load
from nasir.cost.registry import STANDARD
from nasir.ir.graph import Choices

NAME = "tabular"
TESTED = 10_000
"""Signals that a network is tested with."""
_RIGHT = "right"
COSTS = (*STANDARD, "latency_us")


@dataclass(frozen=True)
class Row:
    """A network: its costs (multiply-adds, parameters, us in onnxruntime), and how many of the test signals each of its
    trainings tells right, seed by seed."""

    choices: Choices
    costs: Mapping[str, float]
    right: Sequence[int]

    @property
    def accuracy(self) -> float:
        """The mean of its trainings, from 0 to 1."""
        return sum(self.right) / len(self.right) / TESTED


@dataclass(frozen=True)
class Table:
    """All networks, in the order of the space's decisions, the last one's options changing fastest."""

    space: Space
    rows: Sequence[Row]

    @cached_property
    def _by_options(self) -> Mapping[tuple[object, ...], Row]:
        return {tuple(row.choices.values()): row for row in self.rows}

    def row(self, choices: Choices) -> Row:
        """The network of these choices."""
        return self._by_options[tuple(choices[one.name] for one in self.space.decisions)]

    def accuracy(self, choices: Choices) -> float:
        """Its mean accuracy, from 0 to 1."""
        return self.row(choices).accuracy

    def within(self, cost: str, limit: float, least: float = 0.0) -> list[Row]:
        """The networks that cost at most so much, and at least the share `least` of it."""
        return [row for row in self.rows if least * limit <= row.costs[cost] <= limit]

    def regret(self, choices: Choices, cost: str, limit: float) -> float:
        """How much more accurate the best network within the bound is, from 0 to 1."""
        return max(row.accuracy for row in self.within(cost, limit)) - self.accuracy(choices)

    def random_regret(self, count: int, cost: str, limit: float, least: float = 0.0) -> float:
        """The regret to be expected of the best of `count` random networks within the bound that use the share `least`
        of it, each trained once with the same seed and picked by that, exactly: the mean over the seeds."""
        rows = self.within(cost, limit, least)
        best, every = max(row.accuracy for row in self.within(cost, limit)), comb(len(rows), count)
        found, seeds = 0.0, range(len(rows[0].right))
        for seed in seeds:
            # By one training from the least on: row i is the best of the drawn ones in C(i, count - 1) draws of all.
            ordered = sorted(rows, key=lambda row: row.right[seed])
            found += sum(comb(i, count - 1) / every * row.accuracy for i, row in enumerate(ordered)) / len(seeds)
        return best - found


def networks(space: Space) -> list[Choices]:
    """All of a space's assignments, in a table's order."""
    names = [one.name for one in space.decisions]
    return [dict(zip(names, options, strict=True)) for options in product(*(one.options for one in space.decisions))]


def read() -> Table:
    """The table that nasir ships."""
    space = load(NAME)
    with (resources.folder("spaces") / f"{NAME}.csv").open(encoding="utf-8", newline="") as file:
        lines = [*csv.DictReader(file)]
    rows = [
        Row(choices, {name: float(line[name]) for name in COSTS}, [int(n) for key, n in line.items() if _RIGHT in key])
        for choices, line in zip(networks(space), lines, strict=True)
    ]
    return Table(space, rows)
