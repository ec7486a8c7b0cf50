"""A trained network, of a run folder or of an emitted file with its weights beside it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from torch import nn

from nasir.api import Space, load
from nasir.execution import network_class, proved, source_of
from nasir.files import Unreadable, parse_json, read_regular
from nasir.runs import mistakes
from nasir.runs.deploying import DEPLOY_KEY
from nasir.runs.network_files import made
from nasir.weights import read_weights

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
    if weights is None and not os.path.lexists(folder / WEIGHTS):
        raise mistakes.no_weights_there(folder / WEIGHTS)
    found = read_weights(weights or folder / WEIGHTS)
    found.fill(network)
    return Trained(network.eval(), folder, _facts(folder / "deploy.json", found.metadata), space, source)


def _facts(path: Path, metadata: Mapping[str, str]) -> dict[str, Any]:
    try:
        found: Any = parse_json(read_regular(path) if os.path.lexists(path) else metadata.get(DEPLOY_KEY, "{}"))
    except Unreadable as error:
        raise mistakes.no_deployment(path, error) from None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
