"""Inputs in memory."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from nasir.data.arrays import ArrayPreparation
from nasir.data.base import DataSet, Split
from nasir.data.forms import Input, Shape, Target
from nasir.data.images import ImagePreparation

_AT_A_TIME = 1_024
"""So many inputs are held in double precision."""


@dataclass(frozen=True)
class TensorSplit(Split):
    """Inputs in memory, [N, C, ...], numbers whose largest is `most`; batches are scaled to 0..1, normalised, resized
    to `sizes` where they are others, and never augmented. `targets` are those that are no classes."""

    images: Tensor
    labels: Tensor
    most: int
    mean: float
    std: float
    sizes: Shape
    targets: Tensor | None = None

    def take(self, index: Tensor) -> "TensorSplit":
        targets = None if self.targets is None else self.targets[index]
        return replace(self, images=self.images[index], labels=self.labels[index], targets=targets)

    def to(self, device: torch.device) -> "TensorSplit":
        targets = None if self.targets is None else self.targets.to(device)
        return replace(self, images=self.images.to(device), labels=self.labels.to(device), targets=targets)

    def batches(self, index: Sequence[Tensor], augmentation: int | None) -> Iterator[tuple[Tensor, Tensor]]:
        for one in index:
            here = one.to(self.labels.device)
            found = self.images[here]
            inputs = (found.float() / self.most - self.mean) / self.std
            targets = self.labels[here] if self.targets is None else self.targets[here]
            yield resized(inputs, self.sizes), resized_targets(targets, tuple(found.shape[2:]), self.sizes)


def in_memory(
    name: str,
    parts: Sequence[tuple[Tensor, Tensor]],
    most: int,
    input: Input | None,
    files: str = "",
    *,
    names: Sequence[str] = (),
) -> DataSet:
    """Training and test inputs of one channel, [N, 1, H, W] or [N, 1, L], numbers whose largest is `most`, with their
    classes from 0, [N], or with other targets, [N, ...]; they are normalised by the training inputs' mean and standard
    deviation."""
    (images, targets), _ = parts
    mean, std = _moments(images)
    mean, std = mean / most, std / most or 1.0
    found = tuple(images.shape[2:])
    sizes = input.sizes if input else found
    target = Target(tuple(targets.shape[1:]), not targets.is_floating_point()).resized(found, sizes)
    train, test = (
        TensorSplit(x, y, most, mean, std, sizes)
        if target.is_class
        else TensorSplit(x, torch.zeros(len(x), dtype=torch.int64), most, mean, std, sizes, y)
        for x, y in parts
    )
    names = tuple(names or map(str, range(int(targets.max()) + 1)))
    return DataSet(
        name,
        len(names),
        train,
        test,
        (mean,),
        (std,),
        files,
        names=names,
        preparation=(
            ImagePreparation(1, *sizes, (mean,), (std,))
            if len(sizes) == 2
            else ArrayPreparation((1, *sizes), mean * most, std * most)
        ),
        sizes=" x ".join(map(str, reversed(found))),
        rank=len(sizes),
        target=target,
    )


def _moments(numbers: Tensor) -> tuple[float, float]:
    """The mean and the standard deviation of all numbers, the same to the last bit for any number of threads."""

    def total(of: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> float:
        parts = (numbers[at : at + _AT_A_TIME] for at in range(0, len(numbers), _AT_A_TIME))
        return math.fsum(float(of(part.double().numpy()).sum()) for part in parts)

    mean = total(lambda part: part) / numbers.numel()
    return mean, math.sqrt(total(lambda part: (part - mean) ** 2) / numbers.numel())


def resized(inputs: Tensor, sizes: Shape) -> Tensor:
    """Inputs [N, C, ...] at [N, C, *sizes]: images bilinear with antialiasing and in channels-last layout, signals
    linear."""
    if sizes and tuple(inputs.shape[2:]) != sizes:
        images = len(sizes) == 2
        inputs = F.interpolate(inputs, size=sizes, mode="bilinear" if images else "linear", antialias=images)
    return inputs.contiguous(memory_format=torch.channels_last if inputs.dim() == 4 else torch.contiguous_format)


def resized_targets(targets: Tensor, found: Shape, sizes: Shape) -> Tensor:
    """The targets of inputs of the sizes `found` that are resized: maps of the same sizes are resized with them, each
    number the nearest one."""
    rank = len(found)
    if found == sizes or not rank or not sizes or tuple(targets.shape[1:][-rank:]) != found:
        return targets
    maps = targets.reshape(len(targets), -1, *found).double()
    near = F.interpolate(maps, size=sizes, mode="nearest-exact").to(targets.dtype)
    return near.reshape(*targets.shape[:-rank], *sizes)
