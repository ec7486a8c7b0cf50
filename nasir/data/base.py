"""Data sets, and batches whose order and augmentation are functions of (seed, epoch) alone."""

import math
import random
import signal
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn, Self, cast

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from nasir.data import mistakes
from nasir.data.forms import CLASS, KINDS, Target
from nasir.data.preparation import Preparation
from nasir.diagnostics import CompileError
from nasir.jobs.machine import cores
from nasir.jobs.ranks import Ranks, Share

MOST_WORKERS = 8
TEST_SHARE = 0.2  # where the data name no test images
STRATIFIED = "one image in five of each class is a test image, drawn by seed 0"
SPLIT_SEED = 0  # the test set is the same in every run


class Split(ABC):
    """Inputs with their targets. Batches are float32 [N, C, H, W], [N, C, L] or [N, C], normalised; images in
    channels-last layout: twice as fast for depthwise convolutions on a CPU. Targets are int64 where they are whole."""

    labels: Tensor
    """The inputs' classes, int64 [N]; all 0 where their targets are none."""

    def __len__(self) -> int:
        return len(self.labels)

    @abstractmethod
    def take(self, index: Tensor) -> Self:
        """Those of the images."""

    def file_names(self) -> list[str]:
        """The files of the images, where each has one."""
        return []

    def labelled(self, labels: Tensor) -> Self:
        """The same images with other labels."""
        return cast(Self, replace(cast(Any, self), labels=labels))

    def within(self, least: float, most: float) -> Self:
        """The same inputs, whose targets are checked to be from `least` to `most`."""
        return self

    @abstractmethod
    def to(self, device: torch.device) -> Self:
        """The same images, their batches on a device."""

    @abstractmethod
    def batches(self, index: Sequence[Tensor], augmentation: int | None) -> Iterator[tuple[Tensor, Tensor]]:
        """A batch for each index. Images are augmented as a function of (augmentation, image), or not at all (None).

        Raises:
            CompileError: where an input or a target cannot be read.
        """


@dataclass(frozen=True)
class DataSet:
    """Training and test inputs of `classes` classes, normalised by the channels' `mean` and `std`. There are 0 classes
    where targets are none, or it is not known how many."""

    name: str
    classes: int
    train: Split
    test: Split
    mean: tuple[float, ...]
    std: tuple[float, ...]
    files: str = ""
    """A digest of what the images are (of a folder its files' names, of a user's own data their labels): a resumed run
    must divide the same images."""
    skipped: set[str] | None = None
    """Files that could not be read and were left out; None where such files end the run."""
    names: tuple[str, ...] = ()
    """The classes' names, by their numbers."""
    preparation: Preparation | None = None
    """How a file becomes an input; None where the user's own code makes the inputs."""
    split: str = "as the data have it"
    """How training and test images were told apart."""
    passed_over: Mapping[str, str] = field(default_factory=dict[str, str])
    """Files of the folder that are no images of it, and why."""
    sizes: str = ""
    """Of the inputs, in pixels or steps, as one reads it."""
    rank: int = 2
    """How many sizes an input has."""
    target: Target = CLASS

    @property
    def kind(self) -> str:
        """What its inputs are called."""
        return KINDS[self.rank]

    def within(self, least: float, most: float) -> "DataSet":
        """The same data, whose targets are checked to be from `least` to `most`."""
        return replace(self, train=self.train.within(least, most), test=self.test.within(least, most))

    @property
    def left_out(self) -> list[str]:
        """The files that were left out, sorted."""
        return sorted(self.skipped or ())

    def skip(self, files: Iterable[str]) -> None:
        """Note files that were left out, where any may be.

        Raises:
            CompileError: where a class is left without training images.
        """
        if self.skipped is None:
            return
        self.skipped.update(files)
        names = self.train.file_names() if self.skipped else []
        labels = cast("list[int]", self.train.labels.tolist()) if names else []
        readable = {label for name, label in zip(names, labels, strict=True) if name not in self.skipped}
        lost = [name for name, label in zip(names, labels, strict=True) if label not in readable]
        if lost:
            raise mistakes.broken_class(lost[0])

    def with_classes(self, count: int, seed: int) -> "DataSet":
        """The images of `count` of the classes, drawn by the seed, numbered anew in their order."""
        chosen = sorted(random.Random(seed).sample(range(self.classes), count))
        number = torch.full((self.classes,), -1)
        number[chosen] = torch.arange(count)
        parts: list[Split] = []
        for split in (self.train, self.test):
            kept = (number[split.labels] >= 0).nonzero().flatten()
            part = split.take(kept)
            parts.append(part.labelled(number[part.labels]))
        names = tuple(self.names[one] for one in chosen) if self.names else ()
        return replace(self, classes=count, train=parts[0], test=parts[1], names=names)

    def counts(self) -> list[tuple[str, int, int]]:
        """Of each class its name, its training and its test images; nothing where targets are no classes."""
        if not self.target.is_class:
            return []
        train, test = (torch.bincount(part.labels.cpu(), minlength=self.classes) for part in (self.train, self.test))
        names = self.names or tuple(map(str, range(self.classes)))
        return [(name, int(a), int(b)) for name, a, b in zip(names, train, test, strict=True)]

    def divided(self, share: float, seed: int) -> tuple[Split, Split]:
        """The training images in two fixed, disjoint parts: `share` of them for the weights, the rest for the
        architecture."""
        order = torch.randperm(len(self.train), generator=torch.Generator().manual_seed(seed))
        first = round(share * len(self.train))
        return self.train.take(order[:first]), self.train.take(order[first:])


