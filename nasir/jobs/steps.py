"""The steps of a long job: each as soon as all ranks have its batch, its loss a number, the state saved when that is
due, signals obeyed."""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

import torch

from nasir.diagnostics import CompileError
from nasir.jobs.ranks import Ranks, Share
from nasir.jobs.signals import Pauses

T = TypeVar("T")


class Step(Generic[T]):
    """This rank's part of a batch, and what the ranks agree on before anything is changed by its loss."""

    def __init__(
        self,
        batch: T,
        share: Share,
        agree: Callable[[float], list[float]],
        diverged: Callable[[float], CompileError],
    ) -> None:
        self.batch, self.share = batch, share
        self.loss = math.nan
        """The mean over the whole batch, once `check` was asked."""
        self.stops = self.saves = False
        self._agree, self._diverged = agree, diverged

    def check(self, loss: torch.Tensor | float) -> None:
        """Every rank has made the loss of its part; what is trained may change by it, for their mean is a number.

        Raises:
            CompileError: where it is none, on all ranks.
        """
        self.loss, stops, saves = self._agree(float(loss) * self.share.weight)
        self.stops, self.saves = bool(stops), bool(saves)
        if not math.isfinite(self.loss):
            raise self._diverged(self.loss)


def steps(
    batches: Iterator[T],
    shares: Iterable[Share],
    ranks: Ranks,
    device: torch.device,
    pauses: Pauses,
    save: Callable[[], None],
    diverged: Callable[[float], CompileError],
) -> Iterator[Step[T]]:
    """A step for each batch, of which this rank has a share. Who makes it asks `Step.check` once, between the loss and
    the change; `save` writes the state as it is after a step, `diverged` is the error of a loss that is no number.

    Raises:
        CompileError: as `batches`, `Step.check` and `save` do.
        Stopped: where `pauses` of one of the ranks said so; the state is saved.
    """

    def agree(loss: float) -> list[float]:
        return ranks.mean([loss, pauses.signal > 0, pauses.due()], device)

    for batch, share in zip(ranks.each(batches, device), shares, strict=True):
        step = Step(batch, share, agree, diverged)
        yield step
        assert math.isfinite(step.loss), "a step asks whether its loss is a number"
        if step.stops or step.saves:
            save()
        if step.stops:
            raise pauses.stopped()
