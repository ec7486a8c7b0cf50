"""Weights of a file of safetensors: read, and given to a network."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn

from nasir import mistakes
from nasir.files import Unreadable, parse_json, read_regular

COUNTER = "num_batches_tracked"
"""What torch calls the number of batches that a batch norm was trained on. It is none of a network's weights."""
_OF_TORCH = (b"PK\x03\x04", b"\x80")
"""What files of torch.save begin with: a zip of pickles, or a pickle."""
_SIZE = 8  # bytes that tell the header's length
_MOST_TOLD = 200  # characters of torch's words


@dataclass(frozen=True)
class Weights:
    """What is in a file."""

    path: Path
    digest: str
    """SHA-256 of the file."""
    tensors: Mapping[str, Tensor]
    """By names, in their order."""
    metadata: Mapping[str, str]

    def fill(self, network: nn.Module) -> None:
        """Give a network all of its weights. A count of batches that the file lacks, which no network computes with,
        begins anew.

        Raises:
            CompileError: where they are another network's.
        """
        try:
            load_all(network, self.tensors)
        except RuntimeError as error:
            own = {name for name in network.state_dict() if not name.endswith(COUNTER)}
            before = _before(own, self.tensors.keys())
            raise mistakes.other_weights(self.path, first_difference(error), before) from None


def read_weights(path: Path) -> Weights:
    """The weights of a file that the user named, or that stands beside a network.

    Raises:
        CompileError: where it cannot be read.
    """
    try:
        data = read_regular(path, None)
    except Unreadable as error:
        raise mistakes.no_weights(path, str(error)) from None
    try:
        # The library gives another order at each reading.
        tensors = dict(sorted(load(data).items()))
    except (SafetensorError, KeyError, RuntimeError, TypeError, ValueError) as error:  # as the damage is
        if data.startswith(_OF_TORCH):  # a header of safetensors may begin so as well
            raise mistakes.torchs_weights(path) from None
        raise mistakes.no_weights(path, " ".join(str(error).split())) from None
    return Weights(path, hashlib.sha256(data).hexdigest(), tensors, _metadata(data))


def _metadata(data: bytes) -> Mapping[str, str]:
    """What a file that the library has read says of itself: texts by names."""
    end = _SIZE + int.from_bytes(data[:_SIZE], "little")
    return parse_json(data[_SIZE:end]).get("__metadata__") or {}


def load_all(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """`load_state_dict`, but counts of batches may be missing."""
    counters = {name: value for name, value in network.state_dict().items() if name.endswith(COUNTER)}
    network.load_state_dict({**counters, **tensors})


def first_difference(error: Exception) -> str:
    """The first thing that `load_state_dict` says is different; of a long list of names the beginning."""
    first, *lines = str(error).splitlines() or [type(error).__name__]
    told = " ".join((lines[0] if lines and first.startswith("Error(s) in loading") else first).split())
    return told if len(told) <= _MOST_TOLD else f"{told[:_MOST_TOLD]} ..."


def _before(own: Collection[str], found: Collection[str]) -> str:
    """What stands before all of a network's own names in a file, as DataParallel's `module.`; nothing where that is not
    so."""
    first = min(own, default="")
    befores = (name.removesuffix(first) for name in found if first and name.endswith(f".{first}"))
    return next((before for before in befores if all(f"{before}{name}" in found for name in own)), "")
