"""Training a network from scratch: what the searched architecture is worth."""

import math
import time
from collections.abc import Iterable, Mapping
from functools import partial
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import update_bn

from nasir.lang.settings import TrainSettings
from nasir.searching import mistakes, optimizers
from nasir.searching.averaging import Average
from nasir.searching.data import DataSet, Split, batch_count, batches, stratified, whole
from nasir.searching.data.mistakes import no_readable_image
from nasir.searching.pausing import Pauses
from nasir.searching.progress import Report
from nasir.searching.ranks import Ranks
from nasir.searching.run_folder import RunFolder
from nasir.supernets.layers import wide

_ESTIMATION_BATCHES = 64


class Training:
    """One network in training on all training images. Its state after any step is a checkpoint."""

    def __init__(
        self,
        network: nn.Module,
        data: DataSet,
        settings: TrainSettings,
        seed: int,
        device: torch.device,
        ranks: Ranks,
    ) -> None:
        place(network, device)
        self._network = network
        self._settings, self._seed, self._device, self._ranks = settings, seed, device, ranks
        self._running = compiled(ranks.parallel(network), settings.compile)
        self._data = data
        training, validation = divided(data, settings, seed)
        self._images = training.to(device)
        self._validation = validation.to(device) if validation is not None else None
        if not batch_count(training, settings.batch, ranks.count):
            raise mistakes.no_batches()
        self._optimizer = optimizers.make(settings.weights, network.parameters())
        self._average = Average(network.parameters(), settings.ema)
        self.epoch = self._step = 0
        self._loss = 0.0
        self.validation: float | None = None
        """The accuracy on the held-out images of the weights that are kept."""
        self.kept: int | None = None
        """The epochs after which the kept weights were as they are."""
        self._best: dict[str, Tensor] | None = None

    def run(self, folder: RunFolder, report: Report, pauses: Pauses) -> None:
        """The remaining epochs; the network ends with its averaged weights, if there are any.

        Raises:
            CompileError: where the loss is no number.
            Stopped: where `pauses` said so; the state is saved.
        """
        batch, epochs = self._settings.batch, self._settings.epochs
        per_epoch = batch_count(self._images, batch, self._ranks.count)
        while self.epoch < epochs:
            start = time.perf_counter()
            self._network.train()
            mine = batches(self._images, batch, self._seed, self.epoch, self._ranks, self._step)
            for x, y in self._ranks.each(mine, self._device):
                at = self.epoch * per_epoch + self._step
                optimizers.set_cosine(self._optimizer, self._settings.weights, at, epochs * per_epoch)
                loss = self._loss_of(x, y)
                self._optimizer.zero_grad(set_to_none=True)
                loss.backward()
                facts = [float(loss.detach()), pauses.signal > 0, pauses.due()]
                found, stop, due = self._ranks.mean(facts, self._device)
                if not math.isfinite(found):
                    where = f"epoch {self.epoch + 1} of {epochs} of the training"
                    arch = folder.path / "arch.nas"
                    spare = (f"`nasir train {arch}` repeats the training alone",) if arch.is_file() else ()
                    raise mistakes.diverged(found, where, "train.weights", self._settings.weights, *spare)
                self._optimizer.step()
                self._average.update()
                self._step += 1
                self._loss += found
                if stop or due:
                    self._save(folder, pauses)
                if stop:
                    raise pauses.stopped()
            line = {"phase": "train", "epoch": self.epoch}
            metrics = {"loss": self._loss / per_epoch, **self._validated(pauses)}
            timing = {"seconds": time.perf_counter() - start, "ended": time.time()}
            lines = {"metrics.jsonl": {**line, **metrics}, "timing.jsonl": {**line, **timing}}
            self._ranks.lead(partial(folder.append, lines))
            report(self.epoch, _shown(metrics))
            self.epoch, self._step, self._loss = self.epoch + 1, 0, 0.0
            self._data.skip(self._ranks.union(self._data.left_out))
            self._save(folder, pauses)
        if self._best is not None:
            self._network.load_state_dict(self._best)
        if self._settings.ema:
            self._average.put()
            images = batches(self._images, batch, self._seed, epochs, self._ranks)
            update_bn(islice(images, _ESTIMATION_BATCHES), self._network)  # the running statistics are of other weights
            self._validated(pauses)

    def _validated(self, pauses: Pauses) -> dict[str, float]:
        """The accuracy on the held-out images; the weights are kept where they are the ones to keep."""
        held_out = self._validation
        if held_out is None:
            return {}
        found = self._ranks.lead(lambda: accuracy(self._network, held_out, self._settings.batch, pauses))
        if self._settings.keep == "last" or self.validation is None or found > self.validation:
            self.validation, self.kept = found, min(self.epoch + 1, self._settings.epochs)
            if self._settings.keep == "best":
                self._best = {name: value.detach().clone() for name, value in self._network.state_dict().items()}
        return {"validation_accuracy": found}

    def _loss_of(self, images: Tensor, labels: Tensor) -> Tensor:
        lower = self._settings.precision == "bfloat16"
        with torch.autocast(self._device.type, torch.bfloat16, enabled=lower):
            logits = self._running(images)
        return F.cross_entropy(wide(logits), labels, label_smoothing=self._settings.label_smoothing)

    def _save(self, folder: RunFolder, pauses: Pauses) -> None:
        def write() -> None:
            check_finite(self._network.parameters())
            folder.save_checkpoint("train", self.state())

        self._ranks.lead(write)
        pauses.saved()

    def state(self) -> dict[str, Any]:
        """All that the next step depends on; order, augmentation and rates are functions of seed and step."""
        return {
            "epoch": self.epoch,
            "step": self._step,
            "loss": self._loss,
            "network": self._network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "average": self._average.state(),
            "skipped": self._data.left_out,
            "validation": self.validation,
            "kept": self.kept,
            "best": self._best,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint.

        Raises:
            CompileError: where it is another network's.
        """
        try:
            self._network.load_state_dict(state["network"])
            self._optimizer.load_state_dict(state["optimizer"])
            self._average.restore(state["average"])
            self._data.skip(state["skipped"])
            self.epoch, self._step, self._loss = int(state["epoch"]), int(state["step"]), float(state["loss"])
            self.validation, self.kept, self._best = state["validation"], state["kept"], state["best"]
        except (LookupError, RuntimeError, ValueError, TypeError, AttributeError) as error:
            raise mistakes.other_checkpoint("network", error) from None


def divided(data: DataSet, settings: TrainSettings, seed: int) -> tuple[Split, Split | None]:
    """The images to train on, and those that are held out of each class to tell the accuracy by, if any are."""
    if not settings.validation:
        return data.train, None
    held_out, rest = stratified(data.train.labels.cpu(), settings.validation, seed)
    return data.train.take(rest), data.train.take(held_out) if len(held_out) else None


def check_training(data: DataSet, settings: TrainSettings, seed: int, ranks: Ranks) -> None:
    """Training makes at least one batch an epoch.

    Raises:
        CompileError: where it makes none.
    """
    if settings.keep == "best" and (settings.ema or not settings.validation):
        why = "`ema` makes others of them" if settings.ema else "no images are held out to tell it by"
        raise mistakes.nothing_to_keep(why)
    if not batch_count(divided(data, settings, seed)[0], settings.batch, ranks.count):
        raise mistakes.no_batches()


def _shown(metrics: Mapping[str, float]) -> dict[str, str]:
    shown = {"loss": f"{metrics['loss']:.3f}"}
    if "validation_accuracy" in metrics:
        shown["validation"] = f"{metrics['validation_accuracy']:.1%}"
    return shown


def compiled(network: nn.Module, backend: str) -> nn.Module:
    """The network under torch.compile, with a backend that is not `off`. Batches are of two sizes at most, so shapes
    are taken as they are."""
    return network if backend == "off" else torch.compile(network, backend=backend, dynamic=False)  # pyright: ignore[reportReturnType, reportUnknownVariableType]


def place(network: nn.Module, device: torch.device) -> None:
    """Move a network to a device, in channels-last layout: twice as fast for depthwise convolutions on a CPU."""
    network.to(device)
    network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


def check_finite(parameters: Iterable[Tensor]) -> None:
    """Weights are finite numbers, so that what is saved of them can go on.

    Raises:
        CompileError: where they are not.
    """
    if not bool(torch.isfinite(torch.nn.utils.get_total_norm(parameters))):
        raise mistakes.infinite_weights()


def accuracy(network: nn.Module, split: Split, batch: int, pauses: Pauses | None = None) -> float:
    """The share of images whose class the network tells.

    Raises:
        CompileError: as `confusions` does.
        Stopped: likewise.
    """
    counts = confusions(network, split, batch, int(split.labels.max()) + 2, pauses)
    return float(counts.diagonal().sum()) / float(counts.sum())


def confusions(network: nn.Module, split: Split, batch: int, classes: int, pauses: Pauses | None = None) -> Tensor:
    """How many images of each class the network takes for which, int64 [classes, classes], in evaluation mode; images
    are not augmented. What it takes for a class beyond counts as the last one.

    Raises:
        CompileError: where no image can be read, or what the network tells is no number.
        Stopped: where `pauses` said so.
    """
    network.eval()
    counts = torch.zeros(classes * classes, dtype=torch.int64)
    with torch.no_grad():
        for x, y in whole(split, batch):
            logits = network(x)
            if not bool(torch.isfinite(logits).all()):
                raise mistakes.infinite_outputs()
            told = logits.argmax(1).clamp_max(classes - 1)
            counts += torch.bincount((y * classes + told).cpu(), minlength=classes * classes)
            if pauses is not None and pauses.signal:
                raise pauses.stopped()
    if not counts.any():
        raise no_readable_image("test images")
    return counts.view(classes, classes)
