"""DMaskingNAS (FBNetV2, section 4.1): a masked supernet's weights and its architecture by gradient in turn; the
temperature anneals; of networks near to the final distribution that keep the bounds, the best with the supernet's
weights is the one."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from nasir.ir.graph import Choices
from nasir.ir.values import Scalar
from nasir.jobs.signals import Pauses
from nasir.jobs.steps import Step
from nasir.searching import optimizers
from nasir.searching.landing import draw, land, scores
from nasir.searching.one_shot import Network, OneShot
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
        self._settled: dict[str, Scalar] = {}
        self._aim: dict[str, Scalar] = {}
        """The last network that landed, of those that decisions were settled by: what is settled leads to it."""

    def begin(self, epoch: int) -> None:
        super().begin(epoch)
        self.supernet.temperature.fill_(self._settings.temperature_at(epoch))
        self._settle(math.ceil(self._settings.settled_at(epoch) * len(self._task.space.decisions)))

    def _settle(self, count: int) -> None:
        """Have so many decisions settled, the surest first, at what the network has that is landed from the likeliest:
        prices and the decisions that are open make up for what that changes, and the weights train for it."""
        if count <= len(self._settled):
            return
        every = list(map(self._landed, self._starts()))
        choices, lands = next((one for one in every if one[1]), every[0])
        if lands or not self._aim:
            self._aim = choices
        probabilities = self.supernet.probabilities()
        unsure = {name: 1 - probabilities[name][self._aim[name]] for name in self._aim.keys() - self._settled.keys()}
        for name in sorted(unsure, key=lambda name: (unsure[name], name))[: count - len(self._settled)]:
            self._settled[name] = self._aim[name]
        self.supernet.settle(self._settled)

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
        likeliest = self.supernet.argmax()
        landed, _ = self._landed(likeliest)
        return sum(option != landed[name] for name, option in likeliest.items())

    def _starts(self) -> Iterator[Choices]:
        """The likeliest network, and others drawn from the distribution as it is."""
        yield self.supernet.argmax()
        probabilities, seed = self.supernet.probabilities(), self._task.seed * 1_000
        yield from (draw(probabilities, seed + i) for i in range(1, self._settings.candidates))

    def _landed(self, start: Choices) -> Network:
        """The network that landing makes of one by changes of the decisions that are open."""
        likely, goal = scores(self.supernet.probabilities()), self._task.targets
        open = {name: options for name, options in likely.items() if name not in self._settled}
        return land(start, open, self._task.space.costs, goal.bounds, goal.spent)

    def choose(self, pauses: Pauses) -> Found:
        """Of the network nearest to the likeliest and of others near to networks drawn from the final distribution, all
        within the bounds, the one with the least loss with the supernet's weights (FBNet sampled so)."""
        found = self.best_of(self.landed(self._starts()), pauses)
        return replace(found, entropy=self.supernet.entropy(), likeliest=self.supernet.argmax())

    def state(self) -> dict[str, Any]:
        return {
            **super().state(),
            "costs": dict(self._costs),
            "settled": dict(self._settled),
            "aim": dict(self._aim),
            "architecture_optimizer": self._architecture_optimizer.state_dict(),
            "prices": dict(self.prices.values),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore(state)
        self._architecture_optimizer.load_state_dict(state["architecture_optimizer"])
        self.prices.values = dict(state["prices"])
        self._costs, self._settled, self._aim = (dict(state[name]) for name in ("costs", "settled", "aim"))
        self.supernet.settle(self._settled)
