"""The search: in each epoch the weights on one part of the data, then the architecture on the other (section 4.1); how
either is trained, and what is chosen in the end, is the strategy's."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

import torch
from torch import Tensor

from nasir.api import Space
from nasir.cost.registry import PRIMARY
from nasir.data import DataSet, batch_count
from nasir.diagnostics import CompileError
from nasir.ir.values import Scalar, key
from nasir.jobs.folder import RunFolder
from nasir.jobs.ranks import Ranks
from nasir.jobs.signals import Pauses
from nasir.jobs.steps import Step
from nasir.searching import mistakes
from nasir.searching.fitting import fitted, output_of
from nasir.searching.loss import loss_of
from nasir.searching.phases import Lines, Phase
from nasir.searching.prices import Targets
from nasir.searching.strategy import (
    ARCHITECTURE,
    WEIGHTS,
    Found,
    HasNotes,
    HasWeights,
    Images,
    LearnsArchitecture,
    Task,
    strategy_of,
)
from nasir.supernets.starting import Given, Started

_SHOWN = (
    ("loss", "loss", "{:.3f}"),
    (PRIMARY, f"argmax_{PRIMARY}", "{:,.0f}"),
    ("tau", "temperature", "{:.2f}"),
    ("entropy", "entropy", "{:.2f}"),
    ("moved", "moved", "{}"),
    ("judged", "judged", "{}"),
    ("best", "best_loss", "{:.3f}"),
)
"""What of the metrics a terminal shows: its word, its name, its form."""


class Search(Phase):
    """One search of one space on one data set."""

    name, trains = "search", "space"

    def __init__(
        self,
        space: Space,
        data: DataSet,
        targets: Targets,
        seed: int,
        device: torch.device,
        ranks: Ranks | None = None,
        *,
        synchronised: bool = False,
        loss: Callable[[Any, Any], Any] | None = None,
        start: Given | None = None,
    ) -> None:
        """`synchronised` takes batch statistics over all ranks (SyncBN); `loss` stands in for that of the settings;
        `start` are weights to start from.

        Raises:
            CompileError: where the space's output, the data's targets and the losses do not fit each other.
        """
        self._settings = space.settings.search
        data, self.measure = fitted(data, output_of(space.graph), space.settings, loss, search=True)
        super().__init__(data, self._settings.epochs, self._settings.batch, device, ranks or Ranks())
        first, second = data.divided(self._settings.split, seed)
        counts = tuple(batch_count(part, self._batch) for part in (first, second))
        if not all(counts):
            raise mistakes.empty_part()
        own, compared = (loss_of(one, loss) for one in (self._settings, replace(self._settings, label_smoothing=0.0)))
        self._task = Task(
            space,
            targets,
            own,
            (first.to(device), second.to(device)),
            (counts[WEIGHTS], counts[ARCHITECTURE]),
            seed,
            device,
            self._ranks,
            synchronised,
            compared,
            self.measure,
            start,
        )
        torch.manual_seed(seed)
        self.strategy = strategy_of(self._task)
        if start is not None and self.started is None:
            raise mistakes.starts_from_nothing(self._settings.strategy)
        if space.settings.train.init == "sliced" and not isinstance(self.strategy, HasWeights):
            raise mistakes.no_weights_to_slice(self._settings.strategy)
        self._part = WEIGHTS
        self._losses = [0.0, 0.0]
        self.found: Found | None = None

    @property
    def started(self) -> Started | None:
        """What the strategy took of the weights to start from."""
        return self.strategy.started() if isinstance(self.strategy, HasWeights) else None

    @property
    def notes(self) -> list[str]:
        """What is otherwise than a user may think who reads the settings alone."""
        found = [*self.strategy.notes()] if isinstance(self.strategy, HasNotes) else []
        if isinstance(self.strategy, LearnsArchitecture) and self._settings.warmup_epochs >= self._settings.epochs:
            found.append("the warm-up is as long as the search: nothing but the bounds chooses the network")
        return found

    def take(self, state: Mapping[str, Any]) -> None:
        """Be where another search is with this state, which is done with its training; what it found is left out.

        Raises:
            CompileError: where the state is of another space.
        """
        self.restore({**state, "found": None})

    def weights(self, choices: Mapping[str, Scalar]) -> Mapping[str, Tensor]:
        """The weights of a network after the search.

        Raises:
            CompileError: where the strategy has none.
        """
        if not isinstance(self.strategy, HasWeights):
            raise mistakes.no_weights_to_slice(self._settings.strategy)
        return self.strategy.weights(choices)

    def _run_epoch(self, folder: RunFolder, pauses: Pauses) -> Lines:
        self.strategy.begin(self.epoch)
        searching = self.epoch >= self._settings.warmup_epochs
        learning = self.strategy if searching and isinstance(self.strategy, LearnsArchitecture) else None
        if self._part == WEIGHTS:
            for step, at in self._steps_on_part(folder, pauses):
                self.strategy.train_weights(step, at)
                self._losses[WEIGHTS] += step.loss
            self._part, self._step = ARCHITECTURE, 0
        if learning is not None:
            for step, at in self._steps_on_part(folder, pauses):
                learning.train_architecture(step, at)
                self._losses[ARCHITECTURE] += step.loss
        weights, architecture = (loss / count for loss, count in zip(self._losses, self._task.counts, strict=True))
        losses = {"loss": weights, "architecture_loss": architecture if learning is not None else None}
        self._part, self._losses = WEIGHTS, [0.0, 0.0]
        return {
            "metrics.jsonl": {**losses, **self.strategy.metrics()},
            "probabilities.jsonl": {"decisions": self._distributions()},
        }

    def _steps_on_part(self, folder: RunFolder, pauses: Pauses) -> Iterator[tuple[Step[Images], int]]:
        """The remaining steps on the part of the data that is in turn, each with its number in the search."""
        split, key = self._task.parts[self._part], 2 * self._task.seed + self._part
        for step in self._steps(split, key, folder, pauses, self._diverged):
            yield step, self.epoch * self._task.counts[self._part] + self._step

    def _diverged(self, loss: float) -> CompileError:
        name = ("weights", "architecture")[self._part]
        where = f"epoch {self.epoch + 1} of {self._epochs} of the search, of the {name}"
        return mistakes.diverged(loss, where, f"search.{name}", getattr(self._settings, name))

    def _distributions(self) -> dict[str, dict[str, float]]:
        """The probability of each option of each decision, rounded to what a picture shows."""
        return {
            name: {key(option): round(probability, 4) for option, probability in options.items()}
            for name, options in self.strategy.probabilities().items()
        }

    def choose(self, pauses: Pauses) -> Found:
        """The network that the strategy chooses.

        Raises:
            CompileError: where no network's loss is a number, or no image can be read.
            Stopped: where `pauses` said so; the state of the last epoch is what to go on from.
        """
        self.found = self.strategy.choose(pauses)
        return self.found

    def _shown(self, metrics: Mapping[str, Any]) -> dict[str, str]:
        return {word: form.format(metrics[name]) for word, name, form in _SHOWN if metrics.get(name) is not None}

    def _parameters(self) -> Iterable[Tensor]:
        return self.strategy.parameters()

    def _own_state(self) -> dict[str, Any]:
        return {
            **self.strategy.state(),
            "part": self._part,
            "losses": list(self._losses),
            "found": None if self.found is None else asdict(self.found),
        }

    def _take(self, state: Mapping[str, Any]) -> None:
        self.strategy.restore(state)
        self._part, self._losses = int(state["part"]), list(state["losses"])
        if (found := state["found"]) is not None:
            self.found = Found(**found)
