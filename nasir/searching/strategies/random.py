"""Random search over shared weights: each step trains one random network that keeps the bounds, at the price of that
network; in the end the best of some random ones with these weights is taken (Guo et al., 2020, section 3.2; Li and
Talwalkar, 2019). Nothing is learnt of the architecture."""

from collections.abc import Mapping
from random import Random as Chance  # `Random` is the strategy
from typing import ClassVar

from nasir.jobs.signals import Pauses
from nasir.jobs.steps import Step
from nasir.searching import optimizers
from nasir.searching.one_shot import OneShot
from nasir.searching.strategy import WEIGHTS, Found, Images, Task, check_changing
from nasir.searching.subnets import Subnet
from nasir.supernets.layers import wide

_MOST_AT_A_TIME, _STEPS_EACH = 24, 8
"""An epoch has one network for so many steps, for making one takes as long as some steps."""
_LEAST_JUDGED = 0.5
"""The share of the tightest bound that random networks use at least before they are landed."""


class Random(OneShot):
    """Weights by random networks within the bounds; the best of random ones."""

    serves_any_bound: ClassVar[bool] = True

    def __init__(self, task: Task) -> None:
        """
        Raises:
            CompileError: where the search is to be compiled, or batch statistics taken over all ranks.
        """
        check_changing(task)
        super().__init__(task)

    def begin(self, epoch: int) -> None:
        super().begin(epoch)
        count = min(_MOST_AT_A_TIME, 1 + self._task.counts[WEIGHTS] // _STEPS_EACH)
        chance = Chance(f"{self._task.seed} {epoch}")
        leasts = [chance.uniform(self._settings.least, 1.0) for _ in range(count)]
        found = [self._candidates.drawn(epoch * count + i, least) for i, least in enumerate(leasts)]
        self._paths = [Subnet(self._task.space, self.supernet, one) for one in found]
        for path in self._paths:
            path.train()

    def train_weights(self, step: Step[Images], at: int) -> None:
        images, labels = step.batch
        path = Chance(f"{self._task.seed} {at}").choice(self._paths)
        with self.lowered():
            outputs = path(images)
        self.descend(step, at, self._task.loss(wide(outputs), labels))

    def share_gradients(self) -> None:
        optimizers.share_gradients(self._weights, self._ranks)

    def metrics(self) -> Mapping[str, float | int | None]:
        return {}

    def choose(self, pauses: Pauses) -> Found:
        """The best of `candidates` random networks within the bounds."""
        starts = [self._candidates.drawn(-1 - i, _LEAST_JUDGED) for i in range(self._settings.candidates)]
        return self.best_of(self.landed(starts), pauses)
