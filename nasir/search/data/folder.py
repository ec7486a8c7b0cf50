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

from nasir.diagnostics import CompileError, Diagnostic
from nasir.search.data.base import SPLIT_SEED, TEST_SHARE, DataSet, Input, Split, loaded

_ENDINGS = frozenset((".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm", ".pgm", ".tif", ".tiff"))
_FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "PPM", "TIFF")
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, as torchvision's recipes have them
_CENTRE = 0.875  # a test image is its middle: 224 of 256 pixels
_AREA, _RATIO = (0.08, 1.0), (3 / 4, 4 / 3)  # a training image is a random part (Szegedy et al., 2015), or its mirror
_DEFAULT = Input(3, 224)
_TRIES = 100  # of images that follow a broken one


def load_folder(path: str, input: Input | None, skip: bool = False) -> DataSet:
    """`DIR/train/CLASS/*` and `DIR/val/CLASS/*`; or `DIR/CLASS/*`, of which every fifth image is a test image. With
    `skip`, files that cannot be read are left out and noted.

    Raises:
        CompileError: where there is no such folder, a class has no images, or the two parts differ in their classes.
    """
    root = Path(path)
    if not path or not root.is_dir():
        hint = "write `--data folder:DIR`, the folder that has a folder for each class"
        raise CompileError(Diagnostic("E0801", f"there is no folder `{path}`", hints=(hint,)))
    input = input or _DEFAULT
    if input.channels not in {1, 3}:
        message = f"the network takes images of {input.channels} channels; files give 1 or 3"
        raise CompileError(Diagnostic("E0802", message, hints=("write `image(3, size=...)`",)))
    skipped: set[str] | None = set() if skip else None
    tests = next((root / name for name in ("val", "test") if (root / name).is_dir()), None)
    if (root / "train").is_dir() and tests is not None:
        classes, train = _scan(root / "train", input, skipped)
        others, test = _scan(tests, input, skipped)
        if classes != others:
            different = ", ".join(sorted({*classes} ^ {*others})[:4])
            raise CompileError(
                Diagnostic("E0801", f"`{root}/train` and `{tests}` differ in their classes: {different}")
            )
    else:
        classes, every = _scan(root, input, skipped)
        order = torch.randperm(len(every), generator=torch.Generator().manual_seed(SPLIT_SEED))
        train, test = every.take(order[len(every) // TEST_SHARE :]), every.take(order[: len(every) // TEST_SHARE])
    name, files = f"folder:{root.name}", [*train.files.tolist(), *test.files.tolist()]
    listed = "\n".join(sorted(os.path.relpath(file, root) for file in files))
    digest = hashlib.sha256(listed.encode("utf-8", "surrogateescape")).hexdigest()
    return DataSet(name, len(classes), train, test, *_normalisation(input.channels), digest, skipped)


def _normalisation(channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if channels == 3:
        return _MEAN, _STD
    return (sum(_MEAN) / 3,), (sum(_STD) / 3,)


def _scan(root: Path, input: Input, skipped: set[str] | None) -> tuple[list[str], "FolderSplit"]:
    """The classes and their images, in the order of their names."""
    classes = sorted(entry.name for entry in os.scandir(root) if entry.is_dir() and not entry.name.startswith("."))
    if len(classes) < 2:
        hint = "it needs a folder for each class: DIR/cat/1.jpg, DIR/dog/1.jpg"
        raise CompileError(
            Diagnostic("E0801", f"`{root}` has {len(classes) or 'no'} class folder{'s' * (not classes)}", hints=(hint,))
        )
    files: list[str] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        found = sorted(_images(root / name))
        if not found:
            hint = f"images end in {', '.join(sorted(_ENDINGS))}; take the folder away if the class is not wanted"
            raise CompileError(Diagnostic("E0801", f"the class folder `{root / name}` has no images", hints=(hint,)))
        files += found
        labels += [label] * len(found)
    return classes, FolderSplit(np.array(files), torch.tensor(labels), input, torch.device("cpu"), skipped)


def _images(root: str | Path, around: frozenset[str] = frozenset()) -> Iterator[str]:
    """The image files of a class, in its folder and in folders within, but for the folders `around`. A link that leads
    nowhere counts as one, and cannot be read."""
    around |= {os.path.realpath(root)}
    for entry in os.scandir(root):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if os.path.realpath(entry) not in around:
                yield from _images(entry.path, around)
        elif Path(entry.name).suffix.lower() in _ENDINGS and (entry.is_file() or not os.path.exists(entry)):
            yield entry.path


@dataclass(frozen=True)
class FolderSplit(Split):
    """Image files, decoded batch by batch; what they become is a function of (file, augmentation) alone."""

    files: NDArray[np.str_]
    labels: Tensor
    input: Input
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
        mean, std = (torch.tensor(v, device=self.device).view(-1, 1, 1) for v in _normalisation(self.input.channels))
        files = _Files(self.files, self.input, augmentation, self.skipped is not None)
        for pixels, taken, broken, lost in loaded(files, index, self.device, "E0805", collate_fn=_stack):
            self._note(broken, lost)
            if not len(taken):
                continue
            images = pixels.to(self.device, non_blocking=True).permute(0, 3, 1, 2).float() / 255
            yield (images - mean) / std, self.labels[taken].to(self.device)

    def _note(self, broken: "Sequence[Broken]", lost: bool) -> None:
        if not broken:
            return
        if self.skipped is None:
            hint = "replace it and go on with `--resume`, or leave such files out with `--resume --skip-broken`"
            message = f"`{broken[0].file}` cannot be read: {broken[0].reason}"
            raise CompileError(Diagnostic("E0805", message, hints=(hint,)))
        if lost:
            message = f"`{broken[0].file}` cannot be read, nor the {_TRIES} files after it: {broken[0].reason}"
            raise CompileError(Diagnostic("E0805", message, hints=("look at the files: they seem to be no images",)))
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

    def __init__(self, files: NDArray[np.str_], input: Input, augmentation: int | None, skip: bool) -> None:
        self._files = files
        self._input = input
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
            with Image.open(file, formats=_FORMATS) as image:
                pixels = self._cut(_eight_bits(image).convert("RGB" if self._input.channels == 3 else "L"), index)
        except UnidentifiedImageError:
            return Broken(file, f"it is none of {', '.join(_FORMATS)}")
        except Exception as error:  # whatever a damaged file makes a decoder raise
            return Broken(file, str(error) or type(error).__name__)
        return np.asarray(pixels, dtype=np.uint8).reshape(self._input.size, self._input.size, -1)

    def _cut(self, image: Image.Image, index: int) -> Image.Image:
        size = (self._input.size, self._input.size)
        if self._augmentation is None:
            side = _CENTRE * min(image.size)
            left, top = (image.width - side) / 2, (image.height - side) / 2
            return image.resize(size, Image.Resampling.BILINEAR, (left, top, left + side, top + side))
        draw = np.random.default_rng((self._augmentation, index))
        area = image.width * image.height * draw.uniform(*_AREA)
        ratio = math.exp(draw.uniform(math.log(_RATIO[0]), math.log(_RATIO[1])))
        width: float = min((area * ratio) ** 0.5, image.width)
        height: float = min((area / ratio) ** 0.5, image.height)
        left, top = draw.uniform(0, image.width - width), draw.uniform(0, image.height - height)
        part = image.resize(size, Image.Resampling.BILINEAR, (left, top, left + width, top + height))
        return ImageOps.mirror(part) if draw.random() < 0.5 else part


def _eight_bits(image: Image.Image) -> Image.Image:
    """An image of eight bits a channel: Pillow's own conversion would clip sixteen to white."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in {"I", "F"}:
        raise ValueError("pixels of 32 bits have no known range")
    return image


def _stack(items: Sequence[Decoded]) -> tuple[Tensor, Tensor, list[Broken], bool]:
    """The images of a batch, their indices, the files that were broken, and whether the search for another was in
    vain for one of them."""
    images = [item.pixels for item in items if item.pixels is not None]
    taken = torch.tensor([item.index for item in items if item.pixels is not None], dtype=torch.int64)
    broken = [one for item in items for one in item.broken]
    lost = any(item.lost for item in items)
    return torch.from_numpy(np.stack(images)) if images else torch.empty(0), taken, broken, lost
