"""Small colour pictures to be told apart: crops of ten photographs that scikit-image and scikit-learn ship.

    nasir search SPACE --data python:benchmarks.quality.photographs:crops

Which photograph a crop is of is its class. A photograph is cut into blocks of 28 pixels; those of one colour of a
chessboard are for the training, the others for the test, and a crop lies within its block, so that no pixel is in both.
Each channel of a crop is scaled by a factor of its own and shifted, so that its colours tell less.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

_SIZE, _BLOCK = 24, 28
_COUNTS = (4_000, 5_000)
"""Crops for the training and for the test."""
_HEIGHT = 400
"""Pixels that a photograph is high at most."""
_SEED = 0

Images = NDArray[np.float32]


def _photographs() -> list[NDArray[np.uint8]]:
    """All ten, [height, width, 3]."""
    from skimage import data
    from sklearn.datasets import load_sample_image

    shipped: list[Callable[[], NDArray[np.uint8]]] = [
        data.astronaut,
        data.cat,
        data.coffee,
        data.hubble_deep_field,
        data.immunohistochemistry,
        data.retina,
        data.rocket,
        lambda: data.stereo_motorcycle()[0],
    ]
    return [*(load() for load in shipped), load_sample_image("china.jpg"), load_sample_image("flower.jpg")]


def crops() -> tuple[tuple[Images, NDArray[np.int64]], tuple[Images, NDArray[np.int64]]]:
    """Training and test crops, float32 [N, 3, 24, 24] of mean 0 and deviation 1, with their classes."""
    photographs = [_smaller(one) for one in _photographs()]
    draw = np.random.default_rng(_SEED)
    (x, labels), (tested, others) = (_drawn(photographs, part, count, draw) for part, count in enumerate(_COUNTS))
    mean, deviation = x.mean((0, 2, 3), keepdims=True), x.std((0, 2, 3), keepdims=True)
    return ((x - mean) / deviation, labels), ((tested - mean) / deviation, others)


def _smaller(photograph: NDArray[np.uint8]) -> NDArray[np.float32]:
    step = -(-photograph.shape[0] // _HEIGHT)
    return photograph[::step, ::step, :3].astype(np.float32) / 255


def _drawn(
    photographs: list[NDArray[np.float32]], part: int, count: int, draw: np.random.Generator
) -> tuple[Images, NDArray[np.int64]]:
    """So many crops of the blocks of one colour, as many of each photograph."""
    labels = np.arange(count) % len(photographs)
    found = np.empty((count, 3, _SIZE, _SIZE), np.float32)
    for i, label in enumerate(labels):
        photograph = photographs[label]
        rows, columns = (length // _BLOCK for length in photograph.shape[:2])
        row, column = draw.choice([at for at in np.ndindex(rows, columns) if sum(at) % 2 == part])
        top, left = _BLOCK * np.array((row, column)) + draw.integers(0, _BLOCK - _SIZE + 1, 2)
        crop = photograph[top : top + _SIZE, left : left + _SIZE].transpose(2, 0, 1)
        crop = crop[:, :, :: 1 if draw.random() < 0.5 else -1]
        found[i] = crop * draw.uniform(0.8, 1.2, (3, 1, 1)) + draw.normal(0, 0.05, (3, 1, 1))
    return found, labels
