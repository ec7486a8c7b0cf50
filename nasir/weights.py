"""Weights that a user names: files of safetensors."""

import hashlib
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from nasir import mistakes
from nasir.files import Unreadable, read_regular

_OF_TORCH = (b"PK\x03\x04", b"\x80")
"""What files of torch.save begin with: a zip of pickles, or a pickle."""
_MOST_TOLD = 200  # characters of torch's words


def read_weights(path: Path) -> tuple[str, dict[str, Tensor]]:
    """The digest of a file (SHA-256), and what is in it, by names in their order: the library gives another at each
    reading.

    Raises:
        CompileError: where it cannot be read.
    """
    try:
        data = read_regular(path, None)
    except Unreadable as error:
        raise mistakes.no_weights(path, str(error)) from None
    try:
        return hashlib.sha256(data).hexdigest(), dict(sorted(load(data).items()))
    except (SafetensorError, KeyError, RuntimeError, TypeError, ValueError) as error:  # as the damage is
        if data.startswith(_OF_TORCH):  # a header of safetensors may begin so as well
            raise mistakes.torchs_weights(path) from None
        raise mistakes.no_weights(path, " ".join(str(error).split())) from None


def first_difference(error: Exception) -> str:
    """The first thing that `load_state_dict` says is different; of a long list of names the beginning."""
    first, *lines = str(error).splitlines() or [type(error).__name__]
    told = " ".join((lines[0] if lines and first.startswith("Error(s) in loading") else first).split())
    return told if len(told) <= _MOST_TOLD else f"{told[:_MOST_TOLD]} ..."
