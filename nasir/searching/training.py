"""Training a network from scratch: what the searched architecture is worth."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import update_bn

from nasir.data import DataSet, Split, batch_count, batches, stratified, whole
from nasir.data.mistakes import no_readable_image
from nasir.diagnostics import CompileError
from nasir.jobs.folder import RunFolder
from nasir.jobs.progress import Report
from nasir.jobs.ranks import Ranks
from nasir.jobs.signals import Pauses
from nasir.lang.settings import SearchSettings, TrainSettings
from nasir.searching import mistakes
from nasir.searching.descent import Descent
from nasir.searching.loss import loss_of
from nasir.searching.measures import Measure
from nasir.searching.noise import SharedNoise
from nasir.searching.phases import Lines, Phase
from nasir.supernets.layers import wide

_ESTIMATION_BATCHES = 64


class Training(Phase):
    """One network in training on all training images."""

    name, trains = "train", "network"

    def __init__(
        self,
        network: nn.Module,
        data: DataSet,
        settings: TrainSettings,
        seed: int,
        device: torch.device,
        ranks: Ranks,
        *,
        measure: Measure,
        loss: Callable[[Any, Any], Any] | None = None,
        teacher: nn.Module | None = None,
    ) -> None:
        """`measure` tells what the network is worth; `loss` stands in for that of the settings. Of a `teacher`, which
        tells the same classes, the probabilities are learnt as well (Hinton et al., 2015)."""
        super().__init__(data, settings.epochs, settings.batch, device, ranks)
        place(network, device)
        self._network, self._settings, self._seed = network, settings, seed
        self._noise = SharedNoise(network, ranks)
        self._running = compiled(ranks.parallel(network), settings.compile)
        training, validation = divided(data, settings, seed)
        self._images = training.to(device)
        self._validation = validation.to(device) if validation is not None else None
        self._per_epoch = batch_count(training, settings.batch)
        if not self._per_epoch:
            raise mistakes.no_batches()
        steps = self._epochs * self._per_epoch
        self._descent = Descent(network.parameters(), settings.weights, steps, settings.ema)
        self._criterion, self._measure = loss_of(settings, loss), measure
        self._metric = measure.metrics[0]
        self._teacher = teacher
        if teacher is not None:
            place(teacher, device)
        self._loss = 0.0
        self.validation: float | None = None
        """The score on the held-out inputs of the weights that are kept."""
        self.kept: int | None = None
        """The epochs after which the kept weights were as they are."""
        self._best: dict[str, Tensor] | None = None

    def run(self, folder: RunFolder, report: Report, pauses: Pauses) -> None:
        """The remaining epochs, as `Phase.run`; the network ends with its best or its averaged weights, if those are
        the ones to keep."""
        super().run(folder, report, pauses)
        if self._best is not None:
            self._network.load_state_dict(self._best)
        if self._settings.ema:
            self._descent.average.put()
            images = batches(self._images, self._batch, self._seed, self._epochs)
            update_bn(islice(images, _ESTIMATION_BATCHES), self._network)  # the running statistics are of other weights
            self._validated(pauses)

    def _run_epoch(self, folder: RunFolder, pauses: Pauses) -> Lines:
        self._network.train()
        for step in self._steps(self._images, self._seed, folder, pauses, partial(self._diverged, folder)):
            at = self.epoch * self._per_epoch + self._step
            torch.manual_seed((self._seed * 1_000_003 + at) % 2**63)  # dropout: the same after a resume
            self._noise.share = step.share
            loss = self._loss_of(*step.batch)
            self._descent.step(at, step.share.weigh(loss), partial(step.check, loss.detach()))
            self._loss += step.loss
        metrics = {"loss": self._loss / self._per_epoch, **self._validated(pauses)}
        self._loss = 0.0
        return {"metrics.jsonl": metrics}

    def _diverged(self, folder: RunFolder, loss: float) -> CompileError:
        where = f"epoch {self.epoch + 1} of {self._epochs} of the training"
        arch = folder.path / "arch.nas"
        spare = (f"`nasir train {arch}` repeats the training alone",) if arch.is_file() else ()
        return mistakes.diverged(loss, where, "train.weights", self._settings.weights, *spare)

    def _validated(self, pauses: Pauses) -> dict[str, float]:
        """The score on the held-out inputs; the weights are kept where they are the ones to keep."""
        held_out = self._validation
        if held_out is None:
            return {}
        found = self._ranks.lead(lambda: self._scored(held_out, pauses))
        last = self._settings.keep == "last"
        if last or self.validation is None or self._metric.better(found, self.validation):
            self.validation, self.kept = found, min(self.epoch + 1, self._settings.epochs)
            if self._settings.keep == "best":
                self._best = {name: value.detach().clone() for name, value in self._network.state_dict().items()}
        return {f"validation_{self._metric.name}": found}

    def _scored(self, split: Split, pauses: Pauses) -> float:
        return self._measure.score(counted(self._network, split, self._settings.batch, self._measure, pauses))

    def _loss_of(self, inputs: Tensor, targets: Tensor) -> Tensor:
        with lowered(self._settings, self._device):
            outputs = self._running(inputs)
        loss = self._criterion(wide(outputs), targets)
        if self._teacher is None:
            return loss
        with torch.no_grad(), lowered(self._settings, self._device):
            taught = self._teacher(inputs)
        distilled = F.cross_entropy(wide(outputs), wide(taught).softmax(1))
        return (1 - self._settings.distillation) * loss + self._settings.distillation * distilled

    def _shown(self, metrics: Mapping[str, Any]) -> dict[str, str]:
        shown = {"loss": f"{metrics['loss']:.3f}"}
        if (name := f"validation_{self._metric.name}") in metrics:
            shown["validation"] = self._metric.shown(metrics[name], digits=1)
        return shown

    def _parameters(self) -> Iterable[Tensor]:
        return self._network.parameters()

    def _own_state(self) -> dict[str, Any]:
        return {
            "loss": self._loss,
            "network": self._network.state_dict(),
            "descent": self._descent.state(),
            "validation": self.validation,
            "kept": self.kept,
            "best": self._best,
        }

    def _take(self, state: Mapping[str, Any]) -> None:
        self._network.load_state_dict(state["network"])
        self._descent.restore(state["descent"])
        self._loss = float(state["loss"])
        self.validation, self.kept, self._best = state["validation"], state["kept"], state["best"]


def divided(data: DataSet, settings: TrainSettings, seed: int) -> tuple[Split, Split | None]:
    """The images to train on, and those that are held out of each class to tell the score by, if any are."""
    if not settings.validation:
        return data.train, None
    held_out, rest = stratified(data.train.labels.cpu(), settings.validation, seed)
    return data.train.take(rest), data.train.take(held_out) if len(held_out) else None


def check_training(data: DataSet, settings: TrainSettings, seed: int) -> None:
    """Training makes at least one batch an epoch.

    Raises:
        CompileError: where it makes none.
    """
    if settings.keep == "best" and (settings.ema or not settings.validation):
        why = "`ema` makes others of them" if settings.ema else "no images are held out to tell it by"
        raise mistakes.nothing_to_keep(why)
    if not batch_count(divided(data, settings, seed)[0], settings.batch):
        raise mistakes.no_batches()


def compiled(network: nn.Module, backend: str) -> nn.Module:
    """The network under torch.compile, with a backend that is not `off`. Batches are of two sizes at most, so shapes
    are taken as they are."""
    return network if backend == "off" else torch.compile(network, backend=backend, dynamic=False)  # pyright: ignore[reportReturnType, reportUnknownVariableType]


def lowered(settings: SearchSettings | TrainSettings, device: torch.device) -> torch.autocast:
    """The precision that networks run in."""
    return torch.autocast(device.type, torch.bfloat16, enabled=settings.precision == "bfloat16")


def place(network: nn.Module, device: torch.device) -> None:
    """Move a network to a device, in channels-last layout: twice as fast for depthwise convolutions on a CPU."""
    network.to(device)
    network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


def counted(network: nn.Module, split: Split, batch: int, measure: Measure, pauses: Pauses | None = None) -> Tensor:
    """What the measure counts of all inputs, in evaluation mode; images are not augmented.

    Raises:
        CompileError: where no input can be read, or what the network tells is no number.
        Stopped: where `pauses` said so.
    """
    network.eval()
    total: Tensor | None = None
    with torch.no_grad():
        for x, y in whole(split, batch):
            outputs = network(x)
            if not bool(torch.isfinite(outputs).all()):
                raise mistakes.infinite_outputs()
            found = measure.count(outputs, y)
            total = found if total is None else total + found
            if pauses is not None and pauses.signal:
                raise pauses.stopped()
    if total is None:
        raise no_readable_image("test images")
    return total
