"""Images in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from nasir.data.base import DataSet, Input, Split
from nasir.data.preparation import Preparation


@dataclass(frozen=True)
class TensorSplit(Split):
    """Images in memory, uint8 [N, C, H, W] from 0 to `most`; batches are scaled to 0..1, normalised, resized to `size`
    where it is not None, and never augmented."""

    images: Tensor
    labels: Tensor
    most: int
    mean: float
    std: float
    size: int | None

    def take(self, index: Tensor) -> "TensorSplit":
        return replace(self, images=self.images[index], labels=self.labels[index])

    def to(self, device: torch.device) -> "TensorSplit":
        return replace(self, images=self.images.to(device), labels=self.labels.to(device))

    def batches(self, index: Sequence[Tensor], augmentation: int | None) -> Iterator[tuple[Tensor, Tensor]]:
        for one in index:
            here = one.to(self.labels.device)
            images = (self.images[here].float() / self.most - self.mean) / self.std
            yield resized(images, self.size), self.labels[here]


def in_memory(
    name: str, parts: Sequence[tuple[Tensor, Tensor]], most: int, input: Input | None, files: str = ""
) -> DataSet:
    """Training and test images of one channel, uint8 [N, 1, H, W] from 0 to `most`, with their labels from 0; they are
    normalised by the training images' mean and standard deviation."""
    (images, labels), _ = parts
    mean, std = float(images.double().mean()) / most, float(images.double().std(correction=0)) / most or 1.0
    size = input and input.size
    train, test = (TensorSplit(x, y, most, mean, std, size) for x, y in parts)
    height, width = images.shape[2:]
    preparation = Preparation(1, size or height, size or width, (mean,), (std,))
    classes = int(labels.max()) + 1
    names = tuple(map(str, range(classes)))
    return DataSet(
        name,
        classes,
        train,
        test,
        (mean,),
        (std,),
        files,
        names=names,
        preparation=preparation,
        sizes=f"{width} x {height}",
    )


def resized(images: Tensor, size: int | None) -> Tensor:
    """Images [N, C, H, W] at [N, C, size, size], bilinear with antialiasing, in channels-last layout."""
    if size is not None and tuple(images.shape[2:]) != (size, size):
        images = F.interpolate(images, size=(size, size), mode="bilinear", antialias=True)
    return images.contiguous(memory_format=torch.channels_last)
