"""Image files as a network's input."""

import contextlib
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from nasir.data import mistakes
from nasir.data.forms import Input, Shape
from nasir.data.preparation import MOST_NUMBERS, MOST_SIZE, Preparation, counted

ENDINGS = frozenset((".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm", ".pgm", ".pbm", ".tif", ".tiff", ".gif"))
FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "PPM", "TIFF", "GIF")
_CHANNELS = {1: "L", 3: "RGB"}
_WHITE = 255
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, as torchvision's recipes have them
_CENTRE = 0.875  # a test image is its middle: 224 of 256 pixels
_AREA, _RATIO = (0.08, 1.0), (3 / 4, 4 / 3)  # a training image is a random part (Szegedy et al., 2015), or its mirror
_LOOKED_AT = 64  # files, for the sizes and the depth of the images


@dataclass(frozen=True)
class ImagePreparation(Preparation):
    """An image is turned as its EXIF data say, laid on white where it is transparent, and converted to grey (`channels`
    1, ITU-R 601) or RGB (3); of its centre a square of `crop` of the shorter side is cut, or the whole is taken where
    None; that is resized to [height, width], bilinear with antialiasing. Its values, from 0 to 1, less `mean` over
    `std` are the input. Files of sixteen bits a channel have `bits` that mean something.
    """

    channels: int
    height: int
    width: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    crop: float | None = None
    bits: int = 16

    @property
    def shape(self) -> Shape:
        return self.channels, self.height, self.width

    def read(self, file: str, draw: np.random.Generator | None = None) -> "NDArray[np.uint8]":
        """The image as bytes, [height, width, channels]; a random part of it, or that in the mirror, where `draw` is
        given."""
        try:
            with Image.open(file, formats=FORMATS) as image:
                return self.pixels(image) if draw is None else self._random_part(image, draw)
        except UnidentifiedImageError:
            raise ValueError(f"it is none of {', '.join(FORMATS)}") from None

    def _random_part(self, image: Image.Image, draw: np.random.Generator) -> "NDArray[np.uint8]":
        image = self.upright(image)
        size = (self.width, self.height)
        area = image.width * image.height * draw.uniform(*_AREA)
        ratio = math.exp(draw.uniform(math.log(_RATIO[0]), math.log(_RATIO[1])))
        width: float = min((area * ratio) ** 0.5, image.width)
        height: float = min((area / ratio) ** 0.5, image.height)
        left, top = draw.uniform(0, image.width - width), draw.uniform(0, image.height - height)
        part = image.resize(size, Image.Resampling.BILINEAR, (left, top, left + width, top + height))
        part = ImageOps.mirror(part) if draw.random() < 0.5 else part
        return np.asarray(part, dtype=np.uint8).reshape(size[1], size[0], -1)

    def upright(self, image: Image.Image) -> Image.Image:
        """The image in eight bits a channel, turned and laid on white.

        Raises:
            ValueError: where its pixels have no known range.
        """
        with contextlib.suppress(SyntaxError, ValueError, KeyError, struct.error):  # EXIF that is none
            image = ImageOps.exif_transpose(image)
        if is_deep(image):
            values = np.asarray(image).astype(np.int64)
            if int(values.max()) >> self.bits:
                raise ValueError(f"it has {int(values.max()).bit_length()} bits, where others have {self.bits}")
            image = Image.fromarray((values >> (self.bits - 8)).astype(np.uint8))
        if image.mode in {"I", "F"}:
            raise ValueError("pixels of 32 bits have no known range")
        if "A" in image.getbands() or "transparency" in image.info:
            rgba = image.convert("RGBA")
            image = Image.new("RGBA", image.size, (_WHITE,) * 4)
            image.alpha_composite(rgba)
        return image.convert(_CHANNELS[self.channels])

    def pixels(self, image: Image.Image) -> "NDArray[np.uint8]":
        """The image as a network sees it but for its scale, [height, width, channels].

        Raises:
            ValueError: as `upright` does.
        """
        image = self.upright(image)
        side = (self.width, self.height)
        if self.crop is None:
            resized = image.resize(side, Image.Resampling.BILINEAR)
        else:
            kept = self.crop * min(image.size)
            left, top = (image.width - kept) / 2, (image.height - kept) / 2
            resized = image.resize(side, Image.Resampling.BILINEAR, (left, top, left + kept, top + kept))
        return np.asarray(resized, dtype=np.uint8).reshape(self.height, self.width, self.channels)

    def normalised(self, found: Tensor) -> Tensor:
        mean, std = (torch.tensor(v, device=found.device).view(-1, 1, 1) for v in (self.mean, self.std))
        return (found.permute(0, 3, 1, 2).float() / 255 - mean) / std

    def words(self) -> str:
        mean, std = (", ".join(f"{v:.6g}" for v in values) for values in (self.mean, self.std))
        part = "the whole image" if self.crop is None else f"the middle, {self.crop:g} of the shorter side"
        kind = "RGB" if self.channels == 3 else "grey"
        return (
            f"Images are upright, on white where transparent, {kind}, from 0 to 1, less the mean ({mean}) over the"
            f" deviation ({std}); {part}, resized to"
            f" {self.height} x {self.width}."
        )

    def as_json(self, classes: Sequence[str]) -> dict[str, Any]:
        return {
            "input": {
                "name": "x",
                "shape": ["N", self.channels, self.height, self.width],
                "dtype": "float32",
                "channels": {1: "grey (ITU-R 601)", 3: "RGB"}[self.channels],
            },
            "exif": "turned upright",
            "transparency": "laid on white",
            "crop": None if self.crop is None else {"centre": self.crop, "of": "the shorter side"},
            "resize": {"height": self.height, "width": self.width, "how": "bilinear, antialiased"},
            "scale": [0.0, 1.0],
            "bits": self.bits,
            "mean": list(self.mean),
            "std": list(self.std),
            "classes": list(classes),
        }


