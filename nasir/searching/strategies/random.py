"""Random search over shared weights: each step trains one random network that keeps the bounds, at the price of that
network; in the end the best of some random ones with these weights is taken (Guo et al., 2020, section 3.2; Li and
Talwalkar, 2019). Nothing is learnt of the architecture."""

from collections.abc import Mapping
from random import Random as Chance  # `Random` is the strategy

import torch

from nasir.ir.graph import Choices
from nasir.jobs.signals import Pauses
from nasir.jobs.steps import Step
from nasir.searching import mistakes
from nasir.searching.landing import Standing, near
from nasir.searching.one_shot import OneShot
from nasir.searching.strategy import WEIGHTS, Found, Images, Task
from nasir.searching.subnets import Subnet
from nasir.supernets.layers import wide

_MOST_AT_A_TIME, _STEPS_EACH = 24, 8
"""An epoch has one network for so many steps, for making one takes as long as some steps."""
_LEAST_TRAINED = 0.5
"""Networks that are trained use at least this share of the tightest bound, for those that are judged use it up."""


class Random(OneShot):
    """Weights by random networks within the bounds; the best of random ones."""

    def __init__(self, task: Task) -> None:
        """
        Raises:
            CompileError: where the search is to be compiled, or batch statistics taken over all ranks.
        """
        for asked, what in ((task.settings.compile != "off", "`compile`"), (task.synchronised, "`--sync-bn`")):
            if asked:
                raise mistakes.unused(task.settings.strategy, what)
        super().__init__(task)

    def begin(self, epoch: int) -> None:
        super().begin(epoch)
        count = min(_MOST_AT_A_TIME, 1 + self._task.counts[WEIGHTS] // _STEPS_EACH)
        chance = Chance(f"{self._task.seed} {epoch}")
        found = [self._near(epoch * count + i, chance.uniform(_LEAST_TRAINED, 1.0)) for i in range(count)]
        self._paths = [Subnet(self._task.space, self.supernet, one) for one in found]
        for path in self._paths:
            path.train()

    def _near(self, number: int, least: float) -> Choices:
        """A random network within the bounds, a function of the search's seed and of its number."""
        seed = self._task.seed * 1_000_003 + number
        return self._brought(self._task.space.sample(seed), least, seed)

    def _brought(self, start: Choices, least: float, seed: int) -> Choices:
        """A network near to `start` that keeps the bounds and uses at least the share `least` of the tightest."""
        space, goal = self._task.space, self._task.targets
        standing = Standing(space.costs, start, goal.bounds, goal.spent)
        return near(standing, {one.name: one.options for one in space.decisions}, least, seed)

    def train_weights(self, step: Step[Images], at: int) -> None:
        images, labels = step.batch
        path = Chance(f"{self._task.seed} {at}").choice(self._paths)
        with self.lowered():
            outputs = path(images)
        self.descend(step, at, self._task.loss(wide(outputs), labels))

    def share_gradients(self) -> None:
        for weight in self._weights if self._ranks.count > 1 else ():
            weight.grad = self._ranks.average(torch.zeros_like(weight) if weight.grad is None else weight.grad)

    def train_architecture(self, step: Step[Images], at: int) -> None:
        step.check(torch.zeros(()))  # nothing is learnt of it

    def metrics(self) -> Mapping[str, float | int | None]:
        return {}

    def choose(self, pauses: Pauses) -> Found:
        """The best of `candidates` random networks within the bounds."""
        starts = [self._near(-1 - i, _LEAST_TRAINED) for i in range(self._settings.candidates)]
        return self.best_of(self.landed(starts), pauses)
