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
from nasir.exporting.format import Runner
from nasir.exporting.named import listed

TOLERANCE = 1e-4
"""The most that a number of a float32 file may differ from the network's: of 1, or of the greatest number of an output
that is greater."""


@dataclass(frozen=True)
class Difference:
    """Between the outputs of a file and of its network, for batches of one size."""

    batch: int
    absolute: float
    relative: float
    """Of the greatest number of the output."""

    @property
    def tolerable(self) -> bool:
        return min(self.absolute, self.relative) <= TOLERANCE


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
    """The outputs of a network in float64: what a file is held to. What torch's own float32 is off by is no fault of
    the file's, and of deep networks more than half of what the two differ by.

    Raises:
        Exception: whatever a module raises that takes no float64.
    """
    with torch.no_grad():
        return listed(copy.deepcopy(network).double()(inputs.double()))


def difference(expected: Sequence[Tensor], runner: Runner, inputs: Tensor, batch: int) -> Difference:
    """The greatest differences of a file's outputs from those that are expected of the inputs, given in batches of one
    size; infinite where an output is of another shape or no number."""
    found = [runner(part.contiguous().numpy()) for part in pieces(inputs, batch)]
    absolute = relative = 0.0
    for i, one in enumerate(expected):
        other = torch.cat([torch.from_numpy(outputs[i]) for outputs in found])
        if one.shape != other.shape or not bool(torch.isfinite(one - other).all()):
            return Difference(batch, math.inf, math.inf)
        apart = float((one - other).abs().max())
        absolute, relative = max(absolute, apart), max(relative, apart / (float(one.abs().max()) or 1.0))
    return Difference(batch, absolute, relative)


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


def worst(differences: Sequence[Difference]) -> Difference:
    """The one that is least tolerable."""
    return max(differences, key=lambda one: (min(one.absolute, one.relative), one.absolute))
