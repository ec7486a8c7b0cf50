"""Data sets, and batches whose order and augmentation are functions of (seed, epoch) alone."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self, cast

import torch
from torch import Tensor

from nasir.diagnostics import CompileError, Diagnostic
from nasir.ir.distributions import Distributions
from nasir.ir.graph import Graph

TEST_SHARE = 5  # one image in five, where the data name no test images
SPLIT_SEED = 0  # the test set is the same in every run


@dataclass(frozen=True)
class Input:
    """The images that a network takes: [channels, size, size]."""

    channels: int
    size: int


def input_of(graph: Graph) -> Input:
    """What a network takes; what a space takes at the largest of its sizes."""
    image = next(node for node in graph.nodes if node.op == "image")
    channels = image["channels"]
    assert isinstance(channels, int), "an image's channels are a constant"
    return Input(channels, Distributions(graph.decision_map, graph.dim_map).largest(image["size"]))


class Split(ABC):
    """Images with their labels, int64 [N]. Batches are float32 [N, C, H, W], normalised, in channels-last layout: twice
    as fast for depthwise convolutions on a CPU."""

    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    @abstractmethod
    def take(self, index: Tensor) -> Self:
        """Those of the images."""

    @abstractmethod
    def to(self, device: torch.device) -> Self:
        """The same images, their batches on a device."""

    @abstractmethod
    def batches(self, index: Sequence[Tensor], augmentation: int | None) -> Iterator[tuple[Tensor, Tensor]]:
        """A batch for each index. Images are augmented as a function of (augmentation, image), or not at all (None).

        Raises:
            CompileError: where an image cannot be read.
        """


@dataclass(frozen=True)
class DataSet:
    """Training and test images of `classes` classes, normalised by the channels' `mean` and `std`."""

    name: str
    classes: int
    train: Split
    test: Split
    mean: tuple[float, ...]
    std: tuple[float, ...]
    files: str = ""
    """A digest of the files' names: a resumed run must divide the same images."""

    def divided(self, share: float, seed: int) -> tuple[Split, Split]:
        """The training images in two fixed, disjoint parts: `share` of them for the weights, the rest for the
        architecture."""
        order = torch.randperm(len(self.train), generator=torch.Generator().manual_seed(seed))
        first = round(share * len(self.train))
        return self.train.take(order[:first]), self.train.take(order[first:])


def batches(split: Split, size: int, seed: int, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The images, augmented, in an order that is a function of (seed, epoch). A last batch of one image is left out,
    for batch statistics need two."""
    key = seed * 1_000_003 + epoch
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(key))
    return split.batches([index for index in pieces(order, size) if len(index) > 1], key)


def pieces(tensor: Tensor, size: int) -> tuple[Tensor, ...]:
    """A tensor cut along its first axis, `size` entries each; torch's own method has no type."""
    return cast("tuple[Tensor, ...]", tensor.split(size))  # pyright: ignore[reportUnknownMemberType]


def batch_count(split: Split, size: int) -> int:
    """How many batches `batches` makes."""
    whole, rest = divmod(len(split), size)
    return whole + (rest > 1)


def check_classes(graph: Graph, data: DataSet) -> None:
    """The space tells the data's classes apart.

    Raises:
        CompileError: where it does not.
    """
    output = graph.by_name[graph.output]
    if output.shape.is_map or output.shape.channels != (data.classes,):
        message = f"the space's output is not a vector of the {data.classes} classes of `{data.name}`"
        hint = f"end with `-> global_avg_pool -> linear({data.classes})`"
        raise CompileError(Diagnostic("E0802", message, output.span, (hint,)))
