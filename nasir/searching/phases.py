"""What the search and the training of a network have in common: epochs of steps, a line an epoch, and a state after
any step from which they go on."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor

from nasir.data import DataSet, Split, batches, shares
from nasir.diagnostics import CompileError
from nasir.jobs.folder import RunFolder
from nasir.jobs.progress import Report
from nasir.jobs.ranks import Ranks
from nasir.jobs.signals import Pauses
from nasir.jobs.steps import Step, steps
from nasir.searching import mistakes

Lines = Mapping[str, Mapping[str, Any]]
"""What an epoch adds to each of the .jsonl files."""


class Phase(ABC):
    """One phase of a run on a data set. Its state after any step is a checkpoint."""

    name: ClassVar[str]
    """Of its checkpoint and of its lines."""
    trains: ClassVar[str]
    """What its state must fit, as a user calls it."""

    def __init__(self, data: DataSet, epochs: int, batch: int, device: torch.device, ranks: Ranks) -> None:
        self._data, self._epochs, self._batch = data, epochs, batch
        self._device, self._ranks = device, ranks
        self.epoch = self._step = 0

    def run(self, folder: RunFolder, report: Report, pauses: Pauses) -> None:
        """The remaining epochs; each ends with its lines in the .jsonl files and with a checkpoint.

        Raises:
            CompileError: where a loss is no number, or a file cannot be read or written.
            Stopped: where `pauses` said so; the state is saved.
        """
        while self.epoch < self._epochs:
            start = time.perf_counter()
            found = self._run_epoch(folder, pauses)
            line = {"phase": self.name, "epoch": self.epoch}
            timing = {"seconds": time.perf_counter() - start, "ended": time.time()}
            lines = {name: {**line, **facts} for name, facts in {**found, "timing.jsonl": timing}.items()}
            self._ranks.lead(partial(folder.append, lines))
            self.epoch, self._step = self.epoch + 1, 0
            self._data.skip(self._ranks.union(self._data.left_out))
            self.save(folder, pauses)
            report(self.epoch - 1, self._shown(found["metrics.jsonl"]))

    def _steps(
        self, split: Split, key: int, folder: RunFolder, pauses: Pauses, diverged: Callable[[float], CompileError]
    ) -> Iterator[Step[tuple[Tensor, Tensor]]]:
        """The remaining steps of the epoch on these images, their order that of `key`."""
        mine = batches(split, self._batch, key, self.epoch, self._ranks, self._step)
        dealt = shares(len(split), self._batch, self._ranks, self._step)
        save = partial(self.save, folder, pauses)
        for step in steps(mine, dealt, self._ranks, self._device, pauses, save, diverged):
            yield step
            self._step += 1

    @abstractmethod
    def _run_epoch(self, folder: RunFolder, pauses: Pauses) -> Lines:
        """The remaining steps of an epoch; its lines come back, and what they sum up begins anew."""

    @abstractmethod
    def _shown(self, metrics: Mapping[str, Any]) -> dict[str, str]:
        """What of an epoch's metrics a terminal shows."""

    @abstractmethod
    def _parameters(self) -> Iterable[Tensor]:
        """What is trained."""

    @abstractmethod
    def _own_state(self) -> dict[str, Any]:
        """All that the next step depends on, but for the epoch, the step and the files that were left out."""

    @abstractmethod
    def _take(self, state: Mapping[str, Any]) -> None:
        """Go on from `_own_state`."""

    def save(self, folder: RunFolder, pauses: Pauses) -> None:
        """Write a checkpoint.

        Raises:
            CompileError: where it cannot be written, or holds no finite numbers.
        """

        def write() -> None:
            check_finite(self._parameters())
            folder.save_checkpoint(self.name, self.state())

        self._ranks.lead(write)
        pauses.saved()

    def state(self) -> dict[str, Any]:
        """All that the next step depends on; noise, order, augmentation and rates are functions of seed and step."""
        return {"epoch": self.epoch, "step": self._step, **self._own_state(), "skipped": self._data.left_out}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint.

        Raises:
            CompileError: where it is another one's.
        """
        try:
            self._take(state)
            self._data.skip(state["skipped"])
            self.epoch, self._step = int(state["epoch"]), int(state["step"])
        except (LookupError, RuntimeError, ValueError, TypeError, AttributeError) as error:
            raise mistakes.other_checkpoint(self.trains, error) from None


def check_finite(parameters: Iterable[Tensor]) -> None:
    """Weights are finite numbers, so that what is saved of them can go on.

    Raises:
        CompileError: where they are not.
    """
    if not bool(torch.isfinite(torch.nn.utils.get_total_norm(parameters))):
        raise mistakes.infinite_weights()
