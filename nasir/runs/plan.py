"""plan.json: what a run was asked for, and what it runs on; enough to repeat it, and to know it again."""

import platform
from collections.abc import Collection, Mapping
from dataclasses import dataclass, is_dataclass
from importlib.metadata import version
from typing import Any, cast

import torch
from rich.console import Console

from nasir.api import Space
from nasir.data import DataSet
from nasir.jobs.folder import DIGEST, RunFolder
from nasir.jobs.machine import local_rank, rank_count
from nasir.jobs.ranks import Ranks
from nasir.jobs.signals import Pauses
from nasir.lang.settings import Formula, Settings, record
from nasir.mistakes import no_device
from nasir.runs import mistakes
from nasir.runs.request import MOST_THREADS, Request, whole
from nasir.runs.shared import Shared
from nasir.runs.teaching import Teacher
from nasir.runs.weights import Start
from nasir.searching.metric import Metric, recorded
from nasir.searching.prices import Targets


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
    launchers: Collection[str] = ()
    """The `torchrun` of each machine, where one started it."""
    start: Start | None = None
    """What the network of a training starts from."""
    teacher: Teacher | None = None
    shared: Shared | None = None
    """The supernet that a search takes from another run."""


def plan(space: Space, job: Job, metrics: tuple[Metric, ...], goal: Targets | None = None) -> dict[str, Any]:
    """Every setting as used, and what it ran on."""
    return {
        "name": space.name,
        "space": space.source.text,
        "imports": {**space.imports, **{path: DIGEST + one.digest for path, one in space.device_files.items()}},
        "bounds": {bound.cost: bound.limit for bound in goal.bounds} if goal else {},
        **run_facts(space.settings, job, metrics),
    }


def run_facts(settings: Settings, job: Job, metrics: tuple[Metric, ...]) -> dict[str, Any]:
    """The settings of a run, and what it runs on. That inputs are images, and are judged by accuracy, is not said."""
    data = job.data
    kind = {"inputs": data.kind} if data.rank != IMAGES else {}
    judged = {"metrics": found} if (found := recorded(metrics)) else {}
    start = {"init": DIGEST + job.start.digest} if job.start else {}
    teacher = {"teacher": DIGEST + job.teacher.digest} if job.teacher else {}
    shared = {"supernet": DIGEST + job.shared.digest} if job.shared else {}
    return {
        **job.request.as_plan(),
        "data_set": data.name,
        "images": {"train": len(data.train), "test": len(data.test), "files": data.files},
        "split": data.split,
        "normalisation": {"mean": data.mean, "std": data.std},
        "settings": plain_settings(settings),
        **kind,
        **judged,
        **start,
        **teacher,
        **shared,
        "versions": {
            "nasir": version("nasir"),
            "python": platform.python_version(),
            "torch": torch.__version__,
        },
        "machine": platform.machine(),
        "threads": job.threads,
        "ranks": job.ranks.count,
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
            return {name: _plain(one) for name, one in record(value).items()}
        case _:
            return value


IMAGES = 2  # sizes of an input

_SAME = {
    "space": "another space",
    "imports": "other imports",
    "images": "other images",
    "settings": "other settings",
    "init": "other weights to start from",
    "teacher": "another teacher",
    "supernet": "another run's supernet",
}
"""What else than options must be the same in a plan to go on with it, as a user is told of it."""


def check_same_plan(folder: RunFolder, wanted: Mapping[str, Any], request: Request) -> Mapping[str, Any]:
    """The plan of the run in the folder.

    Raises:
        CompileError: where it is another than the wanted one, that of the request.
    """
    found = folder.read_json("plan.json")
    if found is None:
        raise mistakes.damaged_file(folder.path / "plan.json", "it is not a JSON object")
    try:
        whole("threads", found.get("threads"), 1, MOST_THREADS)
    except (TypeError, ValueError) as error:
        raise mistakes.damaged_file(folder.path / "plan.json", str(error)) from None
    different = [words for key, words in _SAME.items() if found.get(key) != wanted.get(key)]
    different += request.differences(found)
    if different:
        raise mistakes.another_run(folder.path, different)
    return found


def check_same_search(shared: Shared, wanted: Mapping[str, Any], request: Request) -> None:
    """A supernet is of the same search as this run's, but for the bounds.

    Raises:
        CompileError: where it is of another one.
    """
    different = [_SAME[key] for key in ("space", "imports", "images") if shared.plan.get(key) != wanted.get(key)]
    if shared.searched != wanted["settings"]["search"]:
        different.append(_SAME["settings"])
    different += request.differences(shared.plan)
    if different:
        raise mistakes.other_supernet(shared.path, different)


_OF_ALL_RANKS = ("seed", "classes", "skip_broken", "synchronised", "loss", "loss_named")
"""Options that all ranks have alike; where the data are, and on what it runs, may differ."""


def check_ranks_alike(ranks: Ranks, wanted: Mapping[str, Any]) -> None:
    """All ranks, on whatever machine, are about to do the same.

    Raises:
        CompileError: where one of them is not, on all.
    """
    facts = {words: wanted.get(key) for key, words in _SAME.items()}
    facts["other options"] = [wanted.get(name) for name in _OF_ALL_RANKS]
    facts["other versions"] = {name: wanted["versions"][name] for name in ("nasir", "torch")}
    every = ranks.gather(facts)
    if different := [words for words in facts if any(one[words] != every[0][words] for one in every)]:
        raise mistakes.ranks_differ(different)


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
        raise no_device(name) from None
    return device


def ranks_told(count: object) -> str:
    """The number of a run's processes, for those who read it."""
    return f"{count} process{'es' * (count != 1)}"


def versions_told(versions: object) -> str:
    """The versions of a plan, for those who read them."""
    if not isinstance(versions, dict):
        return "versions unknown"
    return ", ".join(f"{name} {version}" for name, version in cast("dict[str, Any]", versions).items())
