"""`python:module:function`: the user's own data sets, any map-style torch.utils.data.Dataset."""

import hashlib
import random
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from nasir.data import mistakes
from nasir.data.base import SPLIT_SEED, DataSet, Split, check_labels, loaded
from nasir.data.forms import CLASS, KINDS, Input, Shape, Target, shape_words, written
from nasir.data.memory import resized, resized_targets
from nasir.named import PYTHON, NotNamed, named, told

_IGNORED = -100  # of whole numbers, as torch's losses have it


def load_own(rest: str, input: Input | None, skip: bool = False) -> DataSet:
    """What `module.function()` returns: a training and a test set, each of `(input, target)` by index, or of inputs
    alone; or each an array of inputs, or two arrays or lists, of inputs and targets. Inputs are float32 as the network
    is to see them: [C, H, W], [C, L] or [C]. Targets are classes from 0, or numbers of one shape; where there are none,
    the input is its own. An attribute `targets` (torchvision's name) saves reading every input for its class. The
    module is the current folder's, else an installed one; or it is a file, `my_data.py:load`.

    Raises:
        CompileError: where there is no such function, or what it returns is no such pair.
    """
    module_name, _, name = rest.rpartition(":")
    try:
        with _seeded(SPLIT_SEED):  # what is random in it is the same on every rank, and after a resume
            train, test = map(_items, named(rest)())
        sizes = len(train), len(test)
    except NotNamed as error:
        raise mistakes.no_function(rest, error) from None
    except (Exception, SystemExit) as error:  # whatever the user's code raises
        raise mistakes.no_pair(name, module_name, _told(error)) from error
    sets: list[OwnSplit] = []
    for one, size in zip((train, test), sizes, strict=True):
        target, labels = _targets(one, size, rest, input)
        sets.append(OwnSplit(rest, one, np.arange(size), labels, input, torch.device("cpu"), target))
    target, tested = (one.target for one in sets)
    if all(sizes) and target != tested:
        raise mistakes.other_targets(rest, str(target), str(tested))
    where = f"the training set of `{rest}`", f"the test set of `{rest}`"
    classes = check_labels((sets[0].labels, sets[1].labels), where) if target.is_class else 0
    digest = hashlib.sha256(b"".join(one.labels.numpy().tobytes() for one in sets))
    for one in (train, test):
        digest.update(one.digest() if isinstance(one, _Arrays) else b"")
    names = _names(train, classes) if target.is_class else _names(train, None)
    rank = input.rank if input else 2
    files = digest.hexdigest()
    return DataSet(f"{PYTHON}{rest}", classes, sets[0], sets[1], (), (), files, names=names, rank=rank, target=target)


class _Arrays(Dataset[tuple[Tensor, ...]]):
    """Arrays or tensors as a data set: inputs, with or without targets."""

    def __init__(self, inputs: Any, targets: Any = None) -> None:
        self._inputs, found = torch.as_tensor(inputs), None if targets is None else torch.as_tensor(targets)
        if self._inputs.dim() < 2:
            raise ValueError(f"an array of inputs is [N, ...], and one is {[*self._inputs.shape]}")
        if self._inputs.is_floating_point():
            self._inputs = self._inputs.float()
        if found is not None:
            if len(found) != len(self._inputs):
                raise ValueError(f"there are {len(self._inputs)} inputs and {len(found)} targets")
            self.targets = found.float() if found.is_floating_point() else found.to(torch.int64)

    def __len__(self) -> int:
        return len(self._inputs)

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        found = getattr(self, "targets", None)
        return (self._inputs[index],) if found is None else (self._inputs[index], found[index])

    def digest(self) -> bytes:
        """Of all numbers."""
        found = (self._inputs, getattr(self, "targets", None))
        return b"".join(one.contiguous().numpy().tobytes() for one in found if one is not None)


def _items(found: Any) -> Any:
    """One part of what a user's function gives, as a data set."""
    if isinstance(found, (Tensor, np.ndarray)):
        return _Arrays(found)  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(found, tuple) and all(isinstance(one, (Tensor, np.ndarray)) for one in cast("Any", found)):
        return _Arrays(*cast("Any", found))
    if isinstance(found, tuple) and [*map(type, cast("Any", found))] == [list, list]:
        inputs, targets = cast("tuple[list[Any], list[Any]]", found)
        return _Arrays(torch.stack([*map(torch.as_tensor, inputs)]), torch.as_tensor(np.array(targets)))
    return cast("Any", found)


