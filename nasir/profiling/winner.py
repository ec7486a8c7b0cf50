"""A network that was found by a device file, measured for real where its runtime is at hand."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nasir.api import Space
from nasir.cost.profile import Profile
from nasir.cost.tabled import LATENCY
from nasir.diagnostics import CompileError
from nasir.profiling.calibrating import summed, wholes
from nasir.profiling.machine import processor_name
from nasir.profiling.runtime import Measured, runtimes

FILE = "latency.json"


@dataclass(frozen=True)
class Winner:
    """A network by one device file, in us: what is predicted, half of such networks stay within it, what nine in ten
    stay within, and what was measured; `why` says why nothing was."""

    file: str
    device: str
    predicted: float
    within: float
    measured: float | None
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
        taken, why = _taken(network, profile)
        yield Winner(path, profile.place, round(predicted, 3), round(within, 3), taken, why)


def _taken(network: Space, profile: Profile) -> tuple[float | None, str]:
    """What the network takes here, in us, or why that says nothing of the file's device."""
    kind = runtimes().get(str(profile.conditions.get("runtime")))
    if kind is None or not issubclass(kind, Measured):
        return None, "its runtime is none that is measured here"
    if profile.conditions.get("processor") != processor_name():
        return None, "this machine is another"
    threads, batch = (int(profile.conditions.get(name, 1)) for name in ("threads", "batch"))
    try:
        runtime = kind(threads)
        (whole,) = wholes(network, profile, runtime, [{}], batch, random.Random(0))
    except CompileError as error:
        return None, error.diagnostics[0].message
    return round(whole.taken, 3), ""