def stratified(labels: Tensor, share: float, seed: int) -> tuple[Tensor, Tensor]:
    """The numbers of all images in two parts: `share` of each class, rounded, and the rest, each in a random order that
    follows from the seed. The rest has an image of every class; the first part of each that has two."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(labels), generator=generator)
    first: list[Tensor] = []
    second: list[Tensor] = []
    for label in cast("list[int]", torch.unique(labels).tolist()):
        own = order[labels[order] == label]
        count = min(len(own) - 1, max(round(share * len(own)), 1 if len(own) > 1 else 0))
        first.append(own[:count])
        second.append(own[count:])
    return tuple(_shuffled(torch.cat(part), generator) for part in (first, second))  # pyright: ignore[reportReturnType]


def _shuffled(numbers: Tensor, generator: torch.Generator) -> Tensor:
    return numbers[torch.randperm(len(numbers), generator=generator)]


def batches(
    split: Split, size: int, seed: int, epoch: int, ranks: Ranks | None = None, first: int = 0
) -> Iterator[tuple[Tensor, Tensor]]:
    """The images, augmented, in an order that is a function of (seed, epoch): batches of `size` images from the one
    numbered `first` on, of each the rank's share. A last batch of one image is left out, for batch statistics need
    two."""
    key = seed * 1_000_003 + epoch
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(key))
    every = [index for index in pieces(order, size)[first:] if len(index) > 1]
    dealt = shares(len(split), size, ranks or Ranks(), first)
    return split.batches([index[share.start : share.stop] for index, share in zip(every, dealt, strict=True)], key)


def shares(count: int, size: int, ranks: Ranks, first: int = 0) -> list[Share]:
    """The rank's share of each batch of `batches`, of `count` images."""
    sizes = [min(size, count - start) for start in range(first * size, count, size)]
    return [ranks.share(one) for one in sizes if one > 1]


def pieces(tensor: Tensor, size: int) -> tuple[Tensor, ...]:
    """A tensor cut along its first axis, `size` entries each; torch's own method has no type."""
    return cast("tuple[Tensor, ...]", tensor.split(size))  # pyright: ignore[reportUnknownMemberType]


def whole(split: Split, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """All images in their order, not augmented."""
    return split.batches(pieces(torch.arange(len(split)), size), None)


def batch_count(split: Split, size: int) -> int:
    """How many batches `batches` makes in an epoch."""
    whole, rest = divmod(len(split), size)
    return whole * (size > 1) + (rest > 1)


def check_labels(labels: tuple[Tensor, Tensor], where: tuple[str, str], *, all_tested: bool = False) -> int:
    """How many classes there are: the labels of the training images are 0, 1, ... without a gap, those of the test
    images among them (or the same, where `all_tested`). `where` names the two for a user.

    Raises:
        CompileError: where they are not, with the image.
    """
    train, test = (set(cast("list[int]", part.tolist())) for part in labels)
    if not train:
        return 0

    def refuse(part: int, label: int, wrong: str) -> NoReturn:
        at = int((labels[part] == label).nonzero()[0])
        raise mistakes.bad_label(where[part], at, label, wrong)

    for part, present in enumerate((train, test)):
        if present and min(present) < 0:
            refuse(part, min(present), "which is below 0")
        missing = next((label for label in range(max(present, default=-1)) if label not in train), None)
        if missing is not None:
            refuse(part, max(present), f"and no training image has {missing}")
    if test - train:
        refuse(1, max(test), "and no training image has")
    if all_tested and train - test:
        refuse(0, max(train - test), "and no test image has")
    return len(train)


def class_count(text: str, of: int) -> int:
    """`10%` or `100` of `of` classes.

    Raises:
        CompileError: where it is no number of at least two of them.
    """
    share = text.endswith("%")
    try:
        number = float(text[:-1]) / 100 * of if share else int(text)
    except ValueError:
        number = math.nan
    if not 2 <= number <= of:
        wrong = "no number" if math.isnan(number) else "too few" if number < 2 else "too many"
        raise mistakes.bad_class_count(text, wrong, of)
    return round(number)


def loaded(
    items: Dataset[Any],
    index: Sequence[Tensor],
    device: torch.device,
    failed: Callable[[str], CompileError],
    **options: Any,
) -> Iterator[Any]:
    """The items of each index, collated, made by worker processes.

    Raises:
        CompileError: `failed` of the reason, where a worker fails, whatever it is that fails.
    """
    loader: DataLoader[Any] = DataLoader(
        items,
        batch_sampler=[one.tolist() for one in index],
        num_workers=workers(),
        pin_memory=device.type == "cuda",
        generator=torch.Generator(),  # the loader draws a seed that nothing here uses: not from the global one
        **options,
    )
    made: Any = None
    try:
        with _signals_held():
            made = iter(loader)
        yield from made
    except Exception as error:  # whatever a user's code raises, or ends a worker
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        raise failed(reason) from error
    finally:
        # Python ends what is left of them with a SIGTERM, which they do not get, and waits.
        if made is not None and hasattr(made, "_shutdown_workers"):
            made._shutdown_workers()


def workers() -> int:
    """Processes that make images: one a core that this process may use, up to a limit."""
    return min(MOST_WORKERS, cores())


@contextmanager
def _signals_held() -> Generator[None]:
    """Processes that begin here get no SIGINT and no SIGTERM, and this one gets them after. A signal to all of them
    (Ctrl-C, a job scheduler's or torchrun's SIGTERM) is the main process's: that saves, and ends its workers. A worker
    that died of it would be an error there."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
