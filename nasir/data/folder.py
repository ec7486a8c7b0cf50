"""`folder:DIR`: images in class folders, as ImageNet has them, decoded by Pillow in worker processes."""

import hashlib
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from torch.utils.data import Dataset

from nasir.data import mistakes
from nasir.data.base import SPLIT_SEED, STRATIFIED, TEST_SHARE, DataSet, Input, Split, loaded, stratified
from nasir.data.preparation import FORMATS, Preparation, is_deep

_ENDINGS = frozenset((".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm", ".pgm", ".pbm", ".tif", ".tiff", ".gif"))
_CLUTTER = frozenset(("__macosx", "thumbs.db", "desktop.ini", "lost+found"))
"""Names that systems leave behind; those that begin with a dot are theirs too."""
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, as torchvision's recipes have them
_CENTRE = 0.875  # a test image is its middle: 224 of 256 pixels
_AREA, _RATIO = (0.08, 1.0), (3 / 4, 4 / 3)  # a training image is a random part (Szegedy et al., 2015), or its mirror
_DEFAULT = Input(3, 224)
_TRIES = 100  # of images that follow a broken one
_LOOKED_AT = 64  # files, for the sizes and the depth of the images


def load_folder(path: str, input: Input | None, skip: bool = False) -> DataSet:
    """`DIR/train/CLASS/*` and `DIR/val/CLASS/*`; or `DIR/CLASS/*`, of which one image in five of each class is a test
    image. With `skip`, files that cannot be read are left out and noted.

    Raises:
        CompileError: where there is no such folder, a class has no images, or the two parts differ in their classes.
    """
    root = Path(path)
    if not path or not os.path.isdir(root):
        raise mistakes.no_data_folder(path, "folder", "a folder for each class")
    input = input or _DEFAULT
    if input.channels not in {1, 3}:
        raise mistakes.other_channels(input.channels, "1 or 3", "write `image(3, size=...)`")
    skipped: set[str] | None = set() if skip else None
    passed_over: dict[str, str] = {}
    classes, (files, labels), (test_files, test_labels), split = _divided(root, passed_over)
    sizes, bits = _look_at([*files, *test_files])
    mean, std = _normalisation(input.channels)
    preparation = Preparation(input.channels, input.size, input.size, mean, std, _CENTRE, bits)
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
        mean,
        std,
        digest,
        skipped,
        tuple(classes),
        preparation,
        split,
        {os.path.relpath(file, root): why for file, why in passed_over.items()},
        sizes,
    )


Files = tuple[list[str], list[int]]
"""Image files and their labels."""


def _divided(root: Path, passed_over: dict[str, str]) -> tuple[list[str], Files, Files, str]:
    """The classes, the training and the test images, and how they were told apart."""
    training, tests = (_part(root, names) for names in (_TRAINING, _TESTS))
    if training is not None and tests is not None:
        classes, files, labels = _scan(training, passed_over)
        others, test_files, test_labels = _scan(tests, passed_over)
        if classes != others:
            raise mistakes.parts_apart(training, tests, sorted({*classes} ^ {*others})[:4])
        beside = (e for e in os.scandir(root) if not _is_clutter(e.name) and e.name not in {training.name, tests.name})
        passed_over.update((entry.path, "it is in neither of the two parts") for entry in beside)
        split = f"as the folders `{training.name}` and `{tests.name}` have it"
        return classes, (files, labels), (test_files, test_labels), split
    if alone := training or tests:
        raise mistakes.one_part(alone, _TRAINING, _TESTS)
    classes, every, every_labels = _scan(root, passed_over)
    test, train = stratified(torch.tensor(every_labels), TEST_SHARE, SPLIT_SEED)
    return classes, _chosen(every, every_labels, train), _chosen(every, every_labels, test), STRATIFIED


def _chosen(files: Sequence[str], labels: Sequence[int], numbers: Tensor) -> Files:
    chosen = cast("list[int]", numbers.tolist())
    return [files[i] for i in chosen], [labels[i] for i in chosen]


