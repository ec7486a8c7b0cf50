"""How good a network is with weights from a search, or after a short training."""

import math
from collections.abc import Iterator
from itertools import islice

import torch
from torch import Tensor

from nasir.data import batches, pieces, whole
from nasir.data.mistakes import no_readable_image
from nasir.ir.graph import Choices
from nasir.jobs.signals import Pauses
from nasir.searching.descent import Descent
from nasir.searching.strategy import ARCHITECTURE, WEIGHTS, Task
from nasir.searching.subnets import Made, Standalone
from nasir.searching.training import lowered, place
from nasir.supernets.layers import wide

_ESTIMATION_BATCHES, _FEW_BATCHES = 16, 4
_AT_ONCE = 256  # inputs that are judged at least: small batches leave the time to Python


def judge(task: Task, network: Standalone, pauses: Pauses, most: int | None = None) -> tuple[float, float]:
    """The loss (infinite where it is no number) and the score of a network on the architecture's part of the data, or
    on about `most` of its inputs, its batch norms estimated on the weights' part: the same on all ranks.

    Raises:
        CompileError: where no input can be read.
        Stopped: where `pauses` said so.
    """
    network.estimate(islice(estimation_images(task), _ESTIMATION_BATCHES if most is None else _FEW_BATCHES))
    loss, counted, counts = 0.0, 0, torch.zeros(())
    with torch.no_grad():
        for x, y in whole(task.parts[ARCHITECTURE], max(task.settings.batch, _AT_ONCE)):
            outputs = wide(network(x))
            loss += float(task.compared(outputs, y)) * len(y)
            counts = task.measure.count(outputs, y) + (counts if counted else 0)
            counted += len(y)
            if pauses.signal:
                raise pauses.stopped()
            if most is not None and counted >= most:
                break
    if not counted:
        raise no_readable_image("images for the architecture")
    return (loss / counted if math.isfinite(loss) else math.inf), task.measure.score(counts)


class ShortTraining:
    """A network on its way through one epoch from scratch on the weights' part, as the search trains weights."""

    def __init__(self, task: Task, choices: Choices, made: Made | None = None) -> None:
        torch.manual_seed(task.seed)
        self._task, self._at = task, 0
        self._network = Standalone(task.space, choices, made)
        place(self._network.module, task.device)
        self._descent = Descent(self._network.module.parameters(), task.settings.weights, task.counts[WEIGHTS])

    def train(self, until: float, pauses: Pauses) -> float:
        """Go on until this share of the epoch is done, a step at least; the loss then.

        Raises:
            Stopped: where `pauses` said so.
        """
        task, last = self._task, max(1, round(until * self._task.counts[WEIGHTS]))
        self._network.train()
        left = batches(task.parts[WEIGHTS], task.settings.batch, task.seed, 0, first=self._at)
        for x, y in islice(left, last - self._at):
            with lowered(task.settings, task.device):
                outputs = self._network(x)
            self._descent.step(self._at, task.loss(wide(outputs), y))
            self._at += 1
            if pauses.signal:
                raise pauses.stopped()
        return judge(task, self._network, pauses)[0]


def estimation_images(task: Task) -> Iterator[Tensor]:
    """Batches of the weights' part that statistics of batch norms are estimated on."""
    split, batch = task.parts[WEIGHTS], task.settings.batch
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(task.seed))
    wanted = pieces(order, batch)[:_ESTIMATION_BATCHES]
    return (x for x, _ in split.batches([index for index in wanted if len(index) > 1], None))
