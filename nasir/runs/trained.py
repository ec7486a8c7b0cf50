"""A trained network, of a run folder or of an emitted file with its weights beside it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from nasir.api import Space, load
from nasir.execution import network_class, proved, source_of
from nasir.files import Unreadable, parse_json, read_regular
from nasir.runs import mistakes
from nasir.runs.deploying import DEPLOY_KEY
from nasir.runs.modules import made
from nasir.supernets.slicing import COUNTER
from nasir.weights import first_difference, read_weights

WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class Trained:
    """A network with its weights, in evaluation mode; the folder that it is in, and what `deploy.json`, or else the
    weights' metadata, say of it."""

    network: nn.Module
    folder: Path
    facts: dict[str, Any]
    space: Space | None
    """Of a run folder the program."""
    source: bytes
    """Of an emitted file its text."""


def trained(path: Path, weights: Path | None = None) -> Trained:
    """The network of a run folder, or of an emitted file with its weights beside it, or in the file `weights`.

    Of a run folder no code is run: its network is compiled from `arch.nas`. A `.py` file is code that the caller named.

    Raises:
        CompileError: where the network or its weights are missing or do not fit each other, or `deploy.json` is
            damaged.
    """
    if path.suffix == ".py":
        source = source_of(path)
        network, folder, space = made(path, source), path.parent, None
    else:
        folder = path
        if not os.path.isfile(folder / "arch.nas"):
            in_python = os.path.isfile(folder / "model.py")
            raise mistakes.network_in_python(path) if in_python else mistakes.no_network(path)
        space, source = load(folder / "arch.nas"), b""
        network = network_class(folder / "model.py", proved(space))()
    if weights is None:
        weights = folder / WEIGHTS
        state, metadata = _read(weights)
    else:
        (_, state), metadata = read_weights(weights), {}
    fill(network, weights, state)
    return Trained(network.eval(), folder, _facts(folder / "deploy.json", metadata), space, source)


def fill(network: nn.Module, path: Path, state: Mapping[str, torch.Tensor]) -> None:
    """Give a network all of its weights, those of the file. A count of batches that it lacks, which no network computes
    with, begins anew.

    Raises:
        CompileError: where they are another network's.
    """
    counters = {name: value for name, value in network.state_dict().items() if name.endswith(COUNTER)}
    try:
        network.load_state_dict({**counters, **state})
    except RuntimeError as error:
        raise mistakes.other_weights(path, first_difference(error)) from None


def _read(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The weights that a run wrote, and what it says of them."""
    try:
        reader: Any = safe_open(path, framework="pt")
        with reader as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except OSError as error:
        raise mistakes.no_weights_there(path, error.strerror or str(error)) from None
    except (SafetensorError, RuntimeError) as error:
        raise mistakes.other_weights(path, first_difference(error)) from None


def _facts(path: Path, metadata: dict[str, str]) -> dict[str, Any]:
    try:
        found: Any = parse_json(read_regular(path) if os.path.lexists(path) else metadata.get(DEPLOY_KEY, "{}"))
    except Unreadable as error:
        raise mistakes.no_deployment(path, error) from None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
