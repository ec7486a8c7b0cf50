"""What this process runs on: cores, and its place among those of `torchrun`. Nothing here imports torch."""

import hashlib
import os


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_WORTH_SHARING = 20_000_000
"""Multiply-adds of one call of torch from which two threads do it sooner than one, also beside another process."""


def fitting_threads(macs: int, calls: int) -> int:
    """The threads for a step of so many multiply-adds in so many calls: one for small ones, for threads that wait for
    each other cost more than they save, and many times as much beside another process; else one a core, or as many as
    OMP_NUM_THREADS says."""
    return given_threads() or (1 if macs < _WORTH_SHARING * calls else cores())


def given_threads() -> int | None:
    """What OMP_NUM_THREADS says, where it is a number."""
    text = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, int(text)) if text.isdigit() else None


def rank() -> int:
    """This process among those of `torchrun`, from 0; 0 where there is one."""
    return int(os.environ.get("RANK", "0"))


def rank_count() -> int:
    """The processes of `torchrun`; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def local_rank() -> int:
    """This process among those on its machine: the GPU that it takes."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def under_torchrun() -> bool:
    """`torchrun` started this process."""
    return "WORLD_SIZE" in os.environ


def launcher() -> str:
    """A digest of what tells the `torchrun` that started this process, the same when it starts it again, from every
    other one; empty where there is none. It is the folder that each makes for its processes' errors: by its name the
    folder of one attempt, above it that of all."""
    attempt, _, _ = os.environ.get("TORCHELASTIC_ERROR_FILE", "").rpartition("/attempt_")
    return hashlib.sha256(os.fsencode(attempt)).hexdigest()[:16] if attempt else ""
