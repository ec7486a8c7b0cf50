"""Shapes that torch gives a tensor without computing anything: which axes of which step a dimension is made of.

A tensor of the user's network is a step's value seen through permutations, reshapes and flattenings. A dimension is a
product of factors, each a piece of one of the value's axes; axes of size 1 have none. So
`x.permute(0, 2, 3, 1)` is seen as what it is, and back again nothing is left of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, cast

SPREAD = -1
"""The axis of a factor that repeats what it is of (`expand`)."""


@dataclass(frozen=True, order=True)
class Factor:
    """`size` steps along `axis`, each over `stride` of its elements."""

    axis: int
    stride: int
    size: int


Dim = tuple[Factor, ...]


@dataclass(frozen=True)
class View:
    """The value of `step` as a tensor of these dimensions; the first is the batch."""

    step: str
    dims: tuple[Dim, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(prod(factor.size for factor in dim) for dim in self.dims)

    def permuted(self, order: Sequence[int]) -> "View":
        return View(self.step, tuple(self.dims[i] for i in order))

    def reshaped(self, sizes: Sequence[int]) -> "View | None":
        """The view under other sizes, in the same order; None where they part no axis evenly."""
        left = [factor for dim in self.dims for factor in dim]
        dims: list[Dim] = []
        for size in sizes:
            taken: list[Factor] = []
            while prod(f.size for f in taken) < size:
                if not left:
                    return None
                missing, first = size // prod(f.size for f in taken), left.pop(0)
                if missing % first.size == 0:
                    taken.append(first)
                elif first.size % missing == 0:
                    inner = first.size // missing
                    taken.append(Factor(first.axis, first.stride * inner, missing))
                    left.insert(0, Factor(first.axis, first.stride, inner))
                else:
                    return None
            if prod(f.size for f in taken) != size:
                return None
            dims.append(_joined(taken))
        return None if left else View(self.step, tuple(dims))

    def without(self, dims: Sequence[int], *, keep: bool) -> "View":
        """The view without these dimensions, or with them as ones of size 1."""
        return View(
            self.step, tuple(() if i in dims else dim for i, dim in enumerate(self.dims) if keep or i not in dims)
        )

    def of(self, step: str) -> "View":
        """The same view of a value of the same shape."""
        return View(step, self.dims)

    def narrowed(self) -> "View":
        """Without what `expand` repeats."""
        return View(self.step, tuple(tuple(f for f in dim if f.axis != SPREAD) for dim in self.dims))

    def axis_of(self, dim: int) -> int | None:
        """The axis that a dimension is all of; None where it is none, or several."""
        factors = self.dims[dim]
        return factors[0].axis if len(factors) == 1 else None


def whole(step: str, shape: Sequence[int]) -> View:
    """A value as it is; `shape` includes the batch."""
    return View(step, tuple((Factor(axis, 1, size),) if size > 1 else () for axis, size in enumerate(shape)))


def _joined(factors: Sequence[Factor]) -> Dim:
    """The factors, pieces of one axis that follow each other as one."""
    found: list[Factor] = []
    for factor in factors:
        last = found[-1] if found else None
        if last and last.axis == factor.axis != SPREAD and last.stride == factor.stride * factor.size:
            found[-1] = Factor(factor.axis, factor.stride, last.size * factor.size)
        else:
            found.append(factor)
    return tuple(found)


def numbers(value: Any) -> list[int]:
    """A number, or several, as torch takes them, as a list."""
    return list(cast("Sequence[int]", value)) if isinstance(value, (list, tuple)) else [value]


def written(sizes: Sequence[int]) -> str:
    """Sizes as one reads them."""
    return f"[{', '.join(map(str, sizes))}]"
