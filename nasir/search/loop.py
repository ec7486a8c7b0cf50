"""The paper's search (section 4.1): in each epoch the weights on one part of the data, then the architecture on the
other; the temperature anneals; the argmax is the network."""

import time
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from nasir.api import Space
from nasir.diagnostics import CompileError, Diagnostic
from nasir.ir.values import Scalar
from nasir.search import optimizers
from nasir.search.constraint import Prices, within_bounds
from nasir.search.data import DataSet, Split, batch_count, batches, pieces
from nasir.search.progress import Report
from nasir.search.run_folder import RunFolder
from nasir.search.training import place
from nasir.supernets import Supernet, SupernetOutput, build
from nasir.supernets.gates import gumbel_noise

_ESTIMATION_BATCHES = 16


class Search:
    """One search of one space on one data set. Its state after each epoch is a checkpoint."""

    def __init__(self, space: Space, data: DataSet, seed: int, device: torch.device) -> None:
        self._space = space
        self._settings = space.settings.search
        self._seed = seed
        torch.manual_seed(seed)
        self.supernet: Supernet = build(space.graph, self._settings.resolution)
        place(self.supernet, device)
        self._device = device
        weights, architecture = data.divided(self._settings.split, seed)
        self._weight_data, self._architecture_data = weights.to(device), architecture.to(device)
        if not batch_count(weights, self._settings.batch) or not batch_count(architecture, self._settings.batch):
            hint = "change `split`, so that each part has at least two images"
            raise CompileError(Diagnostic("E0803", "a part of the training data is empty", hints=(hint,)))
        self._weight_optimizer = optimizers.make(self._settings.weights, self.supernet.weights())
        self._architecture_optimizer = optimizers.make(self._settings.architecture, self.supernet.architecture())
        self._prices = Prices(space.settings.objective)
        self.epoch = 0

    @property
    def _steps(self) -> tuple[int, int]:
        """Batches an epoch of the two parts."""
        size = self._settings.batch
        return batch_count(self._weight_data, size), batch_count(self._architecture_data, size)

    def run(self, folder: RunFolder, report: Report) -> None:
        """The remaining epochs; each ends with a line in metrics.jsonl and a checkpoint."""
        while self.epoch < self._settings.epochs:
            start = time.perf_counter()
            metrics = self._run_epoch()
            folder.append("metrics.jsonl", {"phase": "search", "epoch": self.epoch, **metrics})
            folder.append(
                "timing.jsonl", {"phase": "search", "epoch": self.epoch, "seconds": time.perf_counter() - start}
            )
            self.epoch += 1
            folder.save_checkpoint(self.state())
            report(self.epoch - 1, _shown(metrics))

    def _run_epoch(self) -> dict[str, float | int | None]:
        self.supernet.train()
        self.supernet.temperature.fill_(self._settings.temperature_at(self.epoch))
        loss = self._train_weights()
        searching = self.epoch >= self._settings.warmup_epochs
        architecture_loss, costs = self._train_architecture() if searching else (None, self._expected_costs())
        return {
            "loss": loss,
            "architecture_loss": architecture_loss,
            **costs,
            **{f"argmax_{name}": cost for name, cost in self._space.costs.at(self.supernet.argmax()).items()},
            "temperature": float(self.supernet.temperature),
            "entropy": self.supernet.entropy(),
            **{f"price_{name}": price for name, price in self._prices.values.items()},
        }

    def _train_weights(self) -> float:
        per_epoch, _ = self._steps
        losses: list[float] = []
        for i, (images, labels) in enumerate(self._batches(self._weight_data, 0)):
            step = self.epoch * per_epoch + i
            total = self._settings.epochs * per_epoch
            optimizers.set_cosine(self._weight_optimizer, self._settings.weights, step, total)
            loss = self._cross_entropy(self._forward(images, 2 * step).logits, labels)
            self._weight_optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self._check(loss)
            self._weight_optimizer.step()
            losses.append(float(loss.detach()))
        return sum(losses) / len(losses)

    def _train_architecture(self) -> tuple[float, dict[str, float]]:
        _, per_epoch = self._steps
        losses: list[float] = []
        costs: dict[str, float] = {}
        for i, (images, labels) in enumerate(self._batches(self._architecture_data, 1)):
            out = self._forward(images, 2 * (self.epoch * per_epoch + i) + 1)
            loss = self._cross_entropy(out.logits, labels) + self._prices.penalty(out.cost)
            self._architecture_optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self._check(loss)
            self._architecture_optimizer.step()
            losses.append(float(loss.detach()))
            costs = {name: float(cost.detach()) for name, cost in out.cost.items()}
            self._prices.update(costs, self._space.costs.at(self.supernet.argmax()))
        return sum(losses) / len(losses), costs

    def _expected_costs(self) -> dict[str, float]:
        with torch.no_grad():
            cost = self.supernet.cost()
        return {name: float(value) for name, value in cost.items()}

    def _forward(self, images: Tensor, step: int) -> SupernetOutput:
        lower = self._settings.precision == "bfloat16"
        with torch.autocast(self._device.type, torch.bfloat16, enabled=lower):
            return self.supernet(images, noise=self._noise(step))

    def _cross_entropy(self, logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits.float(), labels, label_smoothing=self._settings.label_smoothing)

    def _batches(self, split: Split, part: int) -> Iterator[tuple[Tensor, Tensor]]:
        return batches(split, self._settings.batch, 2 * self._seed + part, self.epoch)

    def _noise(self, step: int) -> Tensor:
        noise = gumbel_noise(self.supernet.gate_count(), self._seed, step)
        return noise.to(self.supernet.temperature.device)

    def _check(self, loss: Tensor) -> None:
        if not bool(torch.isfinite(loss)):
            hints = ('lower the learning rate: `--set "weights=sgd(lr=0.05, momentum=0.9)"`',)
            raise CompileError(
                Diagnostic("E0804", f"the loss is {float(loss.detach())} in epoch {self.epoch}", hints=hints)
            )

    def choose(self) -> dict[str, Scalar]:
        """The likeliest network, changed as little as its bounds demand."""
        bounds = self._space.settings.objective.bounds
        return within_bounds(self.supernet.argmax(), self.supernet.probabilities(), self._space.costs, bounds)

    def accuracy(self, choices: Mapping[str, Scalar]) -> float:
        """Accuracy of a network with the supernet's weights on the architecture's part of the data, its batch norms
        estimated on the weights' part."""
        images = (x for x, _ in islice(self._batches(self._weight_data, 0), _ESTIMATION_BATCHES))
        self.supernet.reestimate_batch_norms(choices, images)
        self.supernet.eval()
        correct = counted = 0
        with torch.no_grad():
            every = torch.arange(len(self._architecture_data))
            for x, y in self._architecture_data.batches(pieces(every, self._settings.batch), None):
                correct += int((self.supernet(x, choices=choices).logits.argmax(1) == y).sum())
                counted += len(y)
        return correct / counted

    def state(self) -> dict[str, Any]:
        """All that the next epoch depends on; noise, order and rates are functions of seed and step."""
        return {
            "epoch": self.epoch,
            "supernet": self.supernet.state_dict(),
            "weight_optimizer": self._weight_optimizer.state_dict(),
            "architecture_optimizer": self._architecture_optimizer.state_dict(),
            "prices": dict(self._prices.values),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint.

        Raises:
            CompileError: where it is another space's.
        """
        try:
            self.supernet.load_state_dict(state["supernet"])
            self._weight_optimizer.load_state_dict(state["weight_optimizer"])
            self._architecture_optimizer.load_state_dict(state["architecture_optimizer"])
            self._prices.values = dict(state["prices"])
            self.epoch = int(state["epoch"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise CompileError(Diagnostic("E0902", f"the checkpoint does not fit the space: {error}")) from None


def _shown(metrics: Mapping[str, float | int | None]) -> dict[str, str]:
    return {
        "loss": f"{metrics['loss']:.3f}",
        "macs": f"{metrics['macs']:,.0f}",
        "tau": f"{metrics['temperature']:.2f}",
        "entropy": f"{metrics['entropy']:.2f}",
    }
