"""`folder:DIR`: images in class folders, as ImageNet has them, decoded by Pillow in worker processes."""

import hashlib
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from nasir.diagnostics import CompileError, Diagnostic
from nasir.search.data.base import SPLIT_SEED, TEST_SHARE, DataSet, Input, Split

_ENDINGS = frozenset((".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm", ".pgm", ".tif", ".tiff"))
_FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "PPM", "TIFF")
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, as torchvision's recipes have them
_CENTRE = 0.875  # a test image is its middle: 224 of 256 pixels
_AREA, _RATIO = (0.08, 1.0), (3 / 4, 4 / 3)  # a training image is a random part (Szegedy et al., 2015), or its mirror
_DEFAULT = Input(3, 224)
_MOST_WORKERS = 8


def load_folder(path: str, input: Input | None) -> DataSet:
    """`DIR/train/CLASS/*` and `DIR/val/CLASS/*`; or `DIR/CLASS/*`, of which every fifth image is a test image.

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
    tests = next((root / name for name in ("val", "test") if (root / name).is_dir()), None)
    if (root / "train").is_dir() and tests is not None:
        classes, train = _scan(root / "train", input)
        others, test = _scan(tests, input)
        if classes != others:
            different = ", ".join(sorted({*classes} ^ {*others})[:4])
            raise CompileError(
                Diagnostic("E0801", f"`{root}/train` and `{tests}` differ in their classes: {different}")
            )
    else:
        classes, every = _scan(root, input)
        order = torch.randperm(len(every), generator=torch.Generator().manual_seed(SPLIT_SEED))
        train, test = every.take(order[len(every) // TEST_SHARE :]), every.take(order[: len(every) // TEST_SHARE])
    name, files = f"folder:{root.name}", [*train.files.tolist(), *test.files.tolist()]
    listed = "\n".join(sorted(os.path.relpath(file, root) for file in files))
    digest = hashlib.sha256(listed.encode("utf-8", "surrogateescape")).hexdigest()
    return DataSet(name, len(classes), train, test, *_normalisation(input.channels), digest)


def _normalisation(channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if channels == 3:
        return _MEAN, _STD
    return (sum(_MEAN) / 3,), (sum(_STD) / 3,)


def _scan(root: Path, input: Input) -> tuple[list[str], "FolderSplit"]:
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
        found = sorted(e.path for e in os.scandir(root / name) if _is_image(e))
        if not found:
            hint = f"images end in {', '.join(sorted(_ENDINGS))}; take the folder away if the class is not wanted"
            raise CompileError(Diagnostic("E0801", f"the class folder `{root / name}` has no images", hints=(hint,)))
        files += found
        labels += [label] * len(found)
    return classes, FolderSplit(np.array(files), torch.tensor(labels), input, torch.device("cpu"))


def _is_image(entry: "os.DirEntry[str]") -> bool:
    return entry.is_file() and not entry.name.startswith(".") and Path(entry.name).suffix.lower() in _ENDINGS


@dataclass(frozen=True)
class FolderSplit(Split):
    """Image files, decoded batch by batch; what they become is a function of (file, augmentation) alone."""

    files: NDArray[np.str_]
    labels: Tensor
    input: Input
    device: torch.device

    def take(self, index: Tensor) -> "FolderSplit":
        return replace(self, files=self.files[index.numpy()], labels=self.labels[index])

    def to(self, device: torch.device) -> "FolderSplit":
        return replace(self, device=device)

    def batches(self, index: Sequence[Tensor], augmentation: int | None) -> Iterator[tuple[Tensor, Tensor]]:
        mean, std = (torch.tensor(v, device=self.device).view(-1, 1, 1) for v in _normalisation(self.input.channels))
        loader: DataLoader[Any] = DataLoader(
            _Files(self.files, self.input, augmentation),
            batch_sampler=[one.tolist() for one in index],
            num_workers=min(_MOST_WORKERS, _cores()),
            collate_fn=_stack,
            pin_memory=self.device.type == "cuda",
            generator=torch.Generator(),  # the loader draws a seed that nothing here uses: not from the global one
        )
        for one, (pixels, broken) in zip(index, loader, strict=True):
            if broken:
                file, reason = broken[0]
                hint = "replace the file, or take it away"
                raise CompileError(Diagnostic("E0805", f"`{file}` cannot be read: {reason}", hints=(hint,)))
            images = pixels.to(self.device, non_blocking=True).permute(0, 3, 1, 2).float() / 255
            yield (images - mean) / std, self.labels[one].to(self.device)


def _cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Broken:
    """What a worker hands back in place of an image that it cannot read."""

    file: str
    reason: str


class _Files(Dataset["NDArray[np.uint8] | Broken"]):
    def __init__(self, files: NDArray[np.str_], input: Input, augmentation: int | None) -> None:
        self._files = files
        self._input = input
        self._augmentation = augmentation

    def __getitem__(self, index: int) -> "NDArray[np.uint8] | Broken":
        """An image as bytes, [size, size, channels]."""
        file = str(self._files[index])
        try:
            with Image.open(file, formats=_FORMATS) as image:
                pixels = self._cut(_eight_bits(image).convert("RGB" if self._input.channels == 3 else "L"), index)
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


def _stack(items: "Sequence[NDArray[np.uint8] | Broken]") -> tuple[Tensor, list[tuple[str, str]]]:
    images = [item for item in items if not isinstance(item, Broken)]
    broken = [(item.file, item.reason) for item in items if isinstance(item, Broken)]
    return torch.from_numpy(np.stack(images)) if images else torch.empty(0), broken