def _names(dataset: Any, count: int | None) -> tuple[str, ...]:
    """The classes' names, where the data set has so many (or any, where None) as torchvision's do; else their
    numbers."""
    found = getattr(dataset, "classes", None)
    named = isinstance(found, (list, tuple)) and count in {None, len(found)}  # pyright: ignore[reportUnknownArgumentType]
    return tuple(map(str, cast("list[Any]", found) if named else range(count or 0)))


def _told(error: BaseException) -> str:
    return told(error, __file__)


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


def _targets(dataset: Any, size: int, name: str, input: Input | None) -> tuple[Target, Tensor]:
    """What is to be told of an input, and the inputs' classes, all 0 where that is none."""
    none = torch.zeros(size, dtype=torch.int64)
    found = getattr(dataset, "targets", None)
    if not size:
        return CLASS, none
    try:
        if found is not None:
            every = torch.as_tensor(found)
            if len(every) != size:
                raise TypeError(f"there are {len(every)} targets of {size} items")
            target = Target(tuple(every.shape[1:]), not every.is_floating_point())
            if target.is_class:
                return target, every.to(torch.int64)
    except Exception as error:  # whatever the user's code raises
        raise mistakes.unreadable_labels(name, _told(error)) from error
    one, first = _first(dataset)
    if first is None:
        return Target((one.shape[0], *input.sizes) if input else tuple(one.shape), whole=False, itself=True), none
    try:
        label = torch.as_tensor(first)
        target = Target(tuple(label.shape), not label.is_floating_point())
        if not target.is_class:
            sizes = input.sizes if input else ()
            return target.resized(tuple(one.shape[1:]), sizes), none
        every = torch.as_tensor([_parts(dataset[i])[1] for i in range(size)])
        if every.shape != (size,) or every.is_floating_point():
            raise TypeError(f"labels are whole numbers, one an input, not {every.dtype} of shape {[*every.shape]}")
        return target, every.to(torch.int64)
    except Exception as error:  # whatever the user's code raises
        raise mistakes.unreadable_labels(name, _told(error)) from error


def _first(dataset: Any) -> tuple[Tensor, Any]:
    """The first item's input and target."""
    try:
        with _seeded(SPLIT_SEED):
            one, target = _parts(dataset[0])
            return torch.as_tensor(one), target
    except (Exception, SystemExit) as error:  # whatever the user's code raises
        raise mistakes.failed_item(" ".join(f"item 0: {_told(error)}".split())) from error


def _parts(item: Any) -> tuple[Any, Any]:
    """The input and the target of an item; None where it has no target."""
    if not isinstance(item, (tuple, list)):
        return item, None
    parts = cast("Sequence[Any]", item)
    return parts[0], parts[1] if len(parts) > 1 else None


