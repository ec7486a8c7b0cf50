"""Images in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from nasir.search.data.base import Split


@dataclass(frozen=True)
class TensorSplit(Split):
    """Images in memory, uint8 [N, C, H, W]; batches are normalised, resized to `size` where it is not None, and never
    augmented."""

    images: Tensor
    labels: Tensor
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
            images = (self.images[here].float() - self.mean) / self.std
            yield resized(images, self.size), self.labels[here]


def resized(images: Tensor, size: int | None) -> Tensor:
    """Images [N, C, H, W] at [N, C, size, size], bilinear with antialiasing, in channels-last layout."""
    if size is not None and tuple(images.shape[2:]) != (size, size):
        images = F.interpolate(images, size=(size, size), mode="bilinear", antialias=True)
    return images.contiguous(memory_format=torch.channels_last)
