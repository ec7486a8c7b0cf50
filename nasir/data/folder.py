"""`folder:DIR`: images or recordings in class folders, as ImageNet has them, decoded in worker processes."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from nasir.data import images, mistakes, recordings
from nasir.data.base import SPLIT_SEED, STRATIFIED, TEST_SHARE, DataSet, Split, loaded, stratified
from nasir.data.forms import Input
from nasir.data.preparation import Preparation

_CLUTTER = frozenset(("__macosx", "thumbs.db", "desktop.ini", "lost+found"))
"""Names that systems leave behind; those that begin with a dot are theirs too."""
_DEFAULT = Input(3, (224, 224))
_TRIES = 100  # of images that follow a broken one


def load_folder(path: str, input: Input | None, skip: bool = False) -> DataSet:
    """`DIR/train/CLASS/*` and `DIR/val/CLASS/*`; or `DIR/CLASS/*`, of which one file in five of each class is a test
    input. A network of signals takes recordings, one of images takes images. With `skip`, files that cannot be read
    are left out and noted.

    Raises:
        CompileError: where there is no such folder, a class has no files, or the two parts differ in their classes.
    """
    root = Path(path)
    if not path or not os.path.isdir(root):
        raise mistakes.no_data_folder(path, "folder", "a folder for each class")
    input = input or _DEFAULT
    if not input.rank:
        raise mistakes.vectors_of_a_folder(input.shape)
    kind = recordings if input.rank == 1 else images
    kind.check(input)
    walk = _Walk(root, kind.ENDINGS)
    classes, (files, labels), (test_files, test_labels), split = _divided(walk)
    preparation, sizes = kind.prepare([*files, *test_files], input)
    skipped: set[str] | None = set() if skip else None
    listed = "\n".join(sorted(os.path.relpath(file, root) for file in (*files, *test_files)))
    digest = hashlib.sha256(listed.encode("utf-8", "surrogateescape")).hexdigest()
    parts = [
        FolderSplit(np.array(some), torch.tensor(numbers), preparation, torch.device("cpu"), skipped)
        for some, numbers in ((files, labels), (test_files, test_labels))
    ]
    return DataSet(
        f"folder:{root.name}",
        len(classes),
        parts[0],
        parts[1],
        preparation.mean,
        preparation.std,
        digest,
        skipped,
        tuple(classes),
        preparation,
        split,
        {os.path.relpath(file, root): why for file, why in walk.passed_over.items()},
        sizes,
        input.rank,
    )


Files = tuple[list[str], list[int]]
"""Files and their labels."""


@dataclass(frozen=True)
class _Walk:
    """A folder whose files of some endings are looked for; what else lies there is noted, with why."""

    root: Path
    endings: frozenset[str]
    passed_over: dict[str, str] = field(default_factory=dict[str, str])


def _divided(walk: _Walk) -> tuple[list[str], Files, Files, str]:
    """The classes, the training and the test files, and how they were told apart."""
    root = walk.root
    training, tests = (_part(root, names) for names in (_TRAINING, _TESTS))
    if training is not None and tests is not None:
        classes, files, labels = _scan(training, walk)
        others, test_files, test_labels = _scan(tests, walk)
        if classes != others:
            raise mistakes.parts_apart(training, tests, sorted({*classes} ^ {*others})[:4])
        beside = (e for e in os.scandir(root) if not _is_clutter(e.name) and e.name not in {training.name, tests.name})
        walk.passed_over.update((entry.path, "it is in neither of the two parts") for entry in beside)
        split = f"as the folders `{training.name}` and `{tests.name}` have it"
        return classes, (files, labels), (test_files, test_labels), split
    if alone := training or tests:
        raise mistakes.one_part(alone, _TRAINING, _TESTS)
    classes, every, every_labels = _scan(root, walk)
    test, train = stratified(torch.tensor(every_labels), TEST_SHARE, SPLIT_SEED)
    return classes, _chosen(every, every_labels, train), _chosen(every, every_labels, test), STRATIFIED


def _chosen(files: Sequence[str], labels: Sequence[int], numbers: Tensor) -> Files:
    chosen = cast("list[int]", numbers.tolist())
    return [files[i] for i in chosen], [labels[i] for i in chosen]


_TRAINING, _TESTS = ("train", "training"), ("val", "valid", "validation", "test", "testing")


def _part(root: Path, names: Sequence[str]) -> Path | None:
    """The folder of the first of these names, in whatever case."""
    found = {entry.name.lower(): root / entry.name for entry in os.scandir(root) if entry.is_dir()}
    return next((found[name] for name in names if name in found), None)


def _is_clutter(name: str) -> bool:
    return name.startswith(".") or name.lower() in _CLUTTER


def _scan(root: Path, walk: _Walk) -> tuple[list[str], list[str], list[int]]:
    """The classes, and their files with their labels, in the order of their names; what else lies there is noted."""
    entries = sorted(os.scandir(root), key=lambda entry: entry.name)
    folders = [entry for entry in entries if not _is_clutter(entry.name)]
    walk.passed_over.update((e.path, "it is in no class's folder") for e in folders if not e.is_dir())
    classes = [entry.name for entry in folders if entry.is_dir()]
    if len(classes) < 2:
        raise mistakes.too_few_classes(root, len(classes))
    files: list[str] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        found = sorted(_found(root / name, walk))
        if not found:
            raise mistakes.empty_class(root / name, sorted(walk.endings))
        files += found
        labels += [label] * len(found)
    return classes, files, labels


def _found(root: str | Path, walk: _Walk, around: frozenset[str] = frozenset()) -> Iterator[str]:
    """The files of a class, in its folder and in folders within, but for the folders `around`. A link that leads
    nowhere counts as one, and cannot be read."""
    around |= {os.path.realpath(root)}
    for entry in os.scandir(root):
        if _is_clutter(entry.name):
            continue
        if entry.is_dir():
            if os.path.realpath(entry) not in around:
                yield from _found(entry.path, walk, around)
        elif Path(entry.name).suffix.lower() not in walk.endings:
            walk.passed_over[entry.path] = f"its name ends in none of {', '.join(sorted(walk.endings))}"
        elif entry.is_file() or not os.path.exists(entry):
            yield entry.path
        else:
            walk.passed_over[entry.path] = "it is no regular file"


@dataclass(frozen=True)
class FolderSplit(Split):
    """Files, decoded batch by batch; what they become is a function of (file, augmentation) alone."""

    files: NDArray[np.str_]
    labels: Tensor
    preparation: Preparation
    device: torch.device
    skipped: set[str] | None
    """Where files that cannot be read are noted; None where they end the run."""

    def take(self, index: Tensor) -> "FolderSplit":
        return replace(self, files=self.files[index.numpy()], labels=self.labels[index])

    def to(self, device: torch.device) -> "FolderSplit":
        return replace(self, device=device)

    def file_names(self) -> list[str]:
        return cast("list[str]", self.files.tolist())

    def batches(self, index: Sequence[Tensor], augmentation: int | None) -> Iterator[tuple[Tensor, Tensor]]:
        files = _Files(self.files, self.preparation, augmentation, self.skipped is not None)
        for found, taken, broken, lost in loaded(files, index, self.device, mistakes.failed_worker, collate_fn=_stack):
            self._note(broken, lost)
            if not len(taken):
                continue
            inputs = self.preparation.normalised(found.to(self.device, non_blocking=True))
            yield inputs, self.labels[taken].to(self.device)

    def _note(self, broken: "Sequence[Broken]", lost: bool) -> None:
        if not broken:
            return
        if self.skipped is None:
            hint = "replace it and go on with `--resume`, or leave such files out with `--resume --skip-broken`"
            raise mistakes.broken_image(broken[0].file, broken[0].reason, hint)
        if lost:
            raise mistakes.broken_images(broken[0].file, _TRIES, broken[0].reason)
        self.skipped.update(one.file for one in broken)


@dataclass(frozen=True)
class Broken:
    """What a worker hands back for a file that it cannot read."""

    file: str
    reason: str


@dataclass(frozen=True)
class Decoded:
    """What a worker hands back: what a file holds, the index it has, and what was skipped on the way to it. Nothing
    where no file was found."""

    found: NDArray[Any] | None
    index: int
    broken: tuple[Broken, ...] = ()
    lost: bool = False
    """There is none that can be read among as many files as are tried."""


class _Files(Dataset[Decoded]):
    """Where broken files are skipped, a training image is replaced by the next one that can be read, so that batches
    keep their size; a test image is left out."""

    def __init__(self, files: NDArray[np.str_], preparation: Preparation, augmentation: int | None, skip: bool) -> None:
        self._files = files
        self._preparation = preparation
        self._augmentation = augmentation
        self._tries = _TRIES if skip and augmentation is not None else 1

    def __getitem__(self, index: int) -> Decoded:
        broken: list[Broken] = []
        for at in range(index, index + self._tries):
            found = self._decoded(at % len(self._files))
            if not isinstance(found, Broken):
                return Decoded(found, at % len(self._files), tuple(broken))
            broken.append(found)
        return Decoded(None, index, tuple(broken), lost=self._tries > 1)

    def _decoded(self, index: int) -> NDArray[Any] | Broken:
        file = str(self._files[index])
        draw = None if self._augmentation is None else np.random.default_rng((self._augmentation, index))
        try:
            return self._preparation.read(file, draw)
        except Exception as error:  # whatever a damaged file makes a decoder raise
            return Broken(file, str(error) or type(error).__name__)


def _stack(items: Sequence[Decoded]) -> tuple[Tensor, Tensor, list[Broken], bool]:
    """What the files of a batch hold, their indices, the files that were broken, and whether the search for another was
    in vain for one of them."""
    found = [item.found for item in items if item.found is not None]
    taken = torch.tensor([item.index for item in items if item.found is not None], dtype=torch.int64)
    broken = [one for item in items for one in item.broken]
    lost = any(item.lost for item in items)
    return torch.from_numpy(np.stack(found)) if found else torch.empty(0), taken, broken, lost
