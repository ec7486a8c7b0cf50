"""Weights that a training starts from, by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text
from torch import Tensor, nn

from nasir.files import Unreadable, parse_json
from nasir.ir.graph import Choices
from nasir.runs import mistakes
from nasir.supernets.starting import Given, Started
from nasir.weights import COUNTER, Weights, read_weights

CHOICES_KEY = "choices"
"""The entry of a file's metadata that says of which network of a space the weights are."""
_MOST_SHOWN = 12


@dataclass(frozen=True)
class Difference:
    """A weight, or a buffer, whose shape in the file is another than in the network; None where one has none."""

    name: str
    file: Sequence[int] | None
    network: Sequence[int] | None


@dataclass(frozen=True)
class Start:
    """The weights and buffers of a file that fit a network, and what does not."""

    path: Path
    digest: str
    """SHA-256 of the file."""
    taken: Mapping[str, Tensor]
    differences: Sequence[Difference]

    def put(self, network: nn.Module) -> None:
        """Give a network what it takes."""
        network.load_state_dict(self.taken, strict=False)

    def as_json(self) -> dict[str, Any]:
        """Itself as summary.json has it."""
        return {
            "file": str(self.path),
            "sha256": self.digest,
            "taken": len(self.taken),
            "new": [one.name for one in self.differences if one.network is not None],
            "not_used": [one.name for one in self.differences if one.file is not None],
        }


def given(weights: Weights) -> Given:
    """What a supernet can start from in weights."""
    try:
        found: Any = parse_json(weights.metadata.get(CHOICES_KEY, "null"))
    except Unreadable:
        found = None
    return Given(weights.tensors, cast(Choices, found) if isinstance(found, dict) else None)


def start_of(path: Path, network: nn.Module) -> Start:
    """What a network takes of a file.

    Raises:
        CompileError: where the file cannot be read, or none of its weights fits.
    """
    weights = read_weights(path)
    found = weights.tensors
    own = {name: value for name, value in network.state_dict().items() if isinstance(value, Tensor)}
    taken = {name: found[name] for name, tensor in own.items() if name in found and _fits(found[name], tensor)}
    if not any(name in taken for name, _ in network.named_parameters()):
        raise mistakes.nothing_fits(path, _first(found), _first(own))
    differences = [
        Difference(name, _shape(found.get(name)), _shape(own.get(name)))
        for name in {**own, **found}
        if name not in taken and not (name.endswith(COUNTER) and name not in found)
    ]
    return Start(path, weights.digest, taken, differences)


def supernet_start(weights: Weights, started: Started) -> Start:
    """What a supernet took of a file.

    Raises:
        CompileError: where none of its weights fits.
    """
    found = weights.tensors
    if not started.used:
        raise mistakes.nothing_fits(weights.path, _first(found), next(iter(started.missing), "nothing"))
    unused = [Difference(name, _shape(found[name]), None) for name in started.unused]
    lacking = (name for name in started.missing if name not in found and not name.endswith(COUNTER))
    missing = [Difference(name, None, ()) for name in lacking]
    return Start(weights.path, weights.digest, {name: found[name] for name in started.used}, [*unused, *missing])


def show_start(start: Start, console: Console) -> None:
    """What a training starts from, and each weight that it has not from there."""
    of = len(start.taken) + sum(one.network is not None for one in start.differences)
    words = f"starts from {start.path}: {len(start.taken)} of {of} weights and buffers"
    console.print(words, markup=False, soft_wrap=True)
    if not start.differences:
        return
    table = Table("weight", "in the file", "in the network", "", box=SIMPLE_HEAD, header_style="dim")
    for one in start.differences[:_MOST_SHOWN]:
        what = "not used" if one.network is None else "begins anew"
        table.add_row(Text(one.name), _told(one.file), _told(one.network), what)  # a name is no markup
    console.print(table)
    if (more := len(start.differences) - _MOST_SHOWN) > 0:
        console.print(f"and {more} more, told in summary.json", style="dim")


def _fits(tensor: Tensor, own: Tensor) -> bool:
    same_kind = tensor.is_floating_point() == own.is_floating_point() and tensor.is_complex() == own.is_complex()
    return tensor.shape == own.shape and same_kind and tensor.dtype != torch.bool


def _first(tensors: Mapping[str, Tensor]) -> str:
    return next((f"`{name}` {[*tensor.shape]}" for name, tensor in tensors.items()), "nothing")


def _shape(tensor: Tensor | None) -> tuple[int, ...] | None:
    return None if tensor is None else tuple(tensor.shape)


def _told(shape: Sequence[int] | None) -> str:
    return "-" if shape is None else " x ".join(map(str, shape)) or "a number"
