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

from nasir.diagnostics import CompileError, Diagnostic
from nasir.lang.settings import Optimizer, TrainSettings
from nasir.search import optimizers
from nasir.search.averaging import Average
from nasir.search.data import DataSet, Split, batch_count, batches, whole
from nasir.search.pausing import Pauses
from nasir.search.progress import Report
from nasir.search.ranks import Ranks
from nasir.search.run_folder import RunFolder
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
        self._images, self._data = data.train.to(device), data
        check_batches(data, settings.batch, ranks)
        self._optimizer = optimizers.make(settings.weights, network.parameters())
        self._average = Average(network.parameters(), settings.ema)
        self.epoch = self._step = 0
        self._loss = 0.0

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
                    raise diverged(found, where, "train.weights", self._settings.weights, *spare)
                self._optimizer.step()
                self._average.update()
                self._step += 1
                self._loss += found
                if stop or due:
                    self._save(folder, pauses)
                if stop:
                    raise pauses.stopped()
            line = {"phase": "train", "epoch": self.epoch}
            timing = {"seconds": time.perf_counter() - start, "ended": time.time()}
            lines = {"metrics.jsonl": {**line, "loss": self._loss / per_epoch}, "timing.jsonl": {**line, **timing}}
            self._ranks.lead(partial(folder.append, lines))
            report(self.epoch, {"loss": f"{self._loss / per_epoch:.3f}"})
            self.epoch, self._step, self._loss = self.epoch + 1, 0, 0.0
            self._data.skip(self._ranks.union(self._data.left_out))
            self._save(folder, pauses)
        if self._settings.ema:
            self._average.put()
            images = batches(self._images, batch, self._seed, epochs, self._ranks)
            update_bn(islice(images, _ESTIMATION_BATCHES), self._network)  # the running statistics are of other weights

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
        except (KeyError, RuntimeError, ValueError) as error:
            raise CompileError(Diagnostic("E0902", f"the checkpoint does not fit the network: {error}")) from None


def check_batches(data: DataSet, batch: int, ranks: Ranks) -> None:
    """Training makes at least one batch an epoch.

    Raises:
        CompileError: where it makes none.
    """
    if not batch_count(data.train, batch, ranks.count):
        hint = "raise `train.batch`: each rank needs two images of a batch"
        raise CompileError(Diagnostic("E0803", "no batch can be made of the training images", hints=(hint,)))


def diverged(loss: float, where: str, setting: str, optimizer: Optimizer, *hints: str) -> CompileError:
    """A loss is no finite number; `setting` is the optimizer that led there."""
    gentler = {name: value / 10 if name == "lr" else value for name, value in optimizer.arguments}
    arguments = ", ".join(f"{name}={value:g}" for name, value in gentler.items())
    change = f'--set "{setting}={optimizer.name}({arguments})"'
    hint = f"lower its learning rate, `{change}`, and start again with `--overwrite`"
    return CompileError(Diagnostic("E0804", f"the loss is {loss} in {where}", hints=(hint, *hints)))


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
        hint = "lower the learning rates, and start again with `--overwrite`"
        raise CompileError(Diagnostic("E0804", "the weights are no finite numbers", hints=(hint,)))


def accuracy(network: nn.Module, split: Split, batch: int, pauses: Pauses | None = None) -> float:
    """The share of images whose class the network tells, in evaluation mode; images are not augmented.

    Raises:
        CompileError: where no image can be read, or what the network tells is no number.
        Stopped: where `pauses` said so.
    """
    network.eval()
    correct = counted = 0
    with torch.no_grad():
        for x, y in whole(split, batch):
            logits = network(x)
            if not bool(torch.isfinite(logits).all()):
                hint = "lower the learning rate of the training, and start again with `--overwrite`"
                raise CompileError(Diagnostic("E0804", "the network tells no finite numbers", hints=(hint,)))
            correct += int((logits.argmax(1) == y).sum())
            counted += len(y)
            if pauses is not None and pauses.signal:
                raise pauses.stopped()
    if not counted:
        raise CompileError(Diagnostic("E0805", "none of the test images can be read"))
    return correct / counted
