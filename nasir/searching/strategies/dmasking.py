"""DMaskingNAS (FBNetV2, section 4.1): a masked supernet's weights and its architecture by gradient in turn; the
temperature anneals; of networks near to the final distribution that keep the bounds, the best with the supernet's
weights is the one."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from nasir.jobs.signals import Pauses
from nasir.jobs.steps import Step
from nasir.searching import optimizers
from nasir.searching.landing import draw, land, scores
from nasir.searching.one_shot import OneShot
from nasir.searching.prices import Prices
from nasir.searching.strategy import ARCHITECTURE, WEIGHTS, Found, Images, Task
from nasir.searching.training import compiled
from nasir.supernets import SupernetOutput
from nasir.supernets.gates import gumbel_noise
from nasir.supernets.layers import wide


class DMasking(OneShot):
    """The paper's strategy."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self._running: tuple[nn.Module, nn.Module] = (
            compiled(self._ranks.parallel(self.supernet), self._settings.compile),
            compiled(self.supernet, self._settings.compile),
        )
        self._architecture_optimizer = optimizers.make(self._settings.architecture, (self._logits,))
        searching = self._settings.epochs - self._settings.warmup_epochs
        self.prices = Prices(task.targets, searching * task.counts[ARCHITECTURE])
        self._costs: dict[str, float] = {}

    def begin(self, epoch: int) -> None:
        super().begin(epoch)
        self.supernet.temperature.fill_(self._settings.temperature_at(epoch))

    def train_weights(self, step: Step[Images], at: int) -> None:
        images, labels = step.batch
        self.descend(step, at, self._loss(self._forward(WEIGHTS, images, 2 * at), labels))

    def train_architecture(self, step: Step[Images], at: int) -> None:
        images, labels = step.batch
        self._logits.requires_grad_(True)
        out = self._forward(ARCHITECTURE, images, 2 * at + 1)
        loss = self.prices.loss(self._loss(out, labels), out.cost)
        (gradient,) = torch.autograd.grad(step.share.weigh(loss), self._logits)
        self._logits.requires_grad_(False)
        self._logits.grad = self._ranks.average(gradient)
        self._costs = {name: float(cost.detach()) for name, cost in out.cost.items()}
        step.check(loss.detach())
        self._architecture_optimizer.step()
        discrete = self._discrete(self.supernet.argmax())
        self.prices.update(self._costs, discrete, self.supernet.entropy())

    def _forward(self, part: int, images: Tensor, step: int) -> SupernetOutput:
        noise = gumbel_noise(self.supernet.gate_count(), self._task.seed, step).to(self._task.device)
        with self.lowered():
            return self._running[part](images, noise=noise)

    def _loss(self, out: SupernetOutput, labels: Tensor) -> Tensor:
        return self._task.loss(wide(out.logits), labels)

    def metrics(self) -> dict[str, float | int | None]:
        with torch.no_grad():
            expected = {name: float(value) for name, value in self.supernet.cost().items()}
        likeliest = self._discrete(self.supernet.argmax())
        return {
            **expected,
            **{f"argmax_{name}": cost for name, cost in likeliest.items()},
            "moved": self._moved(),
            "temperature": float(self.supernet.temperature),
            "entropy": self.supernet.entropy(),
            **{f"price_{name}": price for name, price in self.prices.values.items()},
        }

    def _moved(self) -> int:
        """How many decisions landing on the bounds would take from their likeliest options, were this the end."""
        likeliest, goal = self.supernet.argmax(), self._task.targets
        likely = scores(self.supernet.probabilities())
        choices, _ = land(likeliest, likely, self._task.space.costs, goal.bounds, goal.spent)
        return sum(option != choices[name] for name, option in likeliest.items())

    def choose(self, pauses: Pauses) -> Found:
        """Of the network nearest to the likeliest and of others near to networks drawn from the final distribution, all
        within the bounds, the one with the least loss with the supernet's weights (FBNet sampled so)."""
        probabilities, seed = self.supernet.probabilities(), self._task.seed * 1_000
        drawn = [draw(probabilities, seed + i) for i in range(1, self._settings.candidates)]
        found = self.best_of(self.landed([self.supernet.argmax(), *drawn]), pauses)
        return replace(found, entropy=self.supernet.entropy(), likeliest=self.supernet.argmax())

    def state(self) -> dict[str, Any]:
        return {
            **super().state(),
            "costs": dict(self._costs),
            "architecture_optimizer": self._architecture_optimizer.state_dict(),
            "prices": dict(self.prices.values),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore(state)
        self._architecture_optimizer.load_state_dict(state["architecture_optimizer"])
        self.prices.values = dict(state["prices"])
        self._costs = dict(state["costs"])
