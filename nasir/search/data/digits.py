"""The 1,797 handwritten 8x8 digits that ship with scikit-learn (UCI, CC BY 4.0); every fifth is a test image."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from nasir.diagnostics import CompileError, Diagnostic
from nasir.search.data.base import SPLIT_SEED, TEST_SHARE, DataSet, Input, Split

_SIZE = 8


@dataclass(frozen=True)
class TensorSplit(Split):
    """Images in memory, float32 [N, C, H, W], normalised; never augmented."""

    images: Tensor
    labels: Tensor

    def take(self, index: Tensor) -> "TensorSplit":
        return TensorSplit(self.images[index], self.labels[index])

    def to(self, device: torch.device) -> "TensorSplit":
        images = self.images.to(device).contiguous(memory_format=torch.channels_last)
        return TensorSplit(images, self.labels.to(device))

    def batches(self, index: Sequence[Tensor], augmentation: int | None) -> Iterator[tuple[Tensor, Tensor]]:
        for one in index:
            here = one.to(self.labels.device)
            yield self.images[here], self.labels[here]


def load_digits(rest: str, input: Input | None) -> DataSet:
    """The digits, resized where the network takes another size.

    Raises:
        CompileError: where they are not installed, or the network takes coloured images.
    """
    try:
        from sklearn.datasets import load_digits as load  # pyright: ignore[reportUnknownVariableType]
    except ImportError:
        hint = "pip install 'nasir[digits]'"
        raise CompileError(Diagnostic("E0801", "the digits come with scikit-learn", hints=(hint,))) from None
    if rest:
        raise CompileError(Diagnostic("E0801", f"`digits` takes no folder, and has `{rest}`"))
    if input is not None and input.channels != 1:
        message = f"the network takes images of {input.channels} channels, and the digits have one"
        raise CompileError(Diagnostic("E0802", message, hints=("write `image(1, size=8)`",)))
    pixels, target = load(return_X_y=True)  # pyright: ignore[reportUnknownVariableType]
    images = torch.from_numpy(np.asarray(pixels, dtype=np.float32)).reshape(-1, 1, _SIZE, _SIZE)  # pyright: ignore[reportUnknownArgumentType]
    labels = torch.from_numpy(np.asarray(target, dtype=np.int64))  # pyright: ignore[reportUnknownArgumentType]
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(SPLIT_SEED))
    images, labels = images[order], labels[order]
    tests = len(labels) // TEST_SHARE
    mean, std = images[tests:].mean(), images[tests:].std()
    images = (images - mean) / std
    if input is not None and input.size != _SIZE:
        images = F.interpolate(images, size=input.size, mode="bilinear", antialias=True)
    test, train = TensorSplit(images[:tests], labels[:tests]), TensorSplit(images[tests:], labels[tests:])
    return DataSet("digits", 10, train, test, (float(mean),), (float(std),))
