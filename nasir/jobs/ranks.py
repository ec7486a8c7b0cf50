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
from nasir.jobs import mistakes
from nasir.jobs.machine import rank, rank_count
from nasir.jobs.signals import Stopped

T = TypeVar("T")
_SETTLING = 0.2  # seconds
_STEP = timedelta(minutes=30)
"""What a step may take, compiling too; of a machine that vanished, no connection tells."""
_PATIENCE = timedelta(hours=6)  # the first rank compares networks and tests while the others wait


@dataclass(frozen=True)
class Share:
    """A rank's part of a batch of `whole` inputs, from the one numbered `start` up to `stop`."""

    start: int
    stop: int
    whole: int
    weight: float = 1.0
    """Of the mean over this part, where the mean of all ranks' is to be that over the batch."""

    def weigh(self, loss: Tensor) -> Tensor:
        """A loss whose mean over the ranks is that over the whole batch; so are its gradients."""
        return loss if self.weight == 1.0 else loss * self.weight


@dataclass(frozen=True)
class Ranks:
    """This process among those that train together."""

    index: int = 0
    count: int = 1
    waiting: dist.ProcessGroup | None = None
    """What ranks wait in for what another one does alone."""

    @property
    def first(self) -> bool:
        """The one that writes."""
        return self.index == 0

    def share(self, size: int) -> Share:
        """This rank's part of a batch of so many inputs; parts differ by one input at most. Batch statistics need two
        inputs: where there are not two for each rank, all take the whole batch."""
        if size < 2 * self.count:
            return Share(0, size, size)
        each, more = divmod(size, self.count)
        start, stop = (at * each + min(at, more) for at in (self.index, self.index + 1))
        return Share(start, stop, size, (stop - start) * self.count / size)

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
        return {name for part in self.gather(sorted(names)) for name in part}

    def gather(self, mine: T) -> list[T]:
        """What each rank has, in their order."""
        if self.count == 1:
            return [mine]
        every: list[Any] = [None] * self.count
        dist.all_gather_object(every, mine, group=self.waiting)
        return every

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
                raise CompileError([one for part in self.gather(wrong) for one in part])
            if item is None:
                return
            yield item

    def together(self, work: Callable[[], T]) -> T:
        """What `work` makes on this rank; what one of them raises, all raise.

        Raises:
            CompileError: as `work` does on one of the ranks.
        """
        if self.count == 1:
            return work()
        made: T | None = None
        wrong: Sequence[Diagnostic] = ()
        try:
            made = work()
        except CompileError as error:
            wrong = error.diagnostics
        if found := [one for part in self.gather(wrong) for one in part]:
            raise CompileError([one for at, one in enumerate(found) if one not in found[:at]])
        return cast(T, made)

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
        dist.broadcast_object_list(outcome, group=self.waiting)
        if outcome[1]:
            raise CompileError(outcome[1])
        if outcome[2]:
            raise Stopped(outcome[2])
        return cast(T, outcome[0])


@contextmanager
def joined(device: torch.device) -> Generator[Ranks]:
    """The ranks of this run: those of `torchrun`, which sets RANK and WORLD_SIZE, or this process alone.

    Raises:
        CompileError: where another one went away.
    """
    count = rank_count()
    if count == 1 or dist.is_initialized():
        yield Ranks(dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else Ranks()
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    try:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=_STEP)
        # Through gloo, so that what they hand over, as a checkpoint, takes no memory of a GPU.
        waiting = dist.new_group(backend="gloo", timeout=_PATIENCE)
        yield Ranks(rank(), count, cast(dist.ProcessGroup, waiting))
    except BaseException as error:
        traceback.clear_frames(error.__traceback__)  # they hold what is parallel
        if _lost_another(error):
            raise mistakes.rank_lost(count, error) from None
        raise
    finally:
        # A group of gloo that dies with the last parallel network waits for its threads with the interpreter locked,
        # and a thread may wait for the interpreter to let go of its last tensor (pytorch issue 56297).
        gc.collect()
        time.sleep(_SETTLING)
        if dist.is_initialized():
            dist.destroy_process_group()


def _lost_another(error: BaseException) -> bool:
    """Ranks could not speak with each other any more; gloo has no error of its own."""
    return isinstance(error, dist.DistError) or (isinstance(error, RuntimeError) and "gloo/" in str(error))
