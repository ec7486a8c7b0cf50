"""The supernet of another run, which a search for other bounds takes in place of training one."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from torch import Tensor

from nasir.jobs.folder import RunFolder
from nasir.runs import mistakes


@dataclass(frozen=True)
class Shared:
    """The state of a search that is done with its training, and the plan of its run."""

    path: Path
    plan: Mapping[str, Any]
    state: Mapping[str, Any]
    digest: str
    """SHA-256 of the state's tensors."""

    @property
    def searched(self) -> Mapping[str, Any]:
        """The settings of its search."""
        return self.plan["settings"]["search"]


def shared_of(path: Path) -> Shared:
    """The supernet of a run folder.

    Raises:
        CompileError: where it has none, or one that is not trained to the end, or its files are damaged.
    """
    folder = RunFolder(path)
    plan, state = folder.read_json("plan.json"), folder.load_checkpoint("search")
    if plan is None or state is None:
        raise mistakes.no_supernet(path, "no search is saved in it")
    try:
        epoch, epochs = int(state["epoch"]), int(plan["settings"]["search"]["epochs"])
    except (LookupError, TypeError, ValueError):
        raise mistakes.damaged_file(path / "plan.json", "it says nothing of the search") from None
    if epoch < epochs:
        raise mistakes.no_supernet(path, f"its search is at epoch {epoch} of {epochs}")
    digest = hashlib.sha256()
    for tensor in _tensors(state):
        digest.update(tensor.contiguous().numpy().tobytes())
    return Shared(path, plan, state, digest.hexdigest())


def _tensors(value: object) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for one in cast("Mapping[str, object]", value).values():
            yield from _tensors(one)
    elif isinstance(value, list | tuple):
        for one in cast("list[object]", value):
            yield from _tensors(one)