def _normalisation(channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if channels == 3:
        return _MEAN, _STD
    return (sum(_MEAN) / 3,), (sum(_STD) / 3,)


_TRAINING, _TESTS = ("train", "training"), ("val", "valid", "validation", "test", "testing")


def _part(root: Path, names: Sequence[str]) -> Path | None:
    """The folder of the first of these names, in whatever case."""
    found = {entry.name.lower(): root / entry.name for entry in os.scandir(root) if entry.is_dir()}
    return next((found[name] for name in names if name in found), None)


def _is_clutter(name: str) -> bool:
    return name.startswith(".") or name.lower() in _CLUTTER


def _scan(root: Path, passed_over: dict[str, str]) -> tuple[list[str], list[str], list[int]]:
    """The classes, and their images with their labels, in the order of their names; what else lies there is noted."""
    entries = sorted(os.scandir(root), key=lambda entry: entry.name)
    folders = [entry for entry in entries if not _is_clutter(entry.name)]
    passed_over.update((e.path, "it is in no class's folder") for e in folders if not e.is_dir())
    classes = [entry.name for entry in folders if entry.is_dir()]
    if len(classes) < 2:
        raise mistakes.too_few_classes(root, len(classes))
    files: list[str] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        found = sorted(_images(root / name, passed_over))
        if not found:
            raise mistakes.empty_class(root / name, sorted(_ENDINGS))
        files += found
        labels += [label] * len(found)
    return classes, files, labels


def _images(root: str | Path, passed_over: dict[str, str], around: frozenset[str] = frozenset()) -> Iterator[str]:
    """The image files of a class, in its folder and in folders within, but for the folders `around`. A link that leads
    nowhere counts as one, and cannot be read."""
    around |= {os.path.realpath(root)}
    for entry in os.scandir(root):
        if _is_clutter(entry.name):
            continue
        if entry.is_dir():
            if os.path.realpath(entry) not in around:
                yield from _images(entry.path, passed_over, around)
        elif Path(entry.name).suffix.lower() not in _ENDINGS:
            passed_over[entry.path] = f"its name ends in none of {', '.join(sorted(_ENDINGS))}"
        elif entry.is_file() or not os.path.exists(entry):
            yield entry.path
        else:
            passed_over[entry.path] = "it is no regular file"


def _look_at(files: Sequence[str]) -> tuple[str, int]:
    """The sizes of some of the images, and of those of sixteen bits a channel how many of them say something: a camera
    of twelve bits leaves the upper four at 0."""
    step = max(1, len(files) // _LOOKED_AT)
    sizes: list[tuple[int, int]] = []
    deepest = 0
    for file in files[::step][:_LOOKED_AT]:
        try:
            with Image.open(file, formats=FORMATS) as image:
                sizes.append(image.size)
                if is_deep(image):
                    deepest = max(deepest, int(np.asarray(image).max()).bit_length())
        except Exception:  # it is said where the image is read
            continue
    bits = next((bits for bits in (8, 10, 12, 14) if 0 < deepest <= bits), 16)
    if not sizes:
        return "", bits
    small, large = (f"{f(w for w, _ in sizes)} x {f(h for _, h in sizes)}" for f in (min, max))
    return small if small == large else f"{small} to {large}", bits


@dataclass(frozen=True)
class FolderSplit(Split):
    """Image files, decoded batch by batch; what they become is a function of (file, augmentation) alone."""

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
        for pixels, taken, broken, lost in loaded(files, index, self.device, mistakes.failed_worker, collate_fn=_stack):
            self._note(broken, lost)
            if not len(taken):
                continue
            images = self.preparation.normalised(pixels.to(self.device, non_blocking=True))
            yield images, self.labels[taken].to(self.device)

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
    """What a worker hands back for an image that it cannot read."""

    file: str
    reason: str


@dataclass(frozen=True)
class Decoded:
    """What a worker hands back: an image as bytes, [size, size, channels], the index it has, and what was skipped on
    the way to it. No image where none was found."""

    pixels: "NDArray[np.uint8] | None"
    index: int
    broken: tuple[Broken, ...] = ()
    lost: bool = False
    """There is no image among as many files as are tried."""


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

    def _decoded(self, index: int) -> "NDArray[np.uint8] | Broken":
        file = str(self._files[index])
        try:
            with Image.open(file, formats=FORMATS) as image:
                return self._pixels(image, index)
        except UnidentifiedImageError:
            return Broken(file, f"it is none of {', '.join(FORMATS)}")
        except Exception as error:  # whatever a damaged file makes a decoder raise
            return Broken(file, str(error) or type(error).__name__)

    def _pixels(self, image: Image.Image, index: int) -> "NDArray[np.uint8]":
        if self._augmentation is None:
            return self._preparation.pixels(image)
        image = self._preparation.upright(image)
        size = (self._preparation.width, self._preparation.height)
        draw = np.random.default_rng((self._augmentation, index))
        area = image.width * image.height * draw.uniform(*_AREA)
        ratio = math.exp(draw.uniform(math.log(_RATIO[0]), math.log(_RATIO[1])))
        width: float = min((area * ratio) ** 0.5, image.width)
        height: float = min((area / ratio) ** 0.5, image.height)
        left, top = draw.uniform(0, image.width - width), draw.uniform(0, image.height - height)
        part = image.resize(size, Image.Resampling.BILINEAR, (left, top, left + width, top + height))
        part = ImageOps.mirror(part) if draw.random() < 0.5 else part
        return np.asarray(part, dtype=np.uint8).reshape(size[1], size[0], -1)


def _stack(items: Sequence[Decoded]) -> tuple[Tensor, Tensor, list[Broken], bool]:
    """The images of a batch, their indices, the files that were broken, and whether the search for another was in
    vain for one of them."""
    images = [item.pixels for item in items if item.pixels is not None]
    taken = torch.tensor([item.index for item in items if item.pixels is not None], dtype=torch.int64)
    broken = [one for item in items for one in item.broken]
    lost = any(item.lost for item in items)
    return torch.from_numpy(np.stack(images)) if images else torch.empty(0), taken, broken, lost
