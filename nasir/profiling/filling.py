"""Kernels that there was no time to measure, told by those that were."""

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nasir.cost.profile import Row
from nasir.cost.written import read_kernel

Vector = NDArray[np.float64]
_FEWEST = 8
"""Kernels of one kind that a fit of their own needs."""
_PARTS = 4
"""A fit's error is that on parts of what was measured that it has not seen."""


@dataclass(frozen=True)
class Fit:
    """log T = a + b log(multiply-adds + 1) + c log(numbers moved), least squares, for each kind of kernel."""

    weights: Mapping[tuple[str, ...], Vector]
    everything: Vector

    def figure(self, kernel: str) -> float:
        """What a kernel takes, by the fit of its kind, or of all where too few of its kind were measured."""
        written = read_kernel(kernel)
        return float(np.exp(_features(kernel) @ self.weights.get(written.ops, self.everything)))


def fitted(rows: Mapping[str, Row]) -> Fit:
    """The fit to measured kernels."""
    by_kind: dict[tuple[str, ...], list[str]] = {}
    for kernel in rows:
        by_kind.setdefault(read_kernel(kernel).ops, []).append(kernel)
    own = {ops: _least_squares(rows, kernels) for ops, kernels in by_kind.items() if len(kernels) >= _FEWEST}
    return Fit(own, _least_squares(rows, rows))


def fit_error(rows: Mapping[str, Row]) -> float:
    """The median relative error of the fit on kernels that it has not seen."""
    names = sorted(rows)
    errors: list[float] = []
    for part in range(_PARTS):
        held = set(names[part::_PARTS])
        fit = fitted({name: row for name, row in rows.items() if name not in held})
        errors += [abs(fit.figure(name) / rows[name].p50 - 1) for name in held if rows[name].p50 > 0]
    return statistics.median(errors) if errors else 0.0


def _features(kernel: str) -> Vector:
    written = read_kernel(kernel)
    return np.array([1.0, np.log(written.macs() + 1.0), np.log(written.numbers())])


def _least_squares(rows: Mapping[str, Row], kernels: Iterable[str]) -> Vector:
    used = [kernel for kernel in kernels if rows[kernel].p50 > 0]
    found = np.linalg.lstsq(
        np.stack([_features(kernel) for kernel in used]), np.log([rows[kernel].p50 for kernel in used]), rcond=None
    )
    return np.asarray(found[0], dtype=np.float64)
