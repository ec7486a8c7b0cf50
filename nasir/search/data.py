"""Data sets, and batches whose order is a function of (seed, epoch) alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor

from nasir.diagnostics import CompileError, Diagnostic, closest
from nasir.ir.graph import Graph
from nasir.ir.values import Ref, text

DATA_SETS = ("digits",)
_TEST_SHARE = 5  # one image in five
_SPLIT_SEED = 0  # the test set is the same in every run


@dataclass(frozen=True)
class Split:
    """Images, float32 [N, C, H, W], normalised, and labels, int64 [N]."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: Tensor) -> "Split":
        return Split(self.images[index], self.labels[index])

    def to(self, device: torch.device) -> "Split":
        """On a device, in channels-last layout: twice as fast for depthwise convolutions on a CPU."""
        images = self.images.to(device).contiguous(memory_format=torch.channels_last)
        return Split(images, self.labels.to(device))


@dataclass(frozen=True)
class DataSet:
    """Training and test images of `classes` classes."""

    name: str
    classes: int
    train: Split
    test: Split

    def divided(self, share: float, seed: int) -> tuple[Split, Split]:
        """The training images in two fixed, disjoint parts: `share` of them for the weights, the rest for the
        architecture."""
        order = torch.randperm(len(self.train), generator=torch.Generator().manual_seed(seed))
        first = round(share * len(self.train))
        return self.train.take(order[:first]), self.train.take(order[first:])


def load_data(name: str) -> DataSet:
    """A data set by name.

    Raises:
        CompileError: where there is none of that name, or what it needs is not installed.
    """
    if name not in DATA_SETS:
        hints = closest(name, DATA_SETS) or (f"data sets: {', '.join(DATA_SETS)}",)
        raise CompileError(Diagnostic("E0801", f"no data set is named `{name}`", hints=hints))
    return _digits()


def _digits() -> DataSet:
    """The 1,797 handwritten 8x8 digits that ship with scikit-learn (UCI, CC BY 4.0); every fifth is a test image."""
    try:
        from sklearn.datasets import load_digits  # pyright: ignore[reportUnknownVariableType]
    except ImportError:
        hint = "pip install 'nasir[digits]'"
        raise CompileError(Diagnostic("E0801", "the digits come with scikit-learn", hints=(hint,))) from None
    pixels, target = load_digits(return_X_y=True)  # pyright: ignore[reportUnknownVariableType]
    images = torch.from_numpy(np.asarray(pixels, dtype=np.float32)).reshape(-1, 1, 8, 8)  # pyright: ignore[reportUnknownArgumentType]
    labels = torch.from_numpy(np.asarray(target, dtype=np.int64))  # pyright: ignore[reportUnknownArgumentType]
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(_SPLIT_SEED))
    images, labels = images[order], labels[order]
    tests = len(labels) // _TEST_SHARE
    mean, std = images[tests:].mean(), images[tests:].std()
    images = (images - mean) / std
    return DataSet("digits", 10, Split(images[tests:], labels[tests:]), Split(images[:tests], labels[:tests]))


def batches(split: Split, size: int, seed: int, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The images in an order that is a function of (seed, epoch). A last batch of one image is left out, for batch
    statistics need two."""
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(seed * 1_000_003 + epoch))
    for index in pieces(order.to(split.labels.device), size):
        if len(index) > 1:
            yield split.images[index], split.labels[index]


def pieces(tensor: Tensor, size: int) -> tuple[Tensor, ...]:
    """A tensor cut along its first axis, `size` entries each; torch's own method has no type."""
    return cast("tuple[Tensor, ...]", tensor.split(size))  # pyright: ignore[reportUnknownMemberType]


def batch_count(split: Split, size: int) -> int:
    """How many batches `batches` makes."""
    whole, rest = divmod(len(split), size)
    return whole + (rest > 1)


def check_fit(graph: Graph, data: DataSet) -> None:
    """The space takes the data's images and tells its classes apart.

    Raises:
        CompileError: where it does not.
    """
    image = next(node for node in graph.nodes if node.op == "image")
    shape = tuple(data.train.images.shape[1:])
    wanted = (image.shape.channels[0], image.shape.height, image.shape.width)
    if wanted != shape:
        found = ", ".join("?" if isinstance(v, Ref) else text(v) for v in wanted if v is not None)
        message = f"the space takes [{found}] images, and those of `{data.name}` are {list(shape)}"
        hint = f"write `image({shape[0]}, size={shape[1]})`"
        raise CompileError(Diagnostic("E0802", message, image.span, (hint,)))
    output = graph.by_name[graph.output]
    if output.shape.is_map or output.shape.channels != (data.classes,):
        message = f"the space's output is not a vector of the {data.classes} classes of `{data.name}`"
        hint = f"end with `-> global_avg_pool -> linear({data.classes})`"
        raise CompileError(Diagnostic("E0802", message, output.span, (hint,)))
