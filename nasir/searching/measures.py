"""How a network's outputs are measured by what is to be told: counts of each batch, whose sum gives the metrics."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor

from nasir.searching.metric import ACCURACY, Metric

PIXELS = Metric("mean_iou", "mean IoU"), Metric("pixel_accuracy", "pixel accuracy")


class Measure(ABC):
    """The `metrics` of a loss, the first of which says which network is better."""

    tells: ClassVar[str]
    """What outputs are: `classes`, `pixels` of classes, `labels`, or `values`."""
    width: int
    """How many channels an output has."""

    @property
    @abstractmethod
    def metrics(self) -> tuple[Metric, ...]: ...

    @abstractmethod
    def count(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """What is counted of a batch, on the CPU; that of several is their sum."""

    @abstractmethod
    def values(self, counts: Tensor) -> tuple[float, ...]:
        """The metrics' figures, in their order."""

    def facts(self, counts: Tensor, names: Sequence[str]) -> dict[str, Any]:
        """`test.json`; `names` are those of the outputs."""
        return {metric.name: value for metric, value in zip(self.metrics, self.values(counts), strict=True)}

    def score(self, counts: Tensor) -> float:
        """The figure of the first metric."""
        return self.values(counts)[0]


@dataclass(frozen=True)
class Confusion(Measure):
    """How many inputs, or pixels, of each class are taken for which, int64 [width, width]. Pixels below 0 do not
    count."""

    width: int
    pixels: bool = False

    @property
    def tells(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        return "pixels" if self.pixels else "classes"

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return PIXELS if self.pixels else (ACCURACY,)

    def count(self, outputs: Tensor, targets: Tensor) -> Tensor:
        pairs = (targets * self.width + outputs.argmax(1))[targets >= 0]
        return torch.bincount(pairs.cpu(), minlength=self.width**2).view(self.width, self.width)

    def values(self, counts: Tensor) -> tuple[float, ...]:
        right = counts.diagonal()
        accuracy = float(right.sum()) / max(1.0, float(counts.sum()))
        if not self.pixels:
            return (accuracy,)
        either = counts.sum(0) + counts.sum(1) - right
        seen = either > 0
        return float((right[seen] / either[seen]).double().mean()) if bool(seen.any()) else 0.0, accuracy

    def facts(self, counts: Tensor, names: Sequence[str]) -> dict[str, Any]:
        told = super().facts(counts, names) if self.pixels else {}
        return {"classes": list(names), "confusion": counts.tolist(), **told}


@dataclass(frozen=True)
class Halves(Measure):
    """Accuracy of labels that each hold or do not: an output above 0 (a probability above 1/2) says that it does. The
    mean over all labels, of all pixels where there are some."""

    width: int
    tells: ClassVar[str] = "labels"

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return (ACCURACY,)

    def count(self, outputs: Tensor, targets: Tensor) -> Tensor:
        right = (outputs > 0) == (targets.reshape(outputs.shape) > 0.5)
        return torch.tensor([int(right.sum()), right.numel()])

    def values(self, counts: Tensor) -> tuple[float, ...]:
        return (float(counts[0]) / float(counts[1]),)


@dataclass(frozen=True)
class Mean(Measure):
    """A loss itself, its mean over the inputs; lower is better."""

    width: int
    name: str
    loss: Callable[[Tensor, Tensor], Tensor] = field(repr=False)
    tells: ClassVar[str] = "values"

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return (Metric(self.name, self.name.replace("_", " "), higher=False, share=False),)

    def count(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return torch.tensor([float(self.loss(outputs, targets)) * len(outputs), len(outputs)], dtype=torch.float64)

    def values(self, counts: Tensor) -> tuple[float, ...]:
        return (float(counts[0]) / float(counts[1]),)
