"""How an image file becomes a network's input: what training does to test images, `deploy.json` says and `nasir
predict` does again."""

import contextlib
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "PPM", "TIFF", "GIF")
_CHANNELS = {1: "L", 3: "RGB"}
_WHITE = 255
_MOST_NUMBERS = 2**28  # of an input


@dataclass(frozen=True)
class Preparation:
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

    def normalised(self, pixels: Tensor) -> Tensor:
        """Pixels as bytes, [N, height, width, channels], as the input [N, channels, height, width]."""
        mean, std = (torch.tensor(v, device=pixels.device).view(-1, 1, 1) for v in (self.mean, self.std))
        return (pixels.permute(0, 3, 1, 2).float() / 255 - mean) / std

    def as_json(self, classes: Sequence[str]) -> dict[str, Any]:
        """All that a deployment needs, as `deploy.json` has it."""
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


def prepared_as(found: Mapping[str, Any]) -> tuple[Preparation, list[str]]:
    """What `as_json` made the object of, and the classes' names.

    Raises:
        ValueError: where it is no such object.
    """
    try:
        _, channels, height, width = found["input"]["shape"]
        numbers = [tuple(map(float, cast("list[float]", found[name]))) for name in ("mean", "std")]
        crop = found["crop"]
        preparation = Preparation(
            _count(channels, 3),
            _count(height, 65_536),
            _count(width, 65_536),
            numbers[0],
            numbers[1],
            None if crop is None else float(crop["centre"]),
            _count(found["bits"], 16),
        )
        fits = all(len(values) == preparation.channels and all(map(math.isfinite, values)) for values in numbers)
        fits = fits and 0 not in numbers[1] and (preparation.crop is None or 0 < preparation.crop <= 1)
        fits = fits and preparation.channels * preparation.height * preparation.width <= _MOST_NUMBERS
        if not fits or preparation.channels not in _CHANNELS or preparation.bits < 8:
            raise ValueError("its numbers do not fit each other")
        return preparation, [str(name) for name in found["classes"]]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"it says not how images are prepared: {type(error).__name__}: {error}") from None


def _count(value: object, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise ValueError(f"{value!r} is no size")
    return value
