"""A whole run: search, derive, emit, train; everything into one folder."""

import ast
import json
import platform
import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from safetensors.torch import save
from torch.utils.flop_counter import FlopCounterMode

from nasir.api import Space, emit
from nasir.diagnostics import CompileError, Diagnostic
from nasir.ir.graph import Choices
from nasir.lang.settings import Formula, Settings
from nasir.search.constraint import check_reachable
from nasir.search.data import DataSet, Input, check_classes, input_of, load_data
from nasir.search.loop import Search
from nasir.search.modules import network_class
from nasir.search.progress import progress
from nasir.search.run_folder import RunFolder
from nasir.search.training import accuracy, train


@dataclass(frozen=True)
class Request:
    """What a user asks of `nasir search`."""

    data: str
    out: Path
    seed: int = 0
    device: str = "auto"
    resume: bool = False
    overwrite: bool = False


@dataclass(frozen=True)
class Summary:
    """What a run found. Accuracies are shares; `macs` multiply-adds; `seconds` wall time."""

    name: str
    macs: int
    params: int
    test_accuracy: float
    supernet_accuracy: float | None
    seconds: float


@dataclass(frozen=True)
class Result:
    """A run's summary, its network, and the choices that the network uses (none where nothing was searched)."""

    summary: Summary
    network: Space
    chosen: Choices


def search(space: Space, request: Request, console: Console) -> Result:
    """Run the main job.

    Raises:
        CompileError: where the space, the data, the bounds or the folder do not do.
    """
    if not space.decisions:
        hint = "`nasir train` trains a network that is decided"
        raise CompileError(
            Diagnostic("E0605", f"`{space.name}` has nothing to search: no set is left in it", hints=(hint,))
        )
    start = time.perf_counter()
    device = pick_device(request.device)
    data = load_data(request.data, input_of(space.graph))
    check_classes(space.graph, data)
    check_reachable(space.costs, space.settings.objective.bounds)
    for choices in (space.largest(), space.smallest(), space.sample(request.seed)):
        space.arch(choices)  # what cannot be written out is said before the search, not after it
    folder = RunFolder(request.out)
    loop = _prepare(space, data, request, folder, device)
    with progress(console, "search", space.settings.search.epochs, loop.epoch) as report:
        loop.run(folder, report)
    choices = loop.choose()
    supernet_accuracy = loop.accuracy(choices)
    folder.write_json("choices.json", choices)
    network = space.at(choices)
    folder.write("arch.nas", space.arch(choices))
    folder.write("model.py", emit(network))
    if (taken := input_of(network.graph)) != input_of(space.graph):
        data = load_data(request.data, taken)
    costs, settings = network.costs.at({}), space.settings
    summary = _train(
        network.name, costs, data, settings, request.seed, device, folder, console, start, supernet_accuracy
    )
    return Result(summary, network, space.active(choices))


def train_network(network: Space, request: Request, console: Console) -> Result:
    """Train a decision-free space from scratch.

    Raises:
        CompileError: where decisions are left, or the data or the folder do not do.
    """
    emit(network)  # a diagnostic where decisions are left
    start = time.perf_counter()
    data = load_data(request.data, input_of(network.graph))
    check_classes(network.graph, data)
    folder = RunFolder(request.out)
    folder.start(overwrite=request.overwrite)
    folder.write_json("plan.json", plan(network, request, data))
    folder.write("arch.nas", network.source.text)
    device = pick_device(request.device)
    folder.write("model.py", emit(network))
    costs, settings = network.costs.at({}), network.settings
    summary = _train(network.name, costs, data, settings, request.seed, device, folder, console, start, None)
    return Result(summary, network, {})


