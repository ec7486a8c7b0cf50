"""What is exported: a network with its weights, what it takes, and the data that it is proved on."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from nasir.api import Space
from nasir.data import DataSet, Input, Shape, Split, input_of, load_data
from nasir.data.preparation import MOST_NUMBERS, MOST_SIZE, counted
from nasir.diagnostics import CompileError
from nasir.execution import network_class, proved
from nasir.exporting import mistakes
from nasir.exporting.proof import settle
from nasir.files import Unreadable, parse_json, read_regular
from nasir.lang.settings import Settings
from nasir.named import PYTHON
from nasir.runs.mistakes import images_not_taken
from nasir.runs.network_files import written_input
from nasir.runs.request import Request
from nasir.runs.trained import WEIGHTS, Trained, trained
from nasir.runs.weights import given
from nasir.searching.fitting import Output, fitted, output_of
from nasir.searching.measures import Measure
from nasir.weights import read_weights

_PROVED = 16  # inputs
_UNNAMED = "no data are named"


@dataclass(frozen=True)
class Subject:
    """A network in evaluation mode with its weights."""

    name: str
    network: nn.Module
    shape: Shape
    """Of an input, channels first."""
    weights: str
    """Where they are from, in words."""
    facts: Mapping[str, Any]
    """`deploy.json`; nothing where there is none."""
    data: DataSet | None
    without: str
    """Why there are no data, in words."""
    inputs: Tensor
    """That files are proved on, [N, channels, ...]."""
    drawn: str
    """Which those are, in words."""
    measure: Measure | None
    """By what it is judged on the data; None where it has several outputs."""


def of_program(network: Space, data: str, seed: int, init: Path | None = None) -> Subject:
    """A decision-free space with the weights of the file `init`, or torch's initial ones, drawn by the seed; on data
    that are named, or none. Of a space with decisions the network is the one that the file says it is of.

    Raises:
        CompileError: where decisions are left, or the weights or the data do not do.
    """
    weights = read_weights(init) if init is not None else None
    choices = given(weights).choices if weights else None
    if network.decisions and choices is not None:
        network = network.at(choices)
    source = proved(network)
    torch.manual_seed(seed)
    module: nn.Module = network_class(Path(f"{network.name}.py"), source)().eval()
    taken = input_of(network.graph)
    loaded = load_data(data, taken) if data else None
    output = _output_of(network)
    measure = fitted(loaded, output, network.settings, search=False)[1] if loaded and output else None
    inputs, drawn = _inputs(loaded, taken, seed, _UNNAMED)
    if weights is None:
        settle(module, inputs)
        told = f"torch's initialisation, seed {seed}; batch norms have the statistics of the inputs"
    else:
        weights.fill(module)
        told = str(init)
    return Subject(network.name, module, taken.shape, told, {}, loaded, _UNNAMED, inputs, drawn, measure)


def of_run(path: Path, data: str, seed: int, init: Path | None = None) -> Subject:
    """The trained network of a run folder, or of an emitted file with its weights beside it or in the file `init`; on
    data that are named, or on those of the run where they can be had without running code that the run's plan alone
    names.

    Raises:
        CompileError: as `trained` does, or where data that are named do not do.
    """
    found = trained(path, init)
    taken = _taken(found, path)
    plan = _plan(found.folder)
    loaded, without = _data(plan, taken, data)
    output = _output_of(found.space) if found.space else _output(found.network, taken, path)
    measure = None
    if loaded is not None and output is not None:
        settings = _settings(found.space.settings if found.space else Settings(), plan)
        loaded, measure = fitted(loaded, output, settings, search=False)
    name, weights = (found.space.name if found.space else path.stem), str(init or found.folder / WEIGHTS)
    inputs, drawn = _inputs(loaded, taken, seed, without)
    return Subject(name, found.network, taken.shape, weights, found.facts, loaded, without, inputs, drawn, measure)


def first(split: Split, count: int) -> Tensor:
    """So many of the first inputs, [N, channels, ...], not augmented."""
    index = torch.arange(min(count, len(split)))
    return torch.cat([x for x, _ in split.batches([index], None)])


def _inputs(data: DataSet | None, taken: Input, seed: int, without: str) -> tuple[Tensor, str]:
    if data is not None:
        found = first(data.test, _PROVED)
        return found, f"the first {len(found)} test inputs of {data.name}"
    noise = torch.randn(_PROVED, *taken.shape, generator=torch.Generator().manual_seed(seed))
    return noise, f"normal noise, seed {seed}: {without}"


def _plan(folder: Path) -> Mapping[str, Any]:
    """plan.json of a run; nothing where there is none."""
    try:
        found: Any = parse_json(read_regular(folder / "plan.json"))
    except Unreadable:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _taken(found: Trained, path: Path) -> Input:
    """What the network takes: its program says it, or its emitted file, or `deploy.json`."""
    if found.space is not None:
        return input_of(found.space.graph)
    if (written := written_input(found.source)) is not None:
        return written
    try:
        _, channels, *sizes = found.facts["input"]["shape"]
        shape = [counted(one, MOST_SIZE) for one in (channels, *sizes)]
        if len(sizes) > 2 or math.prod(shape) > MOST_NUMBERS:
            raise ValueError(f"{shape} is no shape of an input")
        return Input(shape[0], tuple(shape[1:]))
    except (LookupError, TypeError, ValueError):
        raise mistakes.unknown_input(path) from None


def _data(plan: Mapping[str, Any], taken: Input, named: str) -> tuple[DataSet | None, str]:
    """The data, and why there are none."""
    if named:
        return load_data(named, taken), ""
    name = plan.get("data")
    if not isinstance(name, str) or not name:
        return None, "no run is beside it, and no data are named"
    if name.startswith(PYTHON):
        return None, f"the run's data are made by code: name them, `--data {name}`"
    try:
        request = Request().repeat(plan, ())
        return load_data(name, taken, classes=request.classes, seed=request.seed, skip_broken=request.skip_broken), ""
    except CompileError as error:
        return None, f"the run's data are not here: {error.diagnostics[0].message}"
    except (LookupError, TypeError, ValueError, AttributeError):  # whatever was done to the file
        return None, "the run's plan.json is damaged"


def _settings(settings: Settings, plan: Mapping[str, Any]) -> Settings:
    """The settings with the loss of the run's training."""
    try:
        loss = plan["settings"]["train"]["loss"]
    except (LookupError, TypeError):
        return settings
    return replace(settings, train=replace(settings.train, loss=str(loss)))


def _output_of(network: Space) -> Output | None:
    """The output of a network that has one."""
    return None if network.graph.by_name[network.graph.output].shape.parts else output_of(network.graph)


def _output(network: nn.Module, taken: Input, path: Path) -> Output | None:
    """The same, of a module."""
    try:
        with torch.no_grad():
            found = network(torch.zeros(1, *taken.shape))
    except Exception as error:  # whatever a module of the user's raises
        raise images_not_taken(path, error, "its deployment", taken.shape) from None
    return Output(tuple(found.shape[1:]), f"the output of `{path}`") if isinstance(found, Tensor) else None
