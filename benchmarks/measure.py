"""How things are measured: ratios of what runs interleaved in one process, medians, bytes that autograd keeps."""

import ctypes
import statistics
import sys
import time
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode

from nasir.supernets import Supernet


class CallCount(TorchDispatchMode):
    """Counts the operators that torch is asked for in a `with` block, views apart."""

    count = 0

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):  # type: ignore[no-untyped-def]
        self.count += not function.is_view
        return function(*arguments, **(keywords or {}))


def saved_bytes(network: nn.Module, images: Tensor) -> int:
    """Bytes that autograd keeps for one backward pass, parameters and buffers apart, each storage once."""
    own = {t.untyped_storage().data_ptr() for t in (*network.parameters(), *network.buffers())}
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        out = network(images)
    total = sum(kept.values())
    del out
    return total


def peak_bytes(network: nn.Module, images: Tensor) -> int:
    """The most bytes allocated at once in a forward and a backward pass, above what was there before.

    From the allocator's own record of every allocation, gradients included; on a GPU from its counter.
    """
    step(network, images)  # the gradients' memory, and what is cached, is there before
    if images.is_cuda:
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        step(network, images)
        return torch.cuda.max_memory_allocated() - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        step(network, images)
    events = [e for e in recorded.profiler.kineto_results.events() if e.name() == "[memory]"]
    held = peak = 0
    for event in sorted(events, key=lambda e: e.start_ns()):
        held += event.nbytes()
        peak = max(peak, held)
    return peak


def keep_memory() -> None:
    """Have the C library keep freed memory, as torch's own allocator does on a GPU: else every large map of every step
    is mapped and its pages cleared anew, which drowns what is measured."""
    if sys.platform == "linux":
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(_MOST_MAPPED, 0)
        libc.mallopt(_TRIM_ABOVE, 2**31 - 1)


_TRIM_ABOVE, _MOST_MAPPED = -1, -4  # M_TRIM_THRESHOLD and M_MMAP_MAX of malloc.h


def step(network: nn.Module, images: Tensor) -> float:
    """Seconds of a forward and a backward pass, with the cost where the network has one."""
    if images.is_cuda:
        torch.cuda.synchronize()
    start = time.perf_counter()
    out = network(images)
    if isinstance(network, Supernet):
        loss = out.logits.logsumexp(1).mean() + 1e-9 * out.cost["macs"]
    else:
        loss = out.logsumexp(1).mean()
    loss.backward()
    if images.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start


def interleaved(steps: Mapping[str, Callable[[], float]], runs: int) -> dict[str, float]:
    """The median seconds of each, after a warm-up, one of each in turn: what slows the machine slows all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for run in range(runs + 1):
        for name, one in steps.items():
            elapsed = one()
            if run:
                seconds[name].append(elapsed)
    return {name: statistics.median(values) for name, values in seconds.items()}


def times(networks: Mapping[str, nn.Module], images: Tensor, runs: int) -> dict[str, float]:
    """The median seconds of a step of each network."""
    return interleaved({name: lambda n=network: step(n, images) for name, network in networks.items()}, runs)