def train_file(path: Path, settings: Settings, request: Request, console: Console) -> Summary:
    """Train the module that an emitted file defines.

    Raises:
        CompileError: where the file defines none, it does not take the data's images, or the folder does not do.
    """
    start = time.perf_counter()
    module = network_class(path)()
    data = load_data(request.data, _input_of(path))
    image, _ = next(data.train.batches([torch.tensor([0])], None))
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            logits = module.eval()(image)
    except RuntimeError as error:
        hint = f"the images of `{data.name}` are {list(image.shape[1:])}"
        raise CompileError(Diagnostic("E0802", f"`{path}` does not take the images: {error}", hints=(hint,))) from None
    if logits.shape != (1, data.classes):
        raise CompileError(
            Diagnostic("E0802", f"`{path}` does not tell the {data.classes} classes of `{data.name}` apart")
        )
    folder = RunFolder(request.out)
    folder.start(overwrite=request.overwrite)
    folder.write("model.py", path.read_text(encoding="utf-8"))
    folder.write_json("plan.json", {"source": path.name, **run_facts(settings, request, data)})
    costs = {"macs": int(counter.get_total_flops()) // 2, "params": sum(p.numel() for p in module.parameters())}
    device = pick_device(request.device)
    return _train(path.stem, costs, data, settings, request.seed, device, folder, console, start, None)


def _input_of(path: Path) -> Input | None:
    """What an emitted file's network takes, by the file's docstring; None where it does not say."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    found = re.search(r"images of shape \[N, (\d+), (\d+), \2\]", text)
    return Input(int(found[1]), int(found[2])) if found else None


def _prepare(space: Space, data: DataSet, request: Request, folder: RunFolder, device: torch.device) -> Search:
    """A search at its beginning, or at its last checkpoint."""
    loop = Search(space, data, request.seed, device)
    wanted = plan(space, request, data)
    if not request.resume:
        folder.start(overwrite=request.overwrite)
        folder.write_program("space.nas", space.source.text, space.imports)
        folder.write_json("plan.json", wanted)
        return loop
    _check_same_plan(folder, wanted)
    state = folder.load_checkpoint()
    if state is not None:
        loop.restore(state)
    kept = [line for line in folder.lines("metrics.jsonl") if line["phase"] == "search" and line["epoch"] < loop.epoch]
    folder.keep_lines("metrics.jsonl", kept)
    return loop


def _check_same_plan(folder: RunFolder, wanted: dict[str, Any]) -> None:
    path = folder.path / "plan.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        hint = "leave out `--resume` to start it"
        raise CompileError(Diagnostic("E0901", f"`{folder.path}` holds no run to resume", hints=(hint,))) from None
    different = [
        key for key in ("space", "imports", "seed", "data", "images", "settings") if found.get(key) != wanted[key]
    ]
    if different:
        hint = "resume with the same file and settings, or start again with `--overwrite`"
        message = f"the run in `{folder.path}` is of other {' and other '.join(different)}"
        raise CompileError(Diagnostic("E0901", message, hints=(hint,)))


def _train(
    name: str,
    costs: Mapping[str, int],
    data: DataSet,
    settings: Settings,
    seed: int,
    device: torch.device,
    folder: RunFolder,
    console: Console,
    start: float,
    supernet_accuracy: float | None,
) -> Summary:
    torch.manual_seed(seed)
    module = network_class(folder.path / "model.py")()
    with progress(console, "train ", settings.train.epochs) as report:
        train(module, data, settings.train, seed, device, folder, report)
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()}
    folder.write("model.safetensors", save(state))
    test_accuracy = accuracy(module, data.test.to(device), settings.train.batch)
    seconds = time.perf_counter() - start
    summary = Summary(name, costs["macs"], costs["params"], test_accuracy, supernet_accuracy, seconds)
    folder.write_json("summary.json", asdict(summary))
    return summary


def plan(space: Space, request: Request, data: DataSet) -> dict[str, Any]:
    """Every setting as used, and what it ran on."""
    return {
        "space": space.source.text,
        "imports": dict(space.imports),
        **run_facts(space.settings, request, data),
    }


def run_facts(settings: Settings, request: Request, data: DataSet) -> dict[str, Any]:
    """The settings of a run, and what it runs on."""
    return {
        "data": request.data,
        "images": {"train": len(data.train), "test": len(data.test), "files": data.files},
        "normalisation": {"mean": data.mean, "std": data.std},
        "seed": request.seed,
        "settings": _plain(asdict(settings)),
        "versions": {
            "nasir": version("nasir"),
            "python": platform.python_version(),
            "torch": torch.__version__,
        },
        "machine": platform.machine(),
        "threads": torch.get_num_threads(),
        "device": str(pick_device(request.device)),
    }


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {k: _plain(v) for k, v in value.items() if k != "tree"}  # pyright: ignore[reportUnknownVariableType]
        case list() | tuple():
            return [_plain(v) for v in value]  # pyright: ignore[reportUnknownVariableType]
        case Formula():
            return value.text
        case _:
            return value


def pick_device(name: str) -> torch.device:
    """A torch device; `auto` is the GPU where there is one.

    Raises:
        CompileError: where there is no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, ValueError):
        raise CompileError(
            Diagnostic("E0904", f"there is no device `{name}` here", hints=("use `cpu`, `cuda` or `cuda:N`",))
        ) from None
    return device
