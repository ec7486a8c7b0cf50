"""What a trained network says of image files: `deploy.json` and the weights are all that it takes."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from PIL import Image, UnidentifiedImageError
from safetensors import SafetensorError, safe_open
from torch import nn

from nasir.api import load
from nasir.data.preparation import FORMATS, Preparation, prepared_as
from nasir.diagnostics import CompileError, Diagnostic
from nasir.execution import network_class, proved, source_of
from nasir.files import Unreadable, parse_json, read_regular
from nasir.runs.deploying import DEPLOY_KEY
from nasir.runs.modules import made

WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class Prediction:
    """An image file and the classes that the network takes it for, likeliest first, with their probabilities."""

    file: str
    classes: Sequence[tuple[str, float]]


@dataclass(frozen=True)
class Predictor:
    """A network with its weights, and how images become its inputs."""

    network: nn.Module
    preparation: Preparation
    names: Sequence[str]

    def __call__(self, files: Sequence[str], top: int = 5) -> Iterator[Prediction]:
        """A prediction for each file.

        Raises:
            CompileError: where one is no image.
        """
        for file in files:
            try:
                with Image.open(file, formats=FORMATS) as image:
                    pixels = torch.from_numpy(self.preparation.pixels(image).copy())
            except UnidentifiedImageError:
                raise _unreadable(file, f"it is none of {', '.join(FORMATS)}") from None
            except Exception as error:  # whatever a damaged file makes a decoder raise
                raise _unreadable(file, str(getattr(error, "strerror", None) or error)) from None
            with torch.no_grad():
                shares = self.network(self.preparation.normalised(pixels[None])).softmax(1)[0]
            best = shares.topk(min(top, len(self.names)))
            numbers = cast("list[int]", best.indices.tolist())
            found = zip(numbers, cast("list[float]", best.values.tolist()), strict=True)
            yield Prediction(file, [(self.names[i], share) for i, share in found])


def predictor(path: Path) -> Predictor:
    """The predictor of a run folder, or of an emitted file with its weights beside it.

    Of a run folder no code is run: its network is compiled from `arch.nas`. A `.py` file is code that the caller named.

    Raises:
        CompileError: where the network, its weights or `deploy.json` are missing or do not fit each other.
    """
    if path.suffix == ".py":
        source = source_of(path)
        network, folder = made(path, source), path.parent
    else:
        folder = path
        if not os.path.isfile(folder / "arch.nas"):
            hint = "name a run that is finished, or an emitted `model.py` with `model.safetensors` beside it"
            if os.path.isfile(folder / "model.py"):
                hint = f"its network is code: name the file, `nasir predict {folder / 'model.py'} ...`, which runs it"
            raise CompileError(Diagnostic("E0901", f"`{path}` holds no network", hints=(hint,)))
        space = load(folder / "arch.nas")
        network = network_class(folder / "model.py", proved(space))()
    metadata = _take_weights(network, folder / WEIGHTS)
    preparation, names = _preparation(folder, metadata)
    outputs = _outputs(network, preparation, path)
    if outputs != len(names):
        message = f"`{path}` tells {outputs} classes apart, and {len(names)} are named"
        raise CompileError(Diagnostic("E0907", message))
    return Predictor(network.eval(), preparation, names)


def _take_weights(network: nn.Module, path: Path) -> dict[str, str]:
    try:
        reader: Any = safe_open(path, framework="pt")
        with reader as file:
            state: dict[str, torch.Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            metadata: dict[str, str] = file.metadata() or {}
        network.load_state_dict(state)
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        hint = "the weights are those that the run wrote beside the network"
        raise CompileError(Diagnostic("E0907", f"`{path}` does not fit the network: {reason}", hints=(hint,))) from None
    return metadata


def _preparation(folder: Path, metadata: dict[str, str]) -> tuple[Preparation, list[str]]:
    """`deploy.json`, or what the weights' metadata have of it."""
    path = folder / "deploy.json"
    try:
        found: Any = parse_json(read_regular(path) if os.path.lexists(path) else metadata.get(DEPLOY_KEY, "{}"))
        facts = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
        if "prepared_by" in facts:
            maker = json.dumps(facts["prepared_by"])
            hint = "prepare the images as it does, and call the network from Python"
            message = f"the images of the training were made by {maker}, and only it knows how"
            raise CompileError(Diagnostic("E0907", message, hints=(hint,)))
        return prepared_as(facts)
    except (Unreadable, ValueError) as error:
        raise CompileError(Diagnostic("E0907", f"`{path}` cannot be used: {error}")) from None


def _outputs(network: nn.Module, preparation: Preparation, path: Path) -> int:
    zeros = torch.zeros(1, preparation.channels, preparation.height, preparation.width)
    try:
        with torch.no_grad():
            return int(network.eval()(zeros).shape[1])
    except Exception as error:  # whatever a module of the user's raises
        raise CompileError(Diagnostic("E0907", f"`{path}` does not take the images: {error}")) from None


def _unreadable(file: str, reason: str) -> CompileError:
    return CompileError(Diagnostic("E0805", f"`{file}` cannot be read: {reason}"))
