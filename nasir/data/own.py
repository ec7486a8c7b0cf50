"""`python:module:function`: the user's own data sets, any map-style torch.utils.data.Dataset."""

import hashlib
import importlib
import os
import random
import sys
import traceback
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from nasir.data import mistakes
from nasir.data.base import SPLIT_SEED, DataSet, Input, Split, check_labels, loaded
from nasir.data.memory import resized


def load_own(rest: str, input: Input | None, skip: bool = False) -> DataSet:
    """What `module.function()` returns: a training and a test set, each of `(image, label)` by index, the image a float
    tensor [C, H, W] as the network is to see it, the label an integer from 0. An attribute `targets` (torchvision's
    name) saves reading every image for its label. The module is the current folder's, else an installed one.

    Raises:
        CompileError: where there is no such function, or what it returns is no such pair.
    """
    module_name, _, name = rest.partition(":")
    if not (module_name and name):
        raise mistakes.no_function(rest)
    try:
        with _seeded(SPLIT_SEED):  # what is random in it is the same on every rank, and after a resume
            train, test = getattr(_module(module_name), name)()
        sizes = len(train), len(test)
    except (Exception, SystemExit) as error:  # whatever the user's code raises
        raise mistakes.no_pair(name, module_name, _told(error)) from error
    sets = [
        OwnSplit(rest, one, np.arange(size), _labels(one, size, rest), input, torch.device("cpu"))
        for one, size in zip((train, test), sizes, strict=True)
    ]
    where = f"the training set of `{rest}`", f"the test set of `{rest}`"
    classes = check_labels((sets[0].labels, sets[1].labels), where)
    digest = hashlib.sha256(b"".join(one.labels.numpy().tobytes() for one in sets)).hexdigest()
    return DataSet(f"python:{rest}", classes, sets[0], sets[1], (), (), digest, names=_names(train, classes))


def _names(dataset: Any, count: int) -> tuple[str, ...]:
    """The classes' names, where the data set has them as torchvision's do; else their numbers."""
    found = getattr(dataset, "classes", None)
    named = isinstance(found, (list, tuple)) and len(found) == count  # pyright: ignore[reportUnknownArgumentType]
    return tuple(map(str, cast("list[Any]", found) if named else range(count)))


def _module(name: str) -> ModuleType:
    """The module that the user named. The current folder comes last among those that Python looks in for modules, so
    that no file of it stands in for one that nobody named; but what is named is looked for here first."""
    here = os.getcwd()
    if here not in sys.path:
        sys.path.append(here)
    top = name.partition(".")[0]
    if top not in sys.modules and (spec := PathFinder.find_spec(top, [here])) is not None and spec.loader is not None:
        module = module_from_spec(spec)
        sys.modules[top] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[top]
            raise
    return importlib.import_module(name)


def _told(error: BaseException) -> str:
    """An error of the user's code, and the last line of theirs on the way to it."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != __file__]
    theirs = [f for f in frames if not f.filename.startswith("<") and "site-packages" not in Path(f.filename).parts]
    where = f" ({theirs[-1].filename}, line {theirs[-1].lineno})" if theirs else ""
    return f"{type(error).__name__}: {error}{where}"


@contextmanager
def _seeded(seed: int) -> Generator[None]:
    """Python's, numpy's and torch's random numbers from a seed on, and as they were after."""
    states = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=()):
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])


def _labels(dataset: Any, size: int, name: str) -> Tensor:
    if not size:
        return torch.zeros(0, dtype=torch.int64)
    try:
        found = getattr(dataset, "targets", None)
        every = [dataset[i][1] for i in range(size)] if found is None else found
        labels = torch.as_tensor(every)
        if labels.shape != (size,) or labels.is_floating_point():
            raise TypeError(f"labels are whole numbers, one an image, not {labels.dtype} of shape {[*labels.shape]}")
    except Exception as error:  # whatever the user's code raises
        raise mistakes.unreadable_labels(name, _told(error)) from error
    return labels.to(torch.int64)


@dataclass(frozen=True)
class OwnSplit(Split):
    """Some items of a user's data set; images are resized where the network takes another size."""

    name: str
    dataset: Any
    items: NDArray[np.int64]
    labels: Tensor
    input: Input | None
    device: torch.device

    def take(self, index: Tensor) -> "OwnSplit":
        return replace(self, items=self.items[index.numpy()], labels=self.labels[index])

    def to(self, device: torch.device) -> "OwnSplit":
        return replace(self, device=device)

    def batches(self, index: Sequence[Tensor], augmentation: int | None) -> Iterator[tuple[Tensor, Tensor]]:
        items = _Seeded(self.dataset, self.items, augmentation)
        for one, images in zip(
            index, loaded(items, index, self.device, mistakes.failed_item, collate_fn=_stacked), strict=True
        ):
            if isinstance(images, str):
                raise mistakes.different_shapes(self.name, images)
            checked = self._checked(images.to(self.device, non_blocking=True))
            wrong = (~torch.isfinite(checked)).flatten(1).any(1).nonzero()
            if len(wrong):
                raise mistakes.infinite_pixels(self.items[one[wrong[0, 0].cpu()]])
            yield checked, self.labels[one].to(self.device)

    def _checked(self, images: Tensor) -> Tensor:
        wanted = self.input and self.input.channels
        fits = images.dim() == 4 and (wanted is None or images.shape[1] == wanted) and images.numel() > 0
        fits = fits and images.layout == torch.strided
        if not fits or images.dtype != torch.float32:
            raise mistakes.other_form(images.dtype, images.shape[1:], f"[{wanted or 'channels'}, H, W]")
        return resized(images, self.input and self.input.size)


def _stacked(items: Sequence[tuple[int, Tensor]]) -> Tensor | str:
    """The images of a batch; where they differ in shape, which do, as text."""
    (number, first), *others = items
    for other, image in others:
        if image.shape != first.shape:
            return f"item {number} is {[*first.shape]}, item {other} {[*image.shape]}"
    return torch.stack([image for _, image in items])


class _Seeded(Dataset[tuple[int, Tensor]]):
    """The images; what is random in them is a function of (augmentation, image), whatever worker makes them."""

    def __init__(self, dataset: Any, items: NDArray[np.int64], augmentation: int | None) -> None:
        self._dataset = dataset
        self._items = items
        self._augmentation = augmentation

    def __getitem__(self, index: int) -> tuple[int, Tensor]:
        """The item's number and its image."""
        item = int(self._items[index])
        seed = int(np.random.default_rng((self._augmentation or 0, item)).integers(2**31))
        with _seeded(seed):
            try:
                return item, torch.as_tensor(self._dataset[item][0]).detach()
            except (Exception, SystemExit) as error:  # whatever the user's code raises: a worker tells its text alone
                raise RuntimeError(" ".join(f"item {item}: {_told(error)}".split())) from None
