"""A trained network whose probabilities a training learns as well."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from torch import Tensor, nn

from nasir.data import DataSet
from nasir.execution import network_class, proved
from nasir.runs import mistakes
from nasir.runs.network_files import checked
from nasir.runs.trained import trained


@dataclass(frozen=True)
class Teacher:
    """What makes the network on any process: its source, and its weights and buffers."""

    path: Path
    source: str | bytes
    state: Mapping[str, Tensor]
    digest: str
    """SHA-256 of both."""

    def network(self, data: DataSet) -> nn.Module:
        """The network in evaluation mode, once it is known to tell the classes of the data.

        Raises:
            CompileError: where it does not take the data's inputs, or the targets are no classes, or others.
        """
        found = network_class(self.path, self.source)()
        found.load_state_dict(self.state)
        if not data.target.is_class:
            raise mistakes.teaches_classes_alone(self.path)
        _, output = checked(found, self.path, data)
        if (told := output.shape[0] if output.shape else 0) != data.classes:
            raise mistakes.teaches_other_classes(self.path, told, data.classes)
        return found.eval().requires_grad_(False)

    def as_json(self) -> dict[str, Any]:
        """Itself as summary.json has it."""
        return {"file": str(self.path), "sha256": self.digest}

    def show(self, console: Console) -> None:
        """Say that there is one."""
        console.print(f"learns from {self.path} as well", markup=False, soft_wrap=True)


def teacher_of(path: Path) -> Teacher:
    """The teacher that a run folder has, or an emitted file with its weights beside it.

    Raises:
        CompileError: as `trained` does.
    """
    found = trained(path)
    source = proved(found.space) if found.space else found.source
    state = {name: tensor.detach().clone() for name, tensor in found.network.state_dict().items()}
    digest = hashlib.sha256(source.encode() if isinstance(source, str) else source)
    for name, tensor in sorted(state.items()):
        digest.update(name.encode() + b"\0" + tensor.contiguous().numpy().tobytes())
    return Teacher(path, source, state, digest.hexdigest())
