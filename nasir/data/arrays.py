"""`.npy` files as a network's input: what is made in memory comes as such to a deployment."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from nasir.data.forms import Shape
from nasir.data.preparation import MOST_NUMBERS, Preparation, counted


@dataclass(frozen=True)
class ArrayPreparation(Preparation):
    """The numbers of an array of the input's shape, less `mean` over `std`."""

    sizes: Shape
    mean: float
    std: float

    @property
    def shape(self) -> Shape:
        return self.sizes

    def read(self, file: str, draw: np.random.Generator | None = None) -> NDArray[Any]:
        """The array, float32."""
        found: Any = np.load(file, mmap_mode="r", allow_pickle=False)
        shape, kind = getattr(found, "shape", None), getattr(getattr(found, "dtype", None), "kind", "")
        if shape != self.sizes or kind not in "fiu":
            raise ValueError(f"it holds no array of numbers of shape {[*self.sizes]}")
        return np.array(found, dtype=np.float32)

    def normalised(self, found: Tensor) -> Tensor:
        return (found - self.mean) / self.std

    def words(self) -> str:
        how = "as they are" if (self.mean, self.std) == (0, 1) else f"less {self.mean:.6g} over {self.std:.6g}"
        return f"Inputs are the numbers of an array, {how}."

    def as_json(self, classes: Sequence[str]) -> dict[str, Any]:
        return {
            "input": {"name": "x", "shape": ["N", *self.sizes], "dtype": "float32"},
            "file": "npy",
            "mean": self.mean,
            "std": self.std,
            "classes": list(classes),
        }


def prepared_as(found: Mapping[str, Any]) -> ArrayPreparation:
    """What `as_json` made the object of.

    Raises:
        LookupError, TypeError, ValueError: where it is no such object.
    """
    _, *sizes = found["input"]["shape"]
    made = ArrayPreparation(
        tuple(counted(size, MOST_NUMBERS) for size in sizes), float(found["mean"]), float(found["std"])
    )
    finite = math.isfinite(made.mean) and math.isfinite(made.std) and made.std != 0
    if not finite or not 1 <= len(sizes) <= 3 or math.prod(made.sizes) > MOST_NUMBERS:
        raise ValueError("its numbers do not fit each other")
    return made
