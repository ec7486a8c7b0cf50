"""Whether a file computes what its network does, and how long each takes."""

import copy
import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nasir.data import pieces
from nasir.exporting.format import Array, Runner
from nasir.exporting.named import listed

TOLERANCE = 1e-4
"""The most that an output of a float32 file may be off: of 1, or of the greatest number of the output. Of a network
whose float32 in torch is off by as much, a file's may be off by twice that: the two round in other places."""
COARSE = 0.5
"""The most that an output of an int8 file may be off, of the greatest number of the output: one that is off by more was
not quantised but broken."""
_SINGLE = 4  # inputs


@dataclass(frozen=True)
class Difference:
    """The most that outputs are off from those of the network in float64."""

    absolute: float
    relative: float
    """Of the greatest number of the output."""

    @property
    def size(self) -> float:
        return min(self.absolute, self.relative)


@dataclass(frozen=True)
class Proof:
    """What a file is off by, and the emitted module in torch, for batches of one size."""

    batch: int
    emitted: Difference
    exported: Difference

    @property
    def holds(self) -> bool:
        return math.isfinite(self.exported.size) and self.exported.size <= max(TOLERANCE, 2 * self.emitted.size)


class Deployed(nn.Module):
    """A file in its runtime as a module: its first output."""

    def __init__(self, runner: Runner, single: bool) -> None:
        super().__init__()
        self._runner, self._single = runner, single

    def forward(self, x: Tensor) -> Tensor:
        """The output of a batch; of one input after another where the file takes no more."""
        parts = pieces(x, 1) if self._single else (x,)
        return torch.cat([torch.from_numpy(self._runner(part.contiguous().numpy())[0]) for part in parts])


def exact(network: nn.Module, inputs: Tensor) -> list[Tensor]:
    """The outputs of a network in float64.

    Raises:
        Exception: whatever a module raises that takes no float64.
    """
    with torch.no_grad():
        return listed(copy.deepcopy(network).double()(inputs.double()))


def proofs(network: nn.Module, runner: Runner, inputs: Tensor, batches: Sequence[int]) -> list[Proof]:
    """A proof for each size of a batch: of one some of the inputs are tried, of others all.

    Raises:
        Exception: whatever the module or the runtime raises.
    """
    expected = exact(network, inputs)

    def emitted(array: Array) -> list[Array]:
        with torch.no_grad():
            return [one.numpy() for one in listed(network(torch.from_numpy(array)))]

    found: list[Proof] = []
    for batch in batches:
        count = _SINGLE if batch == 1 else len(inputs)
        given, wanted = inputs[:count], [one[:count] for one in expected]
        found.append(Proof(batch, *(difference(wanted, one, given, batch) for one in (emitted, runner))))
    return found


def difference(expected: Sequence[Tensor], runner: Runner, inputs: Tensor, batch: int) -> Difference:
    """What a runner's outputs are off from those that are expected of the inputs, given in batches of one size;
    infinite where an output is of another shape or no number."""
    found = [runner(part.contiguous().numpy()) for part in pieces(inputs, batch)]
    absolute = relative = 0.0
    for i, one in enumerate(expected):
        other = torch.cat([torch.from_numpy(outputs[i]) for outputs in found])
        if one.shape != other.shape or not bool(torch.isfinite(one - other).all()):
            return Difference(math.inf, math.inf)
        apart = float((one - other).abs().max())
        absolute, relative = max(absolute, apart), max(relative, apart / (float(one.abs().max()) or 1.0))
    return Difference(absolute, relative)


def seconds(network: nn.Module, runner: Runner, image: Tensor, repeats: int) -> tuple[float, float]:
    """The median time of one input in the network and in the file, in turn: what slows the machine slows both."""
    array = image.contiguous().numpy()
    with torch.no_grad():
        times = [(_timed(lambda: network(image)), _timed(lambda: runner(array))) for _ in range(repeats + 1)]
    ours, theirs = zip(*times[1:], strict=True)
    return statistics.median(ours), statistics.median(theirs)


def _timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def settle(network: nn.Module, inputs: Tensor) -> None:
    """Give the batch norms of a network that was never trained the statistics of inputs: with those that they have at
    first, 0 and 1, the outputs of a deep network hardly depend on its input, and would prove nothing."""
    norms = [one for one in network.modules() if isinstance(one, nn.modules.batchnorm._BatchNorm)]  # pyright: ignore[reportPrivateUsage]
    kept = [norm.momentum for norm in norms]
    for norm in norms:
        norm.train().momentum = None
    with torch.no_grad():
        network(inputs)
    network.eval()
    for norm, momentum in zip(norms, kept, strict=True):
        norm.momentum = momentum
