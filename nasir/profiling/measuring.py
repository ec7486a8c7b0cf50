"""Times of many small runs on a shared machine: interleaved, warm, medians with their intervals.

This file needs nothing of nasir: `nasir profile --emit` puts it beside the kernels that another machine measures.
"""

import math
import random
import statistics
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

Run = Callable[[], object]
"""One run of what was prepared."""
CLOSE = 0.02
"""A median is known where its interval is no wider than this share of it."""
_WARM = 3
_FEWEST, _MOST = 11, 60
_US = 1e6
BUSY = 0.1
"""A machine is busy where others have the processor for more than this share of the time. Of an idle one it is 0.03 to
0.05, beside a process for each core 0.13 to 0.5."""


@dataclass
class Turns:
    """How long a thread measured, and how long of that it had a processor, in seconds: the rest others had it."""

    whole: float = 0.0
    own: float = 0.0

    @contextmanager
    def counted(self) -> Generator[None]:
        """Count what is done within."""
        began, own = time.perf_counter(), time.thread_time()
        yield
        self.whole += time.perf_counter() - began
        self.own += time.thread_time() - own

    @property
    def waited(self) -> float:
        """The share of the time that others had it."""
        return max(0.0, 1 - self.own / self.whole) if self.whole else 0.0


@dataclass(frozen=True)
class Quantiles:
    """Of `n` samples, in us."""

    p10: float
    p50: float
    p90: float
    n: int


@dataclass
class Timed:
    """A run, and how long it took, in us.

    A sample is one run, after runs of others: its weights are where they are in a network, out of the nearest caches.
    `touch` reads its inputs before: in a network they were just made. `runs` is how often a call of `run` runs it.
    """

    run: Run
    touch: Run | None = None
    runs: int = 1
    samples: list[float] = field(default_factory=list[float])

    def warm(self) -> None:
        """Run it a few times."""
        for _ in range(_WARM):
            self.run()

    def sample(self) -> None:
        """Take one more sample."""
        if self.touch is not None:
            self.touch()
        began = time.perf_counter()
        self.run()
        self.samples.append((time.perf_counter() - began) * _US / self.runs)

    @property
    def is_known(self) -> bool:
        """Whether the interval of its median is close enough."""
        if len(self.samples) < _FEWEST:
            return False
        low, high = median_interval(self.samples)
        return high - low <= CLOSE * statistics.median(self.samples)

    def quantiles(self, less: float = 0.0) -> Quantiles:
        """What was measured, less what each call takes by itself."""
        p10, p50, p90 = (_quantile(self.samples, share) for share in (0.1, 0.5, 0.9))
        # A kernel's own time may be less than a call's noise; it is never nothing.
        off = min(less, 0.95 * p50)
        low, median, high = (round(max(one - off, 0.0), 4) for one in (p10, p50, p90))
        return Quantiles(low, median, high, len(self.samples))


def timed_run(run: Run) -> Timed:
    """A run with what it says of itself: `touch`, and how many `runs` it is."""
    return Timed(run, getattr(run, "touch", None), getattr(run, "runs", 1))


def median_interval(samples: Sequence[float]) -> tuple[float, float]:
    """The interval that has the median with 95% probability, by order statistics."""
    ordered, n = sorted(samples), len(samples)
    off = math.ceil(1.96 * math.sqrt(n) / 2)
    low, high = max(0, n // 2 - off), min(n - 1, (n - 1) // 2 + off)
    return ordered[low], ordered[high]


def _quantile(samples: Sequence[float], share: float) -> float:
    ordered = sorted(samples)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def interleaved(runs: Sequence[Timed], draw: random.Random, turns: Turns | None = None, most: int = _MOST) -> None:
    """Sample all of them in rounds, in another order each time, until their medians are known; counted in `turns`."""
    with (turns or Turns()).counted():
        for one in runs:
            one.warm()
        for _ in range(most):
            left = [one for one in runs if not one.is_known]
            if not left:
                return
            draw.shuffle(left)
            for one in left:
                one.sample()


def batches(kernels: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """The kernels so many at a time: what is prepared for measuring is in memory together."""
    for first in range(0, len(kernels), size):
        yield kernels[first : first + size]


def measured(
    kernels: Sequence[str], prepare: Callable[[str], Run], null: Run, draw: random.Random, turns: Turns
) -> dict[str, Quantiles]:
    """What kernels that are measured together take, less what a call takes by itself, as that of `null`."""
    runs = {kernel: prepare(kernel) for kernel in kernels}
    timed = {kernel: timed_run(run) for kernel, run in runs.items()}
    nothing = timed_run(null)
    interleaved([*timed.values(), nothing], draw, turns)
    call = statistics.median(nothing.samples)
    return {kernel: one.quantiles(call) for kernel, one in timed.items()}
