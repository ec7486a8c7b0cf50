"""plan.json: what a run was asked for, and what it runs on; enough to repeat it, and to know it again."""

import platform
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, fields, is_dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from nasir.api import Space
from nasir.lang.settings import Formula, Settings
from nasir.searching import mistakes
from nasir.searching.constraint import Targets
from nasir.searching.data import DataSet, anchored
from nasir.searching.machine import local_rank, rank_count
from nasir.searching.pausing import Pauses
from nasir.searching.ranks import Ranks
from nasir.searching.run_folder import RunFolder


@dataclass(frozen=True)
class Request:
    """What a user asks of `nasir search` and `nasir train`. `given` is how the settings came about, for repeating."""

    data: str
    out: Path
    _: KW_ONLY
    seed: int = 0
    device: str = "auto"
    resume: bool = False
    overwrite: bool = False
    classes: str | None = None
    skip_broken: bool = False
    synchronised: bool = False
    tensorboard: bool = False
    threads: int | None = None
    given: Mapping[str, list[str]] = field(default_factory=dict[str, list[str]])


@dataclass(frozen=True)
class Job:
    """One run while it runs."""

    request: Request
    data: DataSet
    device: torch.device
    ranks: Ranks
    folder: RunFolder
    pauses: Pauses
    console: Console
    began: float
    """When this process began, in seconds since 1970."""
    resumes: bool
    """There is a run to go on with, and it is to go on."""
    threads: int
    """That compute, of those that torch has."""


def plan(space: Space, job: Job, goal: Targets | None = None) -> dict[str, Any]:
    """Every setting as used, and what it ran on."""
    return {
        "name": space.name,
        "space": space.source.text,
        "imports": dict(space.imports),
        "bounds": {bound.cost: bound.limit for bound in goal.bounds} if goal else {},
        **run_facts(space.settings, job),
    }


def run_facts(settings: Settings, job: Job) -> dict[str, Any]:
    """The settings of a run, and what it runs on."""
    request, data = job.request, job.data
    return {
        "data": anchored(request.data),
        "data_set": data.name,
        "classes": request.classes,
        "skip_broken": request.skip_broken,
        "images": {"train": len(data.train), "test": len(data.test), "files": data.files},
        "split": data.split,
        "normalisation": {"mean": data.mean, "std": data.std},
        "seed": request.seed,
        "given": {name: list(texts) for name, texts in request.given.items()},
        "settings": plain_settings(settings),
        "versions": {
            "nasir": version("nasir"),
            "python": platform.python_version(),
            "torch": torch.__version__,
        },
        "machine": platform.machine(),
        "threads": job.threads,
        "device": str(job.device),
        "ranks": job.ranks.count,
        "synchronised": request.synchronised,
    }


def plain_settings(settings: Settings) -> dict[str, Any]:
    """The settings as JSON has them."""
    return _plain(settings)


def _plain(value: Any) -> Any:
    match value:
        case Formula():
            return value.text
        case list() | tuple():
            return [_plain(v) for v in value]  # pyright: ignore[reportUnknownVariableType]
        case _ if is_dataclass(value):
            return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
        case _:
            return value


_SAME = {
    "space": "another space",
    "imports": "other imports",
    "seed": "another seed",
    "data": "other data",
    "images": "other images",
    "settings": "other settings",
    "classes": "other `--classes`",
    "synchronised": "another `--sync-bn`",
    "ranks": "another number of ranks",
}
"""What of a plan must be the same to go on with it, as a user is told of it."""


MOST_SEED = 2**31 - 1
MOST_THREADS = 1_024


def whole(value: object, least: int, most: int = 2**53) -> int:
    """A whole number of a file that may have been changed.

    Raises:
        ValueError: where it is none from `least` to `most`.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{str(value)[:40]} is no whole number from {least} to {most:,}")
    return value


def check_same_plan(folder: RunFolder, wanted: Mapping[str, Any], threads: int | None = None) -> Mapping[str, Any]:
    """The plan of the run in the folder; `threads` are those asked for, if any.

    Raises:
        CompileError: where it is another than the wanted one.
    """
    found = folder.read_json("plan.json")
    if found is None:
        raise mistakes.damaged_plan(folder.path / "plan.json")
    different = [words for key, words in _SAME.items() if found.get(key) != wanted[key]]
    try:
        whole(found.get("threads"), 1, MOST_THREADS)
    except ValueError as error:
        raise mistakes.damaged_plan(folder.path / "plan.json", f"its `threads` are wrong, {error}") from None
    if threads is not None and found["threads"] != threads:
        different.append("another `--threads`")
    if found.get("skip_broken") and not wanted["skip_broken"]:  # what had to be read until now could be, the other way
        different.append("`--skip-broken`")
    if str(found.get("device")).split(":")[0] != wanted["device"].split(":")[0]:
        different.append("another device")
    if different:
        raise mistakes.another_run(folder.path, different)
    return found


def pick_device(name: str) -> torch.device:
    """A torch device; `auto` is the GPU where there is one. Of several GPUs, `auto` and `cuda` are this rank's.

    Raises:
        CompileError: where there is no such device, or all ranks would take one GPU.
    """
    if name == "cuda" or (name == "auto" and torch.cuda.is_available()):
        name = f"cuda:{local_rank()}"
    elif name == "auto":
        name = "cpu"
    elif name.startswith("cuda:") and rank_count() > 1:
        raise mistakes.one_device_for_all(name)
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, ValueError):
        raise mistakes.no_device(name) from None
    return device
