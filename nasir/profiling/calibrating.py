"""From the sum of its kernels to a network's time: random networks of the space, measured whole."""

import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from nasir.api import Space, emit
from nasir.cost.kernels import kernels
from nasir.cost.profile import Calibration, Profile, kind_of
from nasir.execution import network_class
from nasir.ir.graph import Choices
from nasir.profiling.measuring import Timed, Turns, interleaved
from nasir.profiling.runtime import Measured

_QUANTILES = (0.05, 0.1, 0.5, 0.9, 0.95)
_FEWEST = 5
_LEAST_SHARE = 0.01
_DRAWN = 0.03
"""As much as a relative error of so much of one network weighs a factor that is off by 1."""


@dataclass(frozen=True)
class Whole:
    """A network: the sums of its kernels by kind, and what it takes whole, in us."""

    sums: Mapping[str, float]
    taken: float

    @property
    def summed(self) -> float:
        """The sum of all its kernels."""
        return sum(self.sums.values())


def networks_of(space: Space, count: int, seed: int) -> list[Choices]:
    """Random networks of a space, each once."""
    found: dict[tuple[object, ...], Choices] = {}
    for draw in range(4 * count):
        choices = space.sample(seed + draw)
        found.setdefault(tuple(choices.values()), choices)
        if len(found) == count or not choices:
            break
    return [*found.values()]


def wholes(
    space: Space,
    profile: Profile,
    runtime: Measured,
    networks: Sequence[Choices],
    batch: int,
    draw: random.Random,
    told: Callable[[], None] = lambda: None,
    turns: Turns | None = None,
) -> list[Whole]:
    """The networks, measured interleaved; `told` after each that is made ready; the time counted in `turns`."""
    timed: list[Timed] = []
    for choices in networks:
        network = space.at(choices)
        sizes = (int(size) for size in network.graph.input.shape.values() if isinstance(size, int))
        module = network_class(Path(f"{network.name}.py"), emit(network))()
        timed.append(Timed(runtime.network(module, torch.randn(batch, *sizes))))
        told()
    interleaved(timed, draw, turns)
    pairs = zip(networks, timed, strict=True)
    return [Whole(summed(space, profile, choices), statistics.median(one.samples)) for choices, one in pairs]


def summed(space: Space, profile: Profile, choices: Choices) -> dict[str, float]:
    """The sums of a network's kernels by kind, in us."""
    network = space.at(choices)
    found: dict[str, float] = {}
    for kernel in kernels(network.graph, network.costs.distributions, profile.fuse):
        text = kernel.text({})
        kind = kind_of(text)
        found[kind] = found.get(kind, 0.0) + profile.rows[text].p50
    return found


def calibrated(measured: Sequence[Whole]) -> Calibration:
    """`T = offset + sum over kinds of factor * sum`, least squares of the relative error; kernels alone are not quite
    what they are in a network, and how far depends on their kind. Of few networks one factor alone.

    Each kind's factor is drawn to the common one, for networks of a space have much of all kinds at once; none is below
    0. Kinds with less than a hundredth of the time share one.
    """
    measured = [one for one in measured if one.summed]  # one without kernels tells nothing of them
    if not measured:
        return Calibration()
    taken = np.array([one.taken for one in measured])
    ratio = np.array([one.summed for one in measured]) / taken
    common = float(ratio.sum() / (ratio**2).sum())
    if len(measured) < _FEWEST:
        return _with_residuals(measured, Calibration(factor=round(common, 6)))
    every = sorted({kind for one in measured for kind in one.sums})
    shares = {kind: float(np.mean([one.sums.get(kind, 0.0) / one.summed for one in measured])) for kind in every}
    kinds = [kind for kind in every if shares[kind] >= _LEAST_SHARE]
    columns = [np.full(len(taken), taken.mean())]
    columns += [np.array([one.sums.get(kind, 0.0) for one in measured]) for kind in kinds]
    columns.append(np.array([sum(n for kind, n in one.sums.items() if kind not in kinds) for one in measured]))
    found = _least_squares(np.stack(columns, axis=1) / taken[:, None], common)
    offset, *factors, rest = found
    own = {kind: round(factor, 6) for kind, factor in zip(kinds, factors, strict=True)}
    return _with_residuals(measured, Calibration(round(offset * float(taken.mean()), 4), round(rest, 6), own))


def _least_squares(shares: "NDArray[np.float64]", common: float) -> list[float]:
    """Weights from 0 of the columns that come to 1 in each row; all but the first are drawn to `common`."""
    width = shares.shape[1]
    drawn = np.eye(width)[1:] * _DRAWN
    left = np.concatenate([shares, drawn])
    right = np.concatenate([np.ones(len(shares)), np.full(width - 1, _DRAWN * common)])
    kept = list(range(width))
    while True:
        weights = np.asarray(np.linalg.lstsq(left[:, kept], right, rcond=None)[0])
        if weights.min() >= 0 or len(kept) == 1:
            break
        kept.pop(int(weights.argmin()))
    found = [0.0] * width
    for place, weight in zip(kept, weights, strict=True):
        found[place] = max(0.0, float(weight))
    return found


def _with_residuals(measured: Sequence[Whole], calibration: Calibration) -> Calibration:
    residuals = [one.taken / calibration.told(one.sums) - 1 for one in measured]
    quantiles = {f"p{round(100 * share):02}": round(float(np.quantile(residuals, share)), 5) for share in _QUANTILES}
    return replace(calibration, residuals=quantiles, networks=len(measured))
