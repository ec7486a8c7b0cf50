"""How a file becomes a network's input: what training does to test inputs, `deploy.json` says and `nasir predict` does
again."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from nasir.data.forms import Shape

MOST_NUMBERS = 2**28  # of an input
MOST_SIZE = 65_536


class Preparation(ABC):
    """The way of one kind of files: images, recordings, arrays."""

    @property
    @abstractmethod
    def shape(self) -> Shape:
        """Of the inputs, channels first."""

    @abstractmethod
    def read(self, file: str, draw: np.random.Generator | None = None) -> NDArray[Any]:
        """What a file holds, in one shape for all files; where `draw` is given and the kind is augmented, as it draws.

        Raises:
            Exception: whatever a damaged file makes a decoder raise.
        """

    @abstractmethod
    def normalised(self, found: Tensor) -> Tensor:
        """What `read` gives of several files, [N, ...], as inputs, float32 [N, channels, ...]."""

    @abstractmethod
    def words(self) -> str:
        """The same as a sentence of the emitted file's docstring."""

    @abstractmethod
    def as_json(self, classes: Sequence[str]) -> dict[str, Any]:
        """All that a deployment needs, as `deploy.json` has it."""


def counted(value: object, most: int) -> int:
    """A size that `deploy.json` gives.

    Raises:
        ValueError: where it is none.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise ValueError(f"{value!r} is no size")
    return value
