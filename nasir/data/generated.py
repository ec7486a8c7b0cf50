"""Data sets that are computed: signals to be told apart, and shapes to be found in images."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nasir.data import mistakes
from nasir.data.base import DataSet
from nasir.data.forms import Input, check_input
from nasir.data.memory import in_memory

_SEED = 0
_LENGTH, _SIGNALS, _TESTED_SIGNALS = 40, 4_000, 1_000
_WAVES = ("sine", "square", "triangle", "sawtooth", "pulse")
_CYCLES = (2, 3)
_SIZE, _IMAGES, _TESTED_IMAGES = 32, 1_000, 250
_SHAPES = ("background", "circle", "square", "triangle")


def load_signals(rest: str, input: Input | None, skip: bool = False) -> DataSet:
    """Ten classes of signals of 40 steps: five forms of waves, of two cycles or three.

    x(t) = a * wave(cycles * t / 40 + phase) + b * (t / 40 - 1/2) + noise, with a from 0.75 to 1.25, the phase from 0 to
    1, b from -1 to 1, all uniform, and normal noise of deviation 0.25 at each step. Class 5 * i + j has `_CYCLES[i]` of
    `_WAVES[j]`.

    Raises:
        CompileError: where the network takes something else.
    """
    _check("signals", rest, input, (1, _LENGTH))
    names = [f"{wave}_{cycles}" for cycles in _CYCLES for wave in _WAVES]
    return in_memory("signals", signal_parts(), 1, input, names=names)


def signal_parts() -> list[tuple[Tensor, Tensor]]:
    """What `load_signals` trains and tests with, as `signals` gives it."""
    found, labels = signals(_SIGNALS + _TESTED_SIGNALS, _SEED)
    return [(found[part], labels[part]) for part in (slice(_SIGNALS), slice(_SIGNALS, None))]


def signals(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """So many signals as `load_signals` says, float32 [count, 1, 40], and their classes, [count]."""
    draw = np.random.default_rng(seed)
    labels = np.arange(count) % (len(_WAVES) * len(_CYCLES))
    a, phase, b = (draw.uniform(low, high, (count, 1)) for low, high in ((0.75, 1.25), (0, 1), (-1, 1)))
    noise = draw.normal(0, 0.25, (count, _LENGTH))
    t = np.arange(_LENGTH) / _LENGTH
    cycles = np.array(_CYCLES)[labels // len(_WAVES)][:, None]
    waves = _waves((cycles * t + phase) % 1)[labels % len(_WAVES), np.arange(count)]
    found = torch.from_numpy((a * waves + b * (t - 0.5) + noise).astype(np.float32)[:, None])
    return found, torch.from_numpy(labels)


def _waves(u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each form of waves at the phases u of a cycle, from 0 to 1: [forms, ...]."""
    return np.stack(
        (
            np.sin(2 * math.pi * u),
            np.where(u < 0.5, 1.0, -1.0),
            4 * np.abs(u - 0.5) - 1,
            2 * u - 1,
            np.where(u < 0.2, 1.6, -0.4),
        )
    )


def load_shapes(rest: str, input: Input | None, skip: bool = False) -> DataSet:
    """Grey images of 32 x 32 pixels with one to three circles, squares and triangles, a later one over an earlier one;
    what is to be told is of each pixel the shape that it is of, or the background.

    A shape is r from 4 to 8 about a centre from 6 to 26, brighter than the background by 60 to 150: a circle of radius
    r, a square of side 2r, a triangle of base and height 2r on its base. The background is 20 to 80; normal noise of
    deviation 10 is at each pixel.

    Raises:
        CompileError: where the network takes something else.
    """
    _check("shapes", rest, input, (1, _SIZE, _SIZE))
    count = _IMAGES + _TESTED_IMAGES
    draw = np.random.default_rng(_SEED)
    images = np.repeat(draw.uniform(20, 80, (count, 1, 1)), _SIZE, 1).repeat(_SIZE, 2)
    ground = images.copy()
    targets = np.zeros((count, _SIZE, _SIZE), dtype=np.int64)
    number = draw.integers(1, 4, count)
    for i in range(int(number.max())):
        kind = draw.integers(1, len(_SHAPES), count)
        centres, radius = draw.uniform(6, 26, (2, count)), draw.uniform(4, 8, count)
        bright = draw.uniform(60, 150, count)
        inside = _inside(kind, centres, radius) & (number > i)[:, None, None]
        images = np.where(inside, ground + bright[:, None, None], images)
        targets = np.where(inside, kind[:, None, None], targets)
    pixels = np.clip(images + draw.normal(0, 10, images.shape), 0, 255).round().astype(np.uint8)[:, None]
    found, told = torch.from_numpy(pixels), torch.from_numpy(targets)
    parts = [(found[part], told[part]) for part in (slice(_IMAGES), slice(_IMAGES, None))]
    return in_memory("shapes", parts, 255, input, names=_SHAPES)


def _inside(kind: NDArray[np.int64], centres: NDArray[np.float64], radius: NDArray[np.float64]) -> NDArray[np.bool_]:
    """The pixels of a shape in each image, [N, size, size]."""
    y, x = np.mgrid[:_SIZE, :_SIZE][:, None] - centres[:, :, None, None]
    r = radius[:, None, None]
    forms = np.stack((x**2 + y**2 <= r**2, np.maximum(abs(x), abs(y)) <= r, (abs(y) <= r) & (2 * abs(x) <= y + r)))
    return forms[kind - 1, np.arange(len(kind))]


def _check(name: str, rest: str, input: Input | None, shape: tuple[int, ...]) -> None:
    if rest:
        raise mistakes.takes_no_folder(name, rest)
    check_input(input, shape, name)
