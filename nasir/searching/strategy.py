"""What a search strategy is given, and what it gives: a class in one file of `strategies/`, or an entry point."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast, runtime_checkable

import torch
from torch import Tensor

from nasir.api import Space
from nasir.data import Split
from nasir.extensions import STRATEGIES
from nasir.ir.values import Scalar
from nasir.jobs.ranks import Ranks
from nasir.jobs.signals import Pauses
from nasir.jobs.steps import Step
from nasir.lang.settings import SearchSettings
from nasir.searching import mistakes
from nasir.searching.loss import Loss
from nasir.searching.measures import Measure
from nasir.searching.prices import Targets
from nasir.supernets.starting import Given, Started

WEIGHTS, ARCHITECTURE = 0, 1
"""The two parts of the training images, by what they train."""

Images = tuple[Tensor, Tensor]
"""A batch: inputs, float32 [N, C, ...], and their targets; labels are int64 [N]."""


@dataclass(frozen=True)
class Task:
    """What is to be searched, and on what. Of the two parts of the training inputs there are `parts`, and `counts`, the
    steps of an epoch on them. `synchronised` takes batch statistics over all ranks (SyncBN). `loss` is what weights and
    architecture are trained by; networks are compared by `compared`, the same without smoothed labels, and told by
    `measure`."""

    space: Space
    targets: Targets
    loss: Loss
    parts: tuple[Split, Split]
    counts: tuple[int, int]
    seed: int
    device: torch.device
    ranks: Ranks
    synchronised: bool
    compared: Loss
    measure: Measure
    start: Given | None = None
    """Weights to start from."""

    @property
    def settings(self) -> SearchSettings:
        return self.space.settings.search


@dataclass(frozen=True)
class Found:
    """The network that a search chose: its decisions, whether it uses its budget up (`landing.LEAST_USE`), and its
    score (the measure's first metric) with the supernet's weights on the architecture's part of the data. `entropy` is
    that of the final distributions, None where none are learnt; `likeliest` what they would have chosen."""

    choices: dict[str, Scalar]
    lands: bool
    score: float
    entropy: float | None
    likeliest: dict[str, Scalar]

    @property
    def moved(self) -> dict[str, list[Scalar]]:
        """The decisions that are not at their likeliest option: that one, and the one taken."""
        return {n: [option, self.choices[n]] for n, option in self.likeliest.items() if option != self.choices[n]}


class Strategy(Protocol):
    """How a search decides. The loop has the epochs, the batches, the files and the checkpoints; a strategy has what is
    trained, its optimizers, and the choice at the end. It is made once, after `torch.manual_seed`."""

    def __init__(self, task: Task) -> None: ...

    def begin(self, epoch: int) -> None:
        """An epoch begins, or goes on; counted from 0."""
        ...

    def train_weights(self, step: Step[Images], at: int) -> None:
        """Step number `at` of the search on the weights. Between the gradient and the change it calls `step.check` with
        the loss of its part of the batch; gradients to be averaged over the ranks are those of
        `step.share.weigh(loss)`."""
        ...

    def metrics(self) -> Mapping[str, float | int | None]:
        """What metrics.jsonl says after an epoch, beside the two losses."""
        ...

    def probabilities(self) -> Mapping[str, Mapping[Scalar, float]]:
        """The probability of each option of each decision, as things are."""
        ...

    def choose(self, pauses: Pauses) -> Found:
        """The network at the end, within the bounds.

        Raises:
            CompileError: where none can be told to be good.
            Stopped: where `pauses` said so.
        """
        ...

    def parameters(self) -> Iterable[Tensor]:
        """What must be finite numbers to be saved."""
        ...

    def state(self) -> dict[str, Any]:
        """All that the next step depends on; what is a function of seed and step is not. Its names are none of the
        loop's (`epoch`, `part`, `step`, `losses`, `found`, `skipped`)."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state, which has the loop's names as well."""
        ...


@runtime_checkable
class LearnsArchitecture(Protocol):
    """A strategy that learns from the architecture's part of the inputs; of another one the loop does not read it."""

    def train_architecture(self, step: Step[Images], at: int) -> None:
        """Step number `at` of the search on the architecture, as `train_weights`; not in the epochs of the warm-up."""
        ...


@runtime_checkable
class HasWeights(Protocol):
    """A strategy whose networks have weights from the search: it can start from given ones, and gives them in the
    end."""

    def started(self) -> Started | None:
        """What it took of the task's weights to start from; None where there are none."""
        ...

    def weights(self, choices: Mapping[str, Scalar]) -> Mapping[str, Tensor]:
        """The weights of a network as they are after the search, by the names of its emitted module."""
        ...


@runtime_checkable
class HasNotes(Protocol):
    """A strategy that may do otherwise than its settings say."""

    def notes(self) -> Sequence[str]:
        """What it does otherwise, each a sentence for the user."""
        ...


def check_serves(name: str) -> None:
    """What the strategy of this name trains serves searches for other bounds: its class says so, by an attribute
    `serves_any_bound` that is true. It can then `choose` from the `state` of another search.

    Raises:
        CompileError: where it does not, or there is no such strategy.
    """
    if not getattr(STRATEGIES.load(name), "serves_any_bound", False):
        raise mistakes.serves_its_own_bounds(name)


def check_changing(task: Task) -> None:
    """What a strategy cannot do that trains another network after another.

    Raises:
        CompileError: where the search is to be compiled, batch statistics taken over all ranks, or decisions settled.
    """
    wanted = {
        "`compile`": task.settings.compile != "off",
        "`--sync-bn`": task.synchronised,
        "`settle`": task.settings.settle > 0,
    }
    for what, asked in wanted.items():
        if asked:
            raise mistakes.unused(task.settings.strategy, what)


def strategy_of(task: Task) -> Strategy:
    """The strategy that the settings name, at its beginning.

    Raises:
        CompileError: where it cannot be loaded.
    """
    made = cast("type[Strategy]", STRATEGIES.load(task.settings.strategy))
    return made(task)