@dataclass(frozen=True)
class OwnSplit(Split):
    """Some items of a user's data set; images and signals are resized where the network takes another size."""

    name: str
    dataset: Any
    items: NDArray[np.int64]
    labels: Tensor
    input: Input | None
    device: torch.device
    target: Target
    limits: tuple[float, float] | None = None
    """Of the numbers of a target."""

    def take(self, index: Tensor) -> "OwnSplit":
        return replace(self, items=self.items[index.numpy()], labels=self.labels[index])

    def within(self, least: float, most: float) -> "OwnSplit":
        return replace(self, limits=(least, most))

    def to(self, device: torch.device) -> "OwnSplit":
        return replace(self, device=device)

    def batches(self, index: Sequence[Tensor], augmentation: int | None) -> Iterator[tuple[Tensor, Tensor]]:
        asked = not (self.target.is_class or self.target.itself)
        items = _Seeded(self.dataset, self.items, augmentation, asked)
        for one, batch in zip(
            index, loaded(items, index, self.device, mistakes.failed_item, collate_fn=_stacked), strict=True
        ):
            if isinstance(batch, _Different):
                raise mistakes.different_shapes(self.name, batch.what, batch.shapes)
            found, targets = batch
            inputs = self._checked(found.to(self.device, non_blocking=True))
            wrong = (~torch.isfinite(inputs)).flatten(1).any(1).nonzero()
            if len(wrong):
                what = KINDS[inputs.dim() - 2].removesuffix("s")
                raise mistakes.infinite_pixels(what, self.items[one[wrong[0, 0].cpu()]])
            if self.target.is_class:
                yield inputs, self.labels[one].to(self.device)
            elif targets is None:
                yield inputs, inputs
            else:
                yield inputs, self._targets(one, targets, tuple(found.shape[2:])).to(self.device, non_blocking=True)

    def _targets(self, index: Tensor, targets: Tensor, found: Shape) -> Tensor:
        """The targets of a batch, at the size of the inputs, in the range that the loss takes."""
        targets = targets.float() if targets.is_floating_point() else targets.to(torch.int64)
        if not bool(torch.isfinite(targets).all()):
            at = (~torch.isfinite(targets)).reshape(len(targets), -1).any(1).nonzero()[0, 0]
            raise mistakes.infinite_pixels("target", self.items[index[at]])
        if self.limits is not None:
            least, most = self.limits
            wrong = (targets < least) & ~((targets == _IGNORED) & self.target.whole) | (targets > most)
            if bool(wrong.any()):
                at = wrong.reshape(len(wrong), -1).any(1).nonzero()[0, 0]
                value = targets[wrong][0].item()
                raise mistakes.target_out_of_range(self.name, self.items[index[at]], value, least, most)
        return resized_targets(targets, found, self.input.sizes if self.input else ())

    def _checked(self, inputs: Tensor) -> Tensor:
        rank = self.input.rank if self.input else min(max(inputs.dim() - 2, 0), 2)
        wanted = self.input and self.input.channels
        fits = inputs.dim() == 2 + rank and (wanted is None or inputs.shape[1] == wanted) and inputs.numel() > 0
        fits = fits and inputs.layout == torch.strided
        if not fits or inputs.dtype != torch.float32:
            shape = tuple(inputs.shape[1:])
            right = written(shape) if not fits and 1 <= len(shape) <= 3 else ""
            raise mistakes.other_form(KINDS[rank], inputs.dtype, shape, shape_words(wanted, rank), right)
        return resized(inputs, self.input.sizes if self.input else ())


@dataclass(frozen=True)
class _Different:
    """What a worker hands back of a batch whose inputs or targets differ in shape."""

    what: str
    shapes: str


def _stacked(items: "Sequence[tuple[int, Tensor, Tensor | None]]") -> tuple[Tensor, Tensor | None] | _Different:
    """The inputs of a batch, and their targets; where they differ in shape, which do."""
    number, *first = items[0]
    for other, *found in items:
        for what, a, b in zip(("inputs", "targets"), first, found, strict=True):
            if a is not None and b is not None and a.shape != b.shape:
                return _Different(what, f"item {number} is {[*a.shape]}, item {other} {[*b.shape]}")
    targets = [target for _, _, target in items if target is not None]
    return torch.stack([one for _, one, _ in items]), torch.stack(targets) if targets else None


class _Seeded(Dataset[tuple[int, Tensor, Tensor | None]]):
    """The items; what is random in them is a function of (augmentation, item), whatever worker makes them."""

    def __init__(self, dataset: Any, items: NDArray[np.int64], augmentation: int | None, targets: bool) -> None:
        self._dataset = dataset
        self._items = items
        self._augmentation = augmentation
        self._targets = targets

    def __getitem__(self, index: int) -> tuple[int, Tensor, Tensor | None]:
        """The item's number, its input, and its target where targets are asked for."""
        item = int(self._items[index])
        seed = int(np.random.default_rng((self._augmentation or 0, item)).integers(2**31))
        with _seeded(seed):
            try:
                one, target = _parts(self._dataset[item])
                return item, torch.as_tensor(one).detach(), torch.as_tensor(target).detach() if self._targets else None
            except (Exception, SystemExit) as error:  # whatever the user's code raises: a worker tells its text alone
                raise RuntimeError(" ".join(f"item {item}: {_told(error)}".split())) from None