def is_deep(image: Image.Image) -> bool:
    """Whether it is grey with sixteen bits a pixel; Pillow reads some such files as of 32."""
    return image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM")


def prepared_as(found: Mapping[str, Any]) -> ImagePreparation:
    """What `as_json` made the object of.

    Raises:
        LookupError, TypeError, ValueError, OverflowError: where it is no such object.
    """
    _, channels, height, width = found["input"]["shape"]
    numbers = [tuple(map(float, cast("list[float]", found[name]))) for name in ("mean", "std")]
    crop = found["crop"]
    made = ImagePreparation(
        counted(channels, 3),
        counted(height, MOST_SIZE),
        counted(width, MOST_SIZE),
        numbers[0],
        numbers[1],
        None if crop is None else float(crop["centre"]),
        counted(found["bits"], 16),
    )
    fits = all(len(values) == made.channels and all(map(math.isfinite, values)) for values in numbers)
    fits = fits and 0 not in numbers[1] and (made.crop is None or 0 < made.crop <= 1)
    if not fits or math.prod(made.shape) > MOST_NUMBERS or made.channels not in _CHANNELS or made.bits < 8:
        raise ValueError("its numbers do not fit each other")
    return made


def check(input: Input) -> None:
    """The network takes images of as many channels as files have.

    Raises:
        CompileError: where it does not.
    """
    if input.channels not in _CHANNELS:
        hint = "write `image(3, ...)`, or `image(1, ...)`"
        raise mistakes.other_channels(input.kind, input.channels, "1 or 3", hint)


def prepare(files: Sequence[str], input: Input) -> tuple[ImagePreparation, str]:
    """How image files become inputs, and the sizes of the images as one reads them."""
    sizes, bits = _look_at(files)
    mean, std = (_MEAN, _STD) if input.channels == 3 else ((sum(_MEAN) / 3,), (sum(_STD) / 3,))
    height, width = input.sizes
    return ImagePreparation(input.channels, height, width, mean, std, _CENTRE, bits), sizes


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
