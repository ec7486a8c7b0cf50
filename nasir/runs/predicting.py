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
from nasir.data.mistakes import broken_image
from nasir.data.preparation import FORMATS, Preparation, prepared_as
from nasir.execution import network_class, proved, source_of
from nasir.files import Unreadable, parse_json, read_regular
from nasir.runs import mistakes
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
                raise broken_image(file, f"it is none of {', '.join(FORMATS)}") from None
            except Exception as error:  # whatever a damaged file makes a decoder raise
                raise broken_image(file, str(getattr(error, "strerror", None) or error)) from None
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
            in_python = os.path.isfile(folder / "model.py")
            raise mistakes.network_in_python(path) if in_python else mistakes.no_network(path)
        space = load(folder / "arch.nas")
        network = network_class(folder / "model.py", proved(space))()
    metadata = _take_weights(network, folder / WEIGHTS)
    preparation, names = _preparation(folder, metadata)
    outputs = _outputs(network, preparation, path)
    if outputs != len(names):
        reason = f"the network tells {outputs} classes apart, and the file names {len(names)}"
        raise mistakes.deployment_of_another(path, reason)
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
        raise mistakes.other_weights(path, reason) from None
    return metadata


def _preparation(folder: Path, metadata: dict[str, str]) -> tuple[Preparation, list[str]]:
    """`deploy.json`, or what the weights' metadata have of it."""
    path = folder / "deploy.json"
    try:
        found: Any = parse_json(read_regular(path) if os.path.lexists(path) else metadata.get(DEPLOY_KEY, "{}"))
        facts = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
        if "prepared_by" in facts:
            raise mistakes.prepared_by_code(json.dumps(facts["prepared_by"]))
        return prepared_as(facts)
    except (Unreadable, ValueError) as error:
        raise mistakes.no_deployment(path, error) from None


def _outputs(network: nn.Module, preparation: Preparation, path: Path) -> int:
    zeros = torch.zeros(1, preparation.channels, preparation.height, preparation.width)
    try:
        with torch.no_grad():
            return int(network.eval()(zeros).shape[1])
    except Exception as error:  # whatever a module of the user's raises
        raise mistakes.deployment_of_another(path, f"the network does not take its images: {error}") from None
