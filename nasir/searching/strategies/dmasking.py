"""DMaskingNAS (FBNetV2, section 4.1): a masked supernet's weights and its architecture by gradient in turn; the
temperature anneals; of networks near to the final distribution that keep the bounds, the best with the supernet's
weights is the one."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from nasir.data import pieces, whole
from nasir.data.mistakes import no_readable_image
from nasir.ir.values import Scalar
from nasir.jobs.signals import Pauses
from nasir.jobs.steps import Step
from nasir.searching import mistakes, optimizers
from nasir.searching.averaging import Average
from nasir.searching.landing import draw, land, scores
from nasir.searching.prices import Prices
from nasir.searching.strategy import ARCHITECTURE, WEIGHTS, Found, Images, Task
from nasir.searching.training import compiled, place
from nasir.supernets import Supernet, SupernetOutput, build
from nasir.supernets.gates import gumbel_noise
from nasir.supernets.layers import wide
from nasir.supernets.starting import Started, start_anywhere

_ESTIMATION_BATCHES = 16


class DMasking:
    """The paper's strategy."""

    def __init__(self, task: Task) -> None:
        self._task, self._settings, self._ranks = task, task.settings, task.ranks
        self.supernet: Supernet = build(task.space.graph, self._settings.resolution, costs=task.space.shown_costs)
        self._started = start_anywhere(self.supernet, task.start) if task.start is not None else None
        self.supernet.synchronise_batch_norms(task.synchronised and self._ranks.count > 1)
        place(self.supernet, task.device)
        (self._logits,) = self.supernet.architecture()
        self._logits.requires_grad_(False)  # so that data-parallel steps of the weights leave it alone
        weights = list(self.supernet.weights())
        self._weight_optimizer = optimizers.make(self._settings.weights, weights)
        self._average = Average(weights, self._settings.ema)
        self._running: tuple[nn.Module, nn.Module] = (
            compiled(self._ranks.parallel(self.supernet), self._settings.compile),
            compiled(self.supernet, self._settings.compile),
        )
        self._architecture_optimizer = optimizers.make(self._settings.architecture, (self._logits,))
        searching = self._settings.epochs - self._settings.warmup_epochs
        self.prices = Prices(task.targets, searching * task.counts[ARCHITECTURE])
        self._costs: dict[str, float] = {}

    def begin(self, epoch: int) -> None:
        self.supernet.train()
        self.supernet.temperature.fill_(self._settings.temperature_at(epoch))

    def _discrete(self, choices: Mapping[str, Scalar]) -> Mapping[str, int]:
        """The costs of one network."""
        return self._task.space.costs.at(choices, self._task.space.cost_names)

    def train_weights(self, step: Step[Images], at: int) -> None:
        images, labels = step.batch
        total = self._settings.epochs * self._task.counts[WEIGHTS]
        optimizers.set_cosine(self._weight_optimizer, self._settings.weights, at, total)
        loss = self._loss(self._forward(WEIGHTS, images, 2 * at), labels)
        self._weight_optimizer.zero_grad(set_to_none=True)
        step.share.weigh(loss).backward()
        step.check(loss.detach())
        self._weight_optimizer.step()
        self._average.update()

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
        lower, device = self._settings.precision == "bfloat16", self._task.device
        noise = gumbel_noise(self.supernet.gate_count(), self._task.seed, step).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=lower):
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

    def probabilities(self) -> Mapping[str, Mapping[Scalar, float]]:
        return self.supernet.probabilities()

    def choose(self, pauses: Pauses) -> Found:
        """Of the network nearest to the likeliest and of others near to networks drawn from the final distribution, all
        within the bounds, the one with the least loss with the supernet's weights (FBNet sampled so); one that uses its
        budget up before one that does not."""
        found = self._candidates()
        self._average.put()
        compared = [(not lands, *self.evaluate(choices, pauses), choices) for choices, lands in found]
        self._average.put()
        missed, loss, score, choices = min(compared, key=lambda one: (math.isinf(one[1]), *one[:2]))
        if math.isinf(loss):
            raise mistakes.diverged(
                loss, "every network with the supernet's weights", "search.weights", self._settings.weights
            )
        return Found(choices, not missed, score, self.supernet.entropy(), self.supernet.argmax())

    def _candidates(self) -> list[tuple[dict[str, Scalar], bool]]:
        """The networks to compare, none twice, and whether each uses its budget up."""
        probabilities = self.supernet.probabilities()
        likely, model, goal = scores(probabilities), self._task.space.costs, self._task.targets
        starts = [self.supernet.argmax()]
        starts += [draw(probabilities, self._task.seed * 1_000 + i) for i in range(1, self._settings.candidates)]
        found: list[tuple[dict[str, Scalar], bool]] = []
        for start in {tuple(start.values()): start for start in starts}.values():
            one = land(start, likely, model, goal.bounds, goal.spent)
            if self._keeps_bounds(one[0]) and one[0] not in [choices for choices, _ in found]:
                found.append(one)
        if not found:  # several bounds, and single changes lead from none of the starts to where all are kept
            found.append(land(goal.within, likely, model, goal.bounds, goal.spent))
        return found

    def _keeps_bounds(self, choices: Mapping[str, Scalar]) -> bool:
        costs = self._discrete(choices)
        return all(costs[bound.cost] <= bound.limit for bound in self._task.targets.bounds)

    def evaluate(self, choices: Mapping[str, Scalar], pauses: Pauses) -> tuple[float, float]:
        """The loss (infinite where it is no number) and the score of a network with the supernet's weights on the
        architecture's part of the data, its batch norms estimated on the weights' part."""
        task = self._task
        self.supernet.reestimate_batch_norms(choices, self._estimation_images())
        self.supernet.eval()
        loss, counted, counts = 0.0, 0, torch.zeros(())
        with torch.no_grad():
            for x, y in whole(task.parts[ARCHITECTURE], self._settings.batch):
                outputs = self.supernet(x, choices=choices).logits
                loss += float(task.compared(outputs, y)) * len(y)
                counts = task.measure.count(outputs, y) + (counts if counted else 0)
                counted += len(y)
                if pauses.signal:
                    raise pauses.stopped()
        if not counted:
            raise no_readable_image("images for the architecture")
        return (loss / counted if math.isfinite(loss) else math.inf), task.measure.score(counts)

    def _estimation_images(self) -> Iterator[Tensor]:
        split = self._task.parts[WEIGHTS]
        order = torch.randperm(len(split), generator=torch.Generator().manual_seed(self._task.seed))
        wanted = pieces(order, self._settings.batch)[:_ESTIMATION_BATCHES]
        return (x for x, _ in split.batches([index for index in wanted if len(index) > 1], None))

    def started(self) -> Started | None:
        return self._started

    def weights(self, choices: Mapping[str, Scalar]) -> Mapping[str, Tensor]:
        self._average.put()
        self.supernet.reestimate_batch_norms(choices, self._estimation_images())
        found = self.supernet.state_for(choices)
        self._average.put()
        return found

    def parameters(self) -> Iterable[Tensor]:
        return self.supernet.parameters()

    def state(self) -> dict[str, Any]:
        return {
            "costs": dict(self._costs),
            "supernet": self.supernet.state_dict(),
            "weight_optimizer": self._weight_optimizer.state_dict(),
            "architecture_optimizer": self._architecture_optimizer.state_dict(),
            "average": self._average.state(),
            "prices": dict(self.prices.values),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self.supernet.load_state_dict(state["supernet"])
        self._weight_optimizer.load_state_dict(state["weight_optimizer"])
        self._architecture_optimizer.load_state_dict(state["architecture_optimizer"])
        self._average.restore(state["average"])
        self.prices.values = dict(state["prices"])
        self._costs = dict(state["costs"])
