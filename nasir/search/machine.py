"""What this process runs on: cores, and its place among those of `torchrun`. Nothing here imports torch."""

import os


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
