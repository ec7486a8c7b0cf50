"""When a long run saves its state, and when it stops to be resumed."""

import os
import signal
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

from nasir.jobs.machine import launcher, under_torchrun

SAVE_EVERY = 300.0  # seconds
WORKS_FOR = "NASIR_WORKS_FOR"
"""The environment's word for the process whose end is a stop: the pool whose worker this one is."""


class Stopped(Exception):
    """The run was told to stop by a signal, its number the argument, and has saved its state."""

    def __init__(self, signal: int) -> None:
        super().__init__(signal)
        self.signal = signal


class Pauses:
    """Told to stop by SIGINT or SIGTERM, or by the end of the process that it works for, a sweep or `torchrun`; due to
    save by the clock."""

    def __init__(self) -> None:
        self.told = 0
        """The signal that it was told by."""
        self._for = int(os.environ.get(WORKS_FOR, os.getppid() if launcher() else 0))
        self._saved = time.monotonic()

    @property
    def signal(self) -> int:
        """The signal to stop by, 0 where there is none."""
        orphaned = self._for and self._for != os.getppid()
        return self.told or (signal.SIGTERM if orphaned else 0)

    def stopped(self) -> Stopped:
        """What ends the run; of ranks that stop together, those that got no signal end as if they had SIGTERM."""
        return Stopped(self.signal or signal.SIGTERM)

    def due(self) -> bool:
        """It has been long since the state was saved."""
        return time.monotonic() - self._saved > SAVE_EVERY

    def saved(self) -> None:
        """The state was saved now."""
        self._saved = time.monotonic()


@contextmanager
def pausing() -> Generator[Pauses]:
    """Turns the first SIGINT or SIGTERM into a stop at the next step; a second one ends the process as ever, unless it
    is one of `torchrun`, which hands on what its processes got already."""
    pauses = Pauses()
    if threading.current_thread() is not threading.main_thread():
        yield pauses
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop(number: int, frame: FrameType | None) -> None:
        pauses.told = number
        if not under_torchrun():
            for known, handler in before.items():
                signal.signal(known, handler)

    for number in before:
        signal.signal(number, stop)
    try:
        yield pauses
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
