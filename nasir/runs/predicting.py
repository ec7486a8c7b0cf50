"""What a trained network says of files: `deploy.json` and the weights are all that it takes."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from nasir.data.mistakes import broken_image
from nasir.data.preparation import Preparation
from nasir.data.prepared import prepared_as
from nasir.diagnostics import CompileError
from nasir.runs import mistakes
from nasir.runs.trained import Trained, trained

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

    Raises:
        CompileError: as `trained` does, or where `deploy.json` is missing or does not fit the network.
    """
    found = trained(path)
    preparation, names, tells = _preparation(found)
    outputs, *sizes = _outputs(found.network, preparation, path)
    if outputs != len(names):
        reason = f"the network tells {outputs} classes apart, and the file names {len(names)}"
        raise mistakes.deployment_of_another(path, reason)
    if tells == "values" and sizes:
        raise mistakes.maps_of_values(path, [outputs, *sizes])
    if (tells == "pixels") != bool(sizes) and tells in {"classes", "pixels"}:
        raise mistakes.deployment_of_another(path, f"the file says that outputs are {tells}")
    return Predictor(found.network, preparation, names, tells)


def _preparation(found: Trained) -> tuple[Preparation, list[str], str]:
    """How files become inputs, what outputs are called, and what they are."""
    facts = found.facts
    path = found.folder / "deploy.json"
    if not facts and not path.exists():
        raise mistakes.no_deployment(path, "it is missing, and the weights say nothing of it")
    if "prepared_by" in facts:
        raise mistakes.prepared_by_code(json.dumps(facts["prepared_by"]))
    try:
        tells = facts.get("outputs", "classes")
        if tells not in _MEANS:
            raise ValueError(f"outputs are none of {', '.join(_MEANS)}")
        return *prepared_as(facts), tells
    except ValueError as error:
        raise mistakes.no_deployment(path, error) from None


def _outputs(network: nn.Module, preparation: Preparation, path: Path) -> Sequence[int]:
    """The shape of the network's output for one input."""
    try:
        with torch.no_grad():
            return network.eval()(torch.zeros(1, *preparation.shape)).shape[1:]
    except Exception as error:  # whatever a module of the user's raises
        raise mistakes.deployment_of_another(path, f"the network does not take its inputs: {error}") from None
