"""What a trained network says of files: `deploy.json` and the weights are all that it takes."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from nasir.api import load
from nasir.data.mistakes import broken_image
from nasir.data.preparation import Preparation
from nasir.data.prepared import prepared_as
from nasir.diagnostics import CompileError
from nasir.execution import network_class, proved, source_of
from nasir.files import Unreadable, parse_json, read_regular
from nasir.runs import mistakes
from nasir.runs.deploying import DEPLOY_KEY
from nasir.runs.modules import made

WEIGHTS = "model.safetensors"


_MEANS: Mapping[str, str] = {"classes": "probability", "labels": "probability", "pixels": "share", "values": "value"}
"""What the number beside a name is, by what outputs are."""


@dataclass(frozen=True)
class Prediction:
    """A file and what the network tells of it: names with numbers, as the predictor's `number` says; classes, labels
    and classes of pixels the likeliest first, values in their order."""

    file: str
    classes: Sequence[tuple[str, float]]


@dataclass(frozen=True)
class Predictor:
    """A network with its weights, how files become its inputs, and what its outputs are (`Measure.tells`)."""

    network: nn.Module
    preparation: Preparation
    names: Sequence[str]
    tells: str = "classes"

    @property
    def number(self) -> str:
        """What the number beside a name is: its `probability`, its `share` of the pixels, or its `value`."""
        return _MEANS[self.tells]

    def __call__(self, files: Sequence[str], top: int = 5) -> Iterator[Prediction]:
        """A prediction for each file.

        Raises:
            CompileError: where one cannot be read.
        """
        for file in files:
            try:
                found = torch.from_numpy(self.preparation.read(file).copy())
            except CompileError:
                raise
            except Exception as error:  # whatever a damaged file makes a decoder raise
                raise broken_image(file, str(getattr(error, "strerror", None) or error)) from None
            with torch.no_grad():
                told = self._told(self.network(self.preparation.normalised(found[None]))[0])
            if self.tells == "values":
                values = cast("list[float]", told[:top].tolist())
                yield Prediction(file, list(zip(self.names, values, strict=False)))
                continue
            best = told.topk(min(top, len(self.names)))
            numbers = cast("list[int]", best.indices.tolist())
            shares = zip(numbers, cast("list[float]", best.values.tolist()), strict=True)
            yield Prediction(file, [(self.names[i], share) for i, share in shares])

    def _told(self, output: Tensor) -> Tensor:
        """One number for each name, of the output for one input."""
        match self.tells:
            case "classes":
                return output.softmax(0)
            case "labels":
                return output.sigmoid().flatten(1).mean(1) if output.dim() > 1 else output.sigmoid()
            case "pixels":
                pixels = output.argmax(0).flatten()
                return torch.bincount(pixels, minlength=len(self.names)) / len(pixels)
            case _:
                return output


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
    preparation, names, tells = _preparation(folder, metadata)
    outputs, *sizes = _outputs(network, preparation, path)
    if outputs != len(names):
        reason = f"the network tells {outputs} classes apart, and the file names {len(names)}"
        raise mistakes.deployment_of_another(path, reason)
    if tells == "values" and sizes:
        raise mistakes.maps_of_values(path, [outputs, *sizes])
    if (tells == "pixels") != bool(sizes) and tells in {"classes", "pixels"}:
        raise mistakes.deployment_of_another(path, f"the file says that outputs are {tells}")
    return Predictor(network.eval(), preparation, names, tells)


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


def _preparation(folder: Path, metadata: dict[str, str]) -> tuple[Preparation, list[str], str]:
    """`deploy.json`, or what the weights' metadata have of it: how files become inputs, what outputs are called, and
    what they are."""
    path = folder / "deploy.json"
    try:
        found: Any = parse_json(read_regular(path) if os.path.lexists(path) else metadata.get(DEPLOY_KEY, "{}"))
        facts = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
        if "prepared_by" in facts:
            raise mistakes.prepared_by_code(json.dumps(facts["prepared_by"]))
        tells = facts.get("outputs", "classes")
        if tells not in _MEANS:
            raise ValueError(f"outputs are none of {', '.join(_MEANS)}")
        return *prepared_as(facts), tells
    except (Unreadable, ValueError) as error:
        raise mistakes.no_deployment(path, error) from None


def _outputs(network: nn.Module, preparation: Preparation, path: Path) -> Sequence[int]:
    """The shape of the network's output for one input."""
    try:
        with torch.no_grad():
            return network.eval()(torch.zeros(1, *preparation.shape)).shape[1:]
    except Exception as error:  # whatever a module of the user's raises
        raise mistakes.deployment_of_another(path, f"the network does not take its inputs: {error}") from None
