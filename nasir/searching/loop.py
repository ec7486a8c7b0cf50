"""The paper's search (section 4.1): in each epoch the weights on one part of the data, then the architecture on the
other; the temperature anneals; of networks near to the final distribution that keep the bounds, the best with the
supernet's weights is the one."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nasir.api import Space
from nasir.ir.values import Scalar, key
from nasir.searching import mistakes, optimizers
from nasir.searching.averaging import Average
from nasir.searching.constraint import Prices, Targets
from nasir.searching.data import DataSet, Split, batch_count, batches, pieces, whole
from nasir.searching.data.mistakes import no_readable_image
from nasir.searching.landing import drawn, landed, scores
from nasir.searching.pausing import Pauses
from nasir.searching.progress import Report
from nasir.searching.ranks import Ranks
from nasir.searching.run_folder import RunFolder
from nasir.searching.training import check_finite, compiled, place
from nasir.supernets import Supernet, SupernetOutput, build
from nasir.supernets.gates import gumbel_noise
from nasir.supernets.layers import wide

_ESTIMATION_BATCHES = 16

WEIGHTS, ARCHITECTURE = 0, 1


@dataclass(frozen=True)
class Found:
    """The network that a search chose: its decisions, whether it uses its budget up (`landing.LEAST_USE`), and its
    accuracy with the supernet's weights on the architecture's part of the data. `entropy` is that of the final
    distributions; `likeliest` what they would have chosen."""

    choices: dict[str, Scalar]
    lands: bool
    accuracy: float
    entropy: float
    likeliest: dict[str, Scalar]

    @property
    def moved(self) -> dict[str, list[Scalar]]:
        """The decisions that are not at their likeliest option: that one, and the one taken."""
        return {n: [option, self.choices[n]] for n, option in self.likeliest.items() if option != self.choices[n]}


class Search:
    """One search of one space on one data set. Its state after any step is a checkpoint."""

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
    ) -> None:
        """`synchronised` takes batch statistics over all ranks (SyncBN)."""
        self._space, self._data = space, data
        self._settings = space.settings.search
        self._seed, self._device, self._ranks = seed, device, ranks or Ranks()
        torch.manual_seed(seed)
        self.supernet: Supernet = build(space.graph, self._settings.resolution)
        self.supernet.synchronise_batch_norms(synchronised and self._ranks.count > 1)
        place(self.supernet, device)
        parts = data.divided(self._settings.split, seed)
        self._parts: tuple[Split, Split] = (parts[WEIGHTS].to(device), parts[ARCHITECTURE].to(device))
        if not all(map(self._count, self._parts)):
            raise mistakes.empty_part()
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
        self._prices = Prices(targets, searching * self._count(self._parts[ARCHITECTURE]))
        self.epoch = 0
        self._part, self._step = WEIGHTS, 0
        self._losses = [0.0, 0.0]
        self._costs: dict[str, float] = {}
        self.found: Found | None = None

    def _count(self, split: Split) -> int:
        """Steps of an epoch on a part of the data."""
        return batch_count(split, self._settings.batch, self._ranks.count)

    def run(self, folder: RunFolder, report: Report, pauses: Pauses) -> None:
        """The remaining epochs; each ends with a line in metrics.jsonl and one in probabilities.jsonl, and with a
        checkpoint.

        Raises:
            CompileError: where a loss is no number, or a file cannot be read or written.
            Stopped: where `pauses` said so; the state is saved.
        """
        while self.epoch < self._settings.epochs:
            start = time.perf_counter()
            self.supernet.train()
            self.supernet.temperature.fill_(self._settings.temperature_at(self.epoch))
            searching = self.epoch >= self._settings.warmup_epochs
            if self._part == WEIGHTS:
                self._run_part(self._train_weights, folder, pauses)
                self._part, self._step = ARCHITECTURE, 0
            if searching:
                self._run_part(self._train_architecture, folder, pauses)
            metrics = self._metrics(searching)
            line = {"phase": "search", "epoch": self.epoch}
            timing = {"seconds": time.perf_counter() - start, "ended": time.time()}
            lines = {
                "metrics.jsonl": {**line, **metrics},
                "probabilities.jsonl": {**line, "decisions": self._distributions()},
                "timing.jsonl": {**line, **timing},
            }
            self._ranks.lead(partial(folder.append, lines))
            self.epoch += 1
            self._part, self._step, self._losses = WEIGHTS, 0, [0.0, 0.0]
            self._data.skip(self._ranks.union(self._data.left_out))
            self.save(folder, pauses)
            report(self.epoch - 1, _shown(metrics))

    def _run_part(self, train: Callable[[Tensor, Tensor], Tensor], folder: RunFolder, pauses: Pauses) -> None:
        """The remaining steps on one part of the data."""
        split = self._parts[self._part]
        batch, key = self._settings.batch, 2 * self._seed + self._part
        mine = batches(split, batch, key, self.epoch, self._ranks, self._step)
        for images, labels in self._ranks.each(mine, self._device):
            facts = [float(train(images, labels)), pauses.signal > 0, pauses.due()]
            loss, stop, due = self._ranks.mean(facts, self._device)
            if not math.isfinite(loss):
                name = ("weights", "architecture")[self._part]
                where = f"epoch {self.epoch + 1} of {self._settings.epochs} of the search, of the {name}"
                raise mistakes.diverged(loss, where, f"search.{name}", getattr(self._settings, name))
            if self._part == WEIGHTS:
                self._weight_optimizer.step()
                self._average.update()
            else:
                self._architecture_optimizer.step()
                discrete = self._space.costs.at(self.supernet.argmax())
                self._prices.update(self._costs, discrete, self.supernet.entropy())
            self._losses[self._part] += loss
            self._step += 1
            if stop or due:
                self.save(folder, pauses)
            if stop:
                raise pauses.stopped()

    def _train_weights(self, images: Tensor, labels: Tensor) -> Tensor:
        """The loss of a step; the weights have its gradient."""
        per_epoch = self._count(self._parts[WEIGHTS])
        at, of = self.epoch * per_epoch + self._step, self._settings.epochs * per_epoch
        optimizers.set_cosine(self._weight_optimizer, self._settings.weights, at, of)
        loss = self._cross_entropy(self._forward(images, 2 * at).logits, labels)
        self._weight_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        return loss.detach()

    def _train_architecture(self, images: Tensor, labels: Tensor) -> Tensor:
        """The loss of a step; the architecture's logits have its gradient."""
        at = self.epoch * self._count(self._parts[ARCHITECTURE]) + self._step
        self._logits.requires_grad_(True)
        out = self._forward(images, 2 * at + 1)
        loss = self._prices.loss(self._cross_entropy(out.logits, labels), out.cost)
        (gradient,) = torch.autograd.grad(loss, self._logits)
        self._logits.requires_grad_(False)
        self._logits.grad = self._ranks.average(gradient)
        self._costs = {name: float(cost.detach()) for name, cost in out.cost.items()}
        return loss.detach()

    def _forward(self, images: Tensor, step: int) -> SupernetOutput:
        lower = self._settings.precision == "bfloat16"
        noise = gumbel_noise(self.supernet.gate_count(), self._seed, step).to(self._device)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=lower):
            return self._running[self._part](images, noise=noise)

    def _cross_entropy(self, logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(wide(logits), labels, label_smoothing=self._settings.label_smoothing)

    def _metrics(self, searching: bool) -> dict[str, float | int | None]:
        with torch.no_grad():
            expected = {name: float(value) for name, value in self.supernet.cost().items()}
        return {
            "loss": self._losses[WEIGHTS] / self._count(self._parts[WEIGHTS]),
            "architecture_loss": (
                self._losses[ARCHITECTURE] / self._count(self._parts[ARCHITECTURE]) if searching else None
            ),
            **expected,
            **{f"argmax_{name}": cost for name, cost in self._space.costs.at(self.supernet.argmax()).items()},
            "moved": self._moved(),
            "temperature": float(self.supernet.temperature),
            "entropy": self.supernet.entropy(),
            **{f"price_{name}": price for name, price in self._prices.values.items()},
        }

    def _moved(self) -> int:
        """How many decisions landing on the bounds would take from their likeliest options, were this the end."""
        likeliest, goal = self.supernet.argmax(), self._prices.targets
        likely = scores(self.supernet.probabilities())
        choices, _ = landed(likeliest, likely, self._space.costs, goal.bounds, goal.spent)
        return sum(option != choices[name] for name, option in likeliest.items())

    def _distributions(self) -> dict[str, dict[str, float]]:
        """The probability of each option of each decision, rounded to what a picture shows."""
        return {
            name: {key(option): round(probability, 4) for option, probability in options.items()}
            for name, options in self.supernet.probabilities().items()
        }

    def choose(self, pauses: Pauses) -> Found:
        """Of the network nearest to the likeliest and of others near to networks drawn from the final distribution, all
        within the bounds, the one with the least cross-entropy with the supernet's weights (FBNet sampled so); one that
        uses its budget up before one that does not.

        Raises:
            CompileError: where no network's loss is a number, or no image can be read.
            Stopped: where `pauses` said so; the state of the last epoch is what to go on from.
        """
        probabilities = self.supernet.probabilities()
        likely, model, goal = scores(probabilities), self._space.costs, self._prices.targets
        starts = [self.supernet.argmax()]
        starts += [drawn(probabilities, self._seed * 1_000 + i) for i in range(1, self._settings.candidates)]
        found: list[tuple[dict[str, Scalar], bool]] = []
        for start in {tuple(start.values()): start for start in starts}.values():
            one = landed(start, likely, model, goal.bounds, goal.spent)
            if self._keeps_bounds(one[0]) and one[0] not in [choices for choices, _ in found]:
                found.append(one)
        if not found:  # several bounds, and single changes lead from none of the starts to where all are kept
            found.append(landed(goal.within, likely, model, goal.bounds, goal.spent))
        self._average.put()
        compared = [(not lands, *self.evaluate(choices, pauses), choices) for choices, lands in found]
        self._average.put()
        missed, loss, accuracy, choices = min(compared, key=lambda one: (math.isinf(one[1]), *one[:2]))
        if math.isinf(loss):
            raise mistakes.diverged(
                loss, "every network with the supernet's weights", "search.weights", self._settings.weights
            )
        self.found = Found(choices, not missed, accuracy, self.supernet.entropy(), self.supernet.argmax())
        return self.found

    def _keeps_bounds(self, choices: Mapping[str, Scalar]) -> bool:
        costs = self._space.costs.at(choices)
        return all(costs[bound.cost] <= bound.limit for bound in self._prices.targets.bounds)

    def evaluate(self, choices: Mapping[str, Scalar], pauses: Pauses) -> tuple[float, float]:
        """Cross-entropy (infinite where it is no number) and accuracy of a network with the supernet's weights on the
        architecture's part of the data, its batch norms estimated on the weights' part."""
        self.supernet.reestimate_batch_norms(choices, self._estimation_images())
        self.supernet.eval()
        split = self._parts[ARCHITECTURE]
        loss = correct = counted = 0.0
        with torch.no_grad():
            for x, y in whole(split, self._settings.batch):
                logits = self.supernet(x, choices=choices).logits
                loss += float(F.cross_entropy(logits, y, reduction="sum"))
                correct += int((logits.argmax(1) == y).sum())
                counted += len(y)
                if pauses.signal:
                    raise pauses.stopped()
        if not counted:
            raise no_readable_image("images for the architecture")
        return (loss / counted if math.isfinite(loss) else math.inf), correct / counted

    def _estimation_images(self) -> Iterator[Tensor]:
        order = torch.randperm(len(self._parts[WEIGHTS]), generator=torch.Generator().manual_seed(self._seed))
        wanted = pieces(order, self._settings.batch)[:_ESTIMATION_BATCHES]
        return (x for x, _ in self._parts[WEIGHTS].batches([index for index in wanted if len(index) > 1], None))

    def save(self, folder: RunFolder, pauses: Pauses) -> None:
        """Write a checkpoint.

        Raises:
            CompileError: where it cannot be written, or holds no finite numbers.
        """

        def write() -> None:
            check_finite(self.supernet.parameters())
            folder.save_checkpoint("search", self.state())

        self._ranks.lead(write)
        pauses.saved()

    def state(self) -> dict[str, Any]:
        """All that the next step depends on; noise, order, augmentation and rates are functions of seed and step."""
        return {
            "epoch": self.epoch,
            "part": self._part,
            "step": self._step,
            "losses": list(self._losses),
            "costs": dict(self._costs),
            "supernet": self.supernet.state_dict(),
            "weight_optimizer": self._weight_optimizer.state_dict(),
            "architecture_optimizer": self._architecture_optimizer.state_dict(),
            "average": self._average.state(),
            "prices": dict(self._prices.values),
            "skipped": self._data.left_out,
            "found": None if self.found is None else asdict(self.found),
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
            self._average.restore(state["average"])
            self._prices.values = dict(state["prices"])
            self._data.skip(state["skipped"])
            self.epoch, self._part, self._step = int(state["epoch"]), int(state["part"]), int(state["step"])
            self._losses, self._costs = list(state["losses"]), dict(state["costs"])
            if (found := state["found"]) is not None:
                self.found = Found(**found)
        except (LookupError, RuntimeError, ValueError, TypeError, AttributeError) as error:
            raise mistakes.other_checkpoint("space", error) from None


def _shown(metrics: Mapping[str, float | int | None]) -> dict[str, str]:
    return {
        "loss": f"{metrics['loss']:.3f}",
        "macs": f"{metrics['argmax_macs']:,.0f}",
        "tau": f"{metrics['temperature']:.2f}",
        "entropy": f"{metrics['entropy']:.2f}",
        "moved": f"{metrics['moved']}",
    }
