"""The data sets, each with a space, templates and recipes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import nasir
from benchmarks.training import fresh_signals
from nasir.api import Space
from nasir.data import DataSet, input_of, load_data
from nasir.data.forms import Input
from nasir.data.memory import in_memory
from nasir.ir.graph import Choices
from nasir.lang.settings import Settings, override, with_bounds

SPACES = Path(__file__).parent / "spaces"
POOLED = 8
"""Networks without a search that a seed begins with."""
FASHION = "idx:/usr/share/datasets/fashion-mnist"
"""Where Debian's package dataset-fashion-mnist puts it."""


@dataclass(frozen=True)
class Template:
    """Networks that differ in width alone."""

    file: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Set:
    """A data set, and what is searched, scaled and trained on it. `own` and `other` are what the two recipes have other
    than the space's."""

    name: str
    file: str
    """The space's."""
    data: Callable[[Input | None], DataSet]
    templates: Mapping[str, Template]
    other: tuple[str, ...]
    own: tuple[str, ...] = ()
    searches: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """What ways to search have here other than elsewhere."""
    forms: Mapping[str, str] = field(default_factory=dict[str, str])
    """The files of other spaces, by the ways to search that are run on them in place of the set's own."""
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Of the space, and of these others."""
    bounds: tuple[str, ...] = ()
    """In place of the space's own."""
    seeds: int = 5
    """So many searches of each kind."""

    @property
    def pool(self) -> int:
        """So many networks without a search, of which each seed takes its own."""
        return POOLED * self.seeds

    @property
    def recipes(self) -> Mapping[str, tuple[str, ...]]:
        """What each recipe changes of the space's own."""
        return {"own": self.own, "other": self.other}

    @property
    def bound(self) -> str:
        """What the networks may cost, as the space has it."""
        (bound,) = self.space().settings.objective.bounds
        return f"{bound.cost} <= {bound.limit:g}"

    def space(self) -> Space:
        """The space to be searched."""
        return self.at(self.file, self.parameters)

    def at(self, file: str, parameters: Mapping[str, Any]) -> Space:
        """This space, or another one for the same inputs, with the settings of the one."""
        return _space(self.name, file, tuple(parameters.items()))

    def loaded(self) -> DataSet:
        """The data, once a process."""
        return _loaded(self.name)


@cache
def _space(name: str, file: str, parameters: tuple[tuple[str, Any], ...]) -> Space:
    return replace(nasir.load(SPACES / f"{file}.nas", **dict(parameters)), settings=_settings(name))


@cache
def _settings(name: str) -> Settings:
    one = SETS[name]
    own = nasir.load(SPACES / f"{one.file}.nas").settings
    return with_bounds(own, list(one.bounds)) if one.bounds else own


@cache
def _loaded(name: str) -> DataSet:
    one = SETS[name]
    return one.data(input_of(one.space().graph))


def recipe(space: Space, changes: tuple[str, ...]) -> Space:
    """The space or network, to be trained otherwise."""
    return replace(space, settings=override(space.settings, list(changes), "train"))


def network(one: Set, file: str, parameters: Mapping[str, Any], choices: Choices) -> Space:
    """A network of a space, or of a template."""
    found = one.at(file, parameters)
    return found.at(choices) if found.decisions else found


def _fashion(input: Input | None, count: int = 4_000) -> DataSet:
    """The first of the training images; all 10,000 for the test."""
    data = load_data(FASHION, input)
    return replace(data, train=data.train.take(torch.arange(count)))


def _photographs(input: Input | None) -> DataSet:
    from benchmarks.quality.photographs import crops

    parts: list[tuple[Tensor, Tensor]] = [(torch.from_numpy(x), torch.from_numpy(y)) for x, y in crops()]
    return in_memory("photographs", parts, 1, input)


def _templates(file: str, **shape: int) -> dict[str, Template]:
    """As MobileNetV2 has it: small kernels and wide expansions; as MnasNet has it: large kernels; and a shallow one."""
    shapes = {
        "small kernels": {"kernel": 3, "expand": 4, "deep": 2},
        "large kernels": {"kernel": 5, "expand": 3, "deep": 2},
        "shallow": {"kernel": 3, "expand": 4, "deep": 1},
    }
    return {name: Template(file, {**shape, **one}) for name, one in shapes.items()}


_SGD = ("weights=sgd(lr=0.1, momentum=0.9, weight_decay=0.0001)", "label_smoothing=0")
_SHORT = (
    fashion := Set(
        "fashion",
        "fashion",
        _fashion,
        _templates("template", channels=1, size=28),
        (*_SGD, "epochs=9"),
        forms={"factored": "fashion_factored"},
    ),
    photographs := Set(
        "photographs", "photographs", _photographs, _templates("template", channels=3, size=24), (*_SGD, "epochs=9")
    ),
    signals := Set(
        "signals",
        "signals",
        fresh_signals,
        _templates("signals_template"),
        (*_SGD, "epochs=9"),
        forms={"dnas": "signals_paths"},
    ),
)
_MORE = 12_000
"""Training inputs of the sets that are named for them: with 4,000 the largest networks of `fashion` and `signals` are
hardly better than those that keep the bound, and there is little to find."""
_SEARCHES = {
    "halving": ("candidates=48", "epochs=27"),
    "evolution": ("epochs=11",),
    "dmasking": ("epochs=6", "warmup=1", "temperature=2.0 * exp(-0.6 * epoch)", "settle=0.35"),
}
"""Of those sets, whose epochs have more steps."""


def _around(first: str) -> Mapping[str, Any]:
    """A space that reaches to both sides of the scaled templates, with these widths of the first layer, which they
    scale too."""
    return {"step": 2, "first": first}


_LONG = (
    *(
        replace(
            one,
            name=name,
            data=partial(data, count=_MORE),
            seeds=10,
            own=("epochs=8",),
            other=(*_SGD, "epochs=12"),
            bounds=(bound,),
            parameters=_around(first),
            searches=_SEARCHES,
        )
        for name, one, data, bound, first in (
            ("fashion12k", fashion, _fashion, "macs <= 100K", "2..12 by 2"),
            ("signals12k", signals, fresh_signals, "macs <= 5K", "2..8 by 2"),
            ("signals12k_3k", signals, fresh_signals, "macs <= 3K", "2..8 by 2"),
        )
    ),
    replace(
        photographs,
        name="photographs24",
        seeds=10,
        own=("epochs=24",),
        other=(*_SGD, "epochs=24"),
        parameters=_around("2..12 by 2"),
        searches={"halving": ("candidates=48", "epochs=80"), "evolution": ("epochs=32",)},
    ),
)

TOGETHER = (("signals12k", "signals12k_3k"),)
"""Sets that differ in their bounds alone."""
SETS = {one.name: one for one in (*_SHORT, *_LONG)}
