"""What a run came to: its figures, and the words for them that the terminal and the report have in common."""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nasir.api import Space, load
from nasir.cost.registry import described
from nasir.files import Unreadable
from nasir.ir.path import Path as Place
from nasir.searching.landing import LEAST_USE
from nasir.searching.metric import Metric

NOT_LANDED = (
    f"Less than {LEAST_USE:.0%} of the tightest bound is used, and no change of a few decisions was found that"
    " uses more within all bounds."
)


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a run found. `costs` are those of its network by name; `test` is what it is worth by each metric of its
    loss, accuracy where that is cross-entropy, in shares; `seconds` is wall time. `bounds` says of each bound its limit
    and the share of it that is used; `lands` whether the tightest is used up (`landing.LEAST_USE`), and where not, no
    change of a few decisions would. `supernet`, with the supernet's weights, and `validation`, of the weights
    kept, those after `kept_epoch` epochs, are of the first metric. `entropy` is that of the decisions at the end of the
    search (1 undecided, 0 decided), `moved` the decisions of the network that are not at their likeliest option, each
    with that and the one taken: landing on the bounds moved them, or a network drawn beside the likeliest one was
    better. `init` are the weights that a training started from, `teacher` the network that it learnt from, where they
    were given."""

    name: str
    costs: Mapping[str, int]
    metrics: tuple[Metric, ...]
    test: tuple[float, ...]
    supernet: float | None
    seconds: float
    bounds: Mapping[str, Mapping[str, float]] = field(default_factory=dict[str, Mapping[str, float]])
    lands: bool | None = None
    skipped_files: int = 0
    validation: float | None = None
    kept_epoch: int | None = None
    entropy: float | None = None
    moved: Mapping[str, Sequence[Any]] = field(default_factory=dict[str, Sequence[Any]])
    init: Mapping[str, Any] | None = None
    teacher: Mapping[str, Any] | None = None

    @property
    def scores(self) -> dict[str, float]:
        """The test's figures by the metrics' names."""
        return {metric.name: value for metric, value in zip(self.metrics, self.test, strict=True)}

    @property
    def test_accuracy(self) -> float:
        """The share of test inputs that the network tells, where that is its metric."""
        return self.scores["accuracy"]

    def as_json(self) -> dict[str, Any]:
        """Itself as summary.json has it, its costs and its scores beside its other figures."""
        first = self.metrics[0].name
        return {
            "name": self.name,
            **self.costs,
            **{f"test_{name}": value for name, value in self.scores.items()},
            f"supernet_{first}": self.supernet,
            "seconds": self.seconds,
            "bounds": self.bounds,
            "lands": self.lands,
            "skipped_files": self.skipped_files,
            f"validation_{first}": self.validation,
            "kept_epoch": self.kept_epoch,
            "entropy": self.entropy,
            "moved": self.moved,
            **({"init": self.init} if self.init else {}),
            **({"teacher": self.teacher} if self.teacher else {}),
        }


def costs_in(summary: Mapping[str, Any]) -> dict[str, int]:
    """The costs in a summary.json, by name."""
    return {name: figure for name, figure in summary.items() if described(name) is not None}


_LARGEST = 1e300


def figure(found: Mapping[str, Any], name: str) -> float:
    """The number that a file has under a name.

    Raises:
        LookupError: where there is none.
        Unreadable: where it is no number, or one too large to reckon with.
    """
    value = found[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
        raise Unreadable(f"`{name}` is no figure")
    return value


def space_of(run: Path) -> Space | None:
    """The space that a run searched; None of a training.

    Raises:
        CompileError: where it is damaged.
    """
    return load(run / "space.nas") if os.path.isfile(run / "space.nas") else None


def network_of(run: Path) -> Space | None:
    """The network that a run found, or trained; None where there is none yet, or it is one of a Python file.

    Raises:
        CompileError: where it is damaged.
    """
    return load(run / "arch.nas") if os.path.isfile(run / "arch.nas") else None


_UNDECIDED, _MANY_MOVED = 0.3, 1 / 3


def undecided(entropy: float | None, moved: int, decisions: int) -> str:
    """A word of advice where the network comes from landing on the bounds as much as from the search; else nothing."""
    if entropy is None or (entropy < _UNDECIDED and moved <= max(1, _MANY_MOVED * decisions)):
        return ""
    landed = f", and the network within the bounds is not the likeliest one in {moved} of {decisions} decisions"
    return (
        f"The search did not decide: the entropy of its decisions is {entropy:.2f}{landed * (moved > 0)}. More epochs,"
        ' `--set search.epochs=N`, a larger rate of the architecture, `--set "search.architecture=adam(lr=0.1)"`, or'
        " decisions that are settled one after another, `--set search.settle=0.35`, decide more."
    )


def used(bounds: Mapping[str, Mapping[str, float]], cost: str) -> str:
    """How much of its bound a cost uses; nothing where it has none."""
    known = described(cost)
    if cost not in bounds or known is None:
        return ""
    return f"{bounds[cost]['used']:.1%} of {known.written(bounds[cost]['limit'])}"


def amounts(costs: Mapping[str, float]) -> list[tuple[str, str]]:
    """Costs as they are shown: what is counted, and how much of it. Of a device file it is the cost's title."""
    found = [(described(name), figure) for name, figure in costs.items()]
    return [(cost.label, cost.amount(figure)) for cost, figure in found if cost is not None]


SHARED = "(shared)"
"""What a table calls the row of decisions that are no single layer's."""


def by_layer(chosen: Mapping[str, str], places: Collection[str]) -> dict[str, str]:
    """The chosen options by name, as words for each of the layers, by their places, that they are within; those within
    none for `SHARED`."""
    found: dict[str, list[str]] = {}
    for name, option in chosen.items():
        place = next((str(scope) for scope in Place(name).scopes if scope in places), SHARED)
        what = name.removeprefix(f"{place}.")
        words = found.setdefault(place, [])
        words.insert(0 if what == "block" else len(words), option if what == "block" else f"{what} {option}")
    return {place: ", ".join(words) for place, words in found.items()}
