"""From the sum of its kernels to a network's time: random networks of the space, measured whole."""

import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from nasir.api import Space, emit
from nasir.cost.model import CostModel
from nasir.cost.profile import Calibration, Profile
from nasir.cost.tabled import THOUSANDTHS, Latency
from nasir.execution import network_class
from nasir.ir.graph import Choices
from nasir.profiling.measuring import Timed, interleaved
from nasir.profiling.runtime import Measured

_QUANTILES = (0.05, 0.1, 0.5, 0.9, 0.95)
_FEWEST = 5


@dataclass(frozen=True)
class Whole:
    """A network: the sum of its kernels, and what it takes whole, in us."""

    summed: float
    taken: float


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
) -> list[Whole]:
    """The networks, measured interleaved; `told` after each that is made ready."""
    timed: list[Timed] = []
    for choices in networks:
        network = space.at(choices)
        sizes = (int(size) for size in network.graph.input.shape.values() if isinstance(size, int))
        module = network_class(Path(f"{network.name}.py"), emit(network))()
        timed.append(Timed(runtime.network(module, torch.randn(batch, *sizes))))
        told()
    interleaved(timed, draw)
    pairs = zip(networks, timed, strict=True)
    return [Whole(summed(space, profile, choices), statistics.median(one.samples)) for choices, one in pairs]


def summed(space: Space, profile: Profile, choices: Choices) -> float:
    """The sum of a network's kernels, in us."""
    plain = Latency("profile", replace(profile, calibration=Calibration()))
    network = space.at(choices)
    return CostModel(network.graph, [plain]).at({}, (plain.name,))[plain.name] / THOUSANDTHS


def calibrated(measured: Sequence[Whole]) -> Calibration:
    """`T = offset + factor * sum` by least squares of the relative error; of few networks the factor alone."""
    if not measured:
        return Calibration()
    sums, taken = (np.array([getattr(one, name) for one in measured]) for name in ("summed", "taken"))
    ratio = sums / taken
    offset, factor = 0.0, float(ratio.sum() / (ratio**2).sum())
    if len(measured) >= _FEWEST:
        equations = np.stack([1 / taken, ratio], axis=1)
        both = np.asarray(np.linalg.lstsq(equations, np.ones(len(taken)), rcond=None)[0])
        if both.min() > 0:  # a time below nothing is none of a network without kernels
            offset, factor = float(both[0]), float(both[1])
    residuals = taken / (offset + factor * sums) - 1
    quantiles = {f"p{round(100 * share):02}": round(float(np.quantile(residuals, share)), 5) for share in _QUANTILES}
    return Calibration(round(offset, 4), round(factor, 6), quantiles, len(measured))
