"""Data-parallel runs: the processes of one `torchrun`, each with its part of every batch."""

import gc
import time
import traceback
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from nasir.diagnostics import CompileError, Diagnostic
from nasir.jobs.machine import rank, rank_count
from nasir.jobs.signals import Stopped

T = TypeVar("T")
_SETTLING = 0.2  # seconds
_PATIENCE = timedelta(hours=6)  # the first rank compares networks and tests while the others wait


@dataclass(frozen=True)
class Ranks:
    """This process among those that train together."""

    index: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """The one that writes."""
        return self.index == 0

    def part(self, index: Tensor) -> Tensor:
        """This rank's part of a batch; parts are of one size, and what is left over is left out."""
        size = len(index) // self.count
        return index[self.index * size : (self.index + 1) * size]

    def parallel(self, network: nn.Module) -> nn.Module:
        """The network, its gradients averaged over the ranks, its buffers the first rank's."""
        return DistributedDataParallel(network) if self.count > 1 else network

    def mean(self, values: Sequence[float], device: torch.device) -> list[float]:
        """Each value's mean over the ranks."""
        if self.count == 1:
            return list(values)
        return cast("list[float]", self.average(torch.tensor(values, dtype=torch.float64, device=device)).tolist())

    def average(self, tensor: Tensor) -> Tensor:
        """The tensor's mean over the ranks, in place, by one all-reduce."""
        if self.count > 1:
            dist.all_reduce(tensor)
            tensor /= self.count
        return tensor

    def union(self, names: Collection[str]) -> set[str]:
        """The names of all ranks together."""
        if self.count == 1:
            return set(names)
        every: list[Any] = [None] * self.count
        dist.all_gather_object(every, sorted(names))
        return {name for part in every for name in part}

    def each(self, items: Iterator[T], device: torch.device) -> Iterator[T]:
        """The items, each as soon as every rank has its own; all ranks have as many. What a rank raises in the place of
        one, all raise, for those that went on would wait for it.

        Raises:
            CompileError: as `items` does on one of the ranks.
        """
        if self.count == 1:
            yield from items
            return
        while True:
            wrong: Sequence[Diagnostic] = ()
            item: T | None = None
            try:
                item = next(items, None)
            except CompileError as error:
                wrong = error.diagnostics
            (failed,) = self.mean([len(wrong) > 0], device)
            if failed:
                every: list[Any] = [None] * self.count
                dist.all_gather_object(every, wrong)
                raise CompileError([one for part in every for one in part])
            if item is None:
                return
            yield item

    def lead(self, work: Callable[[], T]) -> T:
        """What the first rank makes of `work`, on every rank; the others wait. What it raises, all raise.

        Raises:
            CompileError: as `work` does.
            Stopped: likewise.
        """
        if self.count == 1:
            return work()
        outcome: list[Any] = [None, None, None]
        if self.first:
            try:
                outcome[0] = work()
            except CompileError as error:
                outcome[1] = error.diagnostics
            except Stopped as stopped:
                outcome[2] = stopped.signal
        dist.broadcast_object_list(outcome)
        if outcome[1]:
            raise CompileError(outcome[1])
        if outcome[2]:
            raise Stopped(outcome[2])
        return cast(T, outcome[0])


@contextmanager
def joined(device: torch.device) -> Generator[Ranks]:
    """The ranks of this run: those of `torchrun`, which sets RANK and WORLD_SIZE, or this process alone."""
    count = rank_count()
    if count == 1 or dist.is_initialized():
        yield Ranks(dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else Ranks()
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=_PATIENCE)
    try:
        yield Ranks(rank(), count)
    except BaseException as error:
        traceback.clear_frames(error.__traceback__)  # they hold what is parallel
        raise
    finally:
        # A group of gloo that dies with the last parallel network waits for its threads with the interpreter locked,
        # and a thread may wait for the interpreter to let go of its last tensor (pytorch issue 56297).
        gc.collect()
        time.sleep(_SETTLING)
        dist.destroy_process_group()
