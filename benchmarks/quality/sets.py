"""The data sets, each with a space, templates and recipes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import nasir
from nasir.api import Space
from nasir.data import DataSet, input_of, load_data
from nasir.data.forms import Input
from nasir.data.generated import signal_parts, signals
from nasir.data.memory import in_memory
from nasir.ir.graph import Choices
from nasir.lang.settings import override

SPACES = Path(__file__).parent / "spaces"
FASHION = "idx:/usr/share/datasets/fashion-mnist"
"""Where Debian's package dataset-fashion-mnist puts it."""
_FRESH = 1
"""The seed of the signals that networks are tested with; the data set `signals` is drawn with 0."""
TESTED_SIGNALS = 10_000


@dataclass(frozen=True)
class Template:
    """Networks that differ in width alone."""

    file: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Set:
    """A data set, and what is searched, scaled and trained on it. The space's own recipe is the first one; `other` has
    what the second one has else."""

    name: str
    data: Callable[[Input | None], DataSet]
    templates: Mapping[str, Template]
    other: tuple[str, ...]
    forms: Mapping[str, str] = field(default_factory=dict[str, str])
    """The files of other spaces, by the ways to search that are run on them in place of the set's own."""

    @property
    def recipes(self) -> Mapping[str, tuple[str, ...]]:
        """What each recipe changes of the space's own."""
        return {"own": (), "other": self.other}

    @property
    def bound(self) -> str:
        """What the networks may cost, as the space has it."""
        (bound,) = self.space().settings.objective.bounds
        return f"{bound.cost} <= {bound.limit:g}"

    def space(self, file: str = "", **parameters: Any) -> Space:
        """The space to be searched, or another one for the same inputs, with the settings of the one."""
        return _space(self.name, file or self.name, tuple(parameters.items()))

    def loaded(self) -> DataSet:
        """The data, once a process."""
        return _loaded(self.name)


@cache
def _space(name: str, file: str, parameters: tuple[tuple[str, Any], ...]) -> Space:
    found = nasir.load(SPACES / f"{file}.nas", **dict(parameters))
    return found if file == name else replace(found, settings=_space(name, name, ()).settings)


@cache
def _loaded(name: str) -> DataSet:
    one = SETS[name]
    return one.data(input_of(one.space().graph))


def recipe(space: Space, changes: tuple[str, ...]) -> Space:
    """The space or network, to be trained otherwise."""
    return replace(space, settings=override(space.settings, list(changes), "train"))


def network(one: Set, file: str, parameters: Mapping[str, Any], choices: Choices) -> Space:
    """A network of a space, or of a template."""
    found = one.space(file, **parameters)
    return found.at(choices) if found.decisions else found


def _fashion(input: Input | None) -> DataSet:
    """The first 4,000 of the training images; all 10,000 for the test."""
    data = load_data(FASHION, input)
    return replace(data, train=data.train.take(torch.arange(4_000)))


def _photographs(input: Input | None) -> DataSet:
    from benchmarks.quality.photographs import crops

    parts: list[tuple[Tensor, Tensor]] = [(torch.from_numpy(x), torch.from_numpy(y)) for x, y in crops()]
    return in_memory("photographs", parts, 1, input)


def _signals(input: Input | None) -> DataSet:
    return in_memory("signals", [signal_parts()[0], signals(TESTED_SIGNALS, _FRESH)], 1, input)


def _templates(file: str, **shape: int) -> dict[str, Template]:
    """As MobileNetV2 has it: small kernels and wide expansions; as MnasNet has it: large kernels; and a shallow one."""
    shapes = {
        "small kernels": {"kernel": 3, "expand": 4, "deep": 2},
        "large kernels": {"kernel": 5, "expand": 3, "deep": 2},
        "shallow": {"kernel": 3, "expand": 4, "deep": 1},
    }
    return {name: Template(file, {**shape, **one}) for name, one in shapes.items()}


_SGD = ("weights=sgd(lr=0.1, momentum=0.9, weight_decay=0.0001)", "epochs=9", "label_smoothing=0")

SETS = {
    one.name: one
    for one in (
        Set(
            "fashion",
            _fashion,
            _templates("template", channels=1, size=28),
            _SGD,
            {"factored": "fashion_factored"},
        ),
        Set("photographs", _photographs, _templates("template", channels=3, size=24), _SGD),
        Set("signals", _signals, _templates("signals_template"), _SGD, {"dnas": "signals_paths"}),
    )
}
