"""A network that was found by a device file, measured for real where its runtime is at hand."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from nasir.api import Space
from nasir.cost.costs.memory import Flash
from nasir.cost.profile import Profile
from nasir.cost.tabled import LATENCY
from nasir.diagnostics import CompileError
from nasir.profiling.calibrating import summed, wholes
from nasir.profiling.runtime import Measured, runtime_of

FILE = "latency.json"
_CACHED = 32_000_000
"""Bytes of weights that nearer caches do not hold."""
_MOST_COPIES = 30


@dataclass(frozen=True)
class Winner:
    """A network by one device file, in us: what is predicted, half of such networks stay within it, what nine in ten
    stay within, and what was measured, its weights out of the nearest caches as those of the file's kernels were; and
    `alone`, again and again. `why` says why nothing was measured."""

    file: str
    device: str
    predicted: float
    within: float
    measured: float | None = None
    alone: float | None = None
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        """Itself as `latency.json` has it."""
        return dict(vars(self))


def measured_winner(network: Space) -> list[Winner]:
    """The network by each device file that its objective reads latencies of."""
    return list(_winners(network))


def _winners(network: Space) -> Iterator[Winner]:
    for path, profile in network.device_files.items():
        if profile.quantity != LATENCY:
            continue
        predicted = profile.calibration.told(summed(network, profile, {}))
        within = predicted * (1 + profile.calibration.upper)
        found = Winner(path, profile.place, round(predicted, 3), round(within, 3))
        try:
            yield _measured(found, network, profile, runtime_of(profile))
        except CompileError as error:
            yield replace(found, why=error.diagnostics[0].message)


def _measured(winner: Winner, network: Space, profile: Profile, runtime: Measured | None) -> Winner:
    """With what it takes here, where that says something of the file's device."""
    if runtime is None:
        return replace(winner, why="its runtime is none that is measured here")
    if profile.conditions.get("processor") != runtime.processor:
        return replace(winner, why="this machine is another")
    batch, whole = int(profile.conditions.get("batch", 1)), network.sample(0)
    copies = min(_MOST_COPIES, max(2, _CACHED // network.costs.at({}, (Flash.name,))[Flash.name]))
    among = wholes(network, profile, runtime, [whole] * copies, batch, random.Random(0))
    (alone,) = wholes(network, profile, runtime, [whole], batch, random.Random(0))
    return replace(winner, measured=round(median(one.taken for one in among), 3), alone=round(alone.taken, 3))
