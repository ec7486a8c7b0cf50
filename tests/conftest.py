"""What several tests need: the spaces to test on, and emitted source as a live module."""

import os
import signal
from pathlib import Path

# Workers share the cores; threads that wait for them would only be in each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch

import nasir
from nasir import resources
from nasir.execution import network_class
from nasir.jobs.signals import Pauses
from tests.searches import run
from tests.spaces import TINY

CASES = Path(__file__).parent / "cases"


def all_spaces() -> list[Path]:
    """Every shipped space and the tests' own, which cover the parts of the language that no shipped one uses."""
    shipped = [p for p in sorted(resources.folder("spaces").rglob("*.nas")) if "lib" not in p.parts]
    return [*shipped, *sorted((CASES / "spaces").glob("*.nas"))]


SMALLER: dict[str, dict[str, int]] = {
    "chamnet": {"sizes": 48},
    "convnexts": {"size": 32, "width": 8},
    "darts": {"cells": 1, "size": 8, "width": 4},
    "densenets": {"size": 32, "depth": 1},
    "mnasnet": {"size": 48},
    "nasbench201": {"cells": 1, "size": 8},
    "natsbench": {"size": 8},
    "ofa_mobilenetv3": {"size": 48},
    "proxylessnas": {"size": 48},
    "resnets": {"size": 48, "width": 8},
    "single_path_nas": {"size": 48},
    "spos": {"size": 48},
    "unets": {"size": 16, "width": 2},
    "vgg11_bn": {"size": 32},
}
"""Settings by which tests have a space of less than its published size: what they test does not depend on it."""


def load_small(path: Path) -> nasir.Space:
    """A space, made small for tests where it is large."""
    return nasir.load(path, **SMALLER.get(path.stem, {}))


def tensors_of(output: object) -> list[torch.Tensor]:
    """The outputs of a network that returns one tensor, or several by their names."""
    return list(output.values()) if isinstance(output, dict) else [output]


def seeds(space: nasir.Space) -> range:
    """Seeds of random assignments: 20, one where nothing is decided, fewer for spaces of the papers' sizes."""
    if not space.decisions:
        return range(1)
    nodes = len(space.graph.nodes)
    return range(20 if len(space.decisions) < 30 and nodes < 200 else 4 if nodes < 1000 else 2)


def until_an_epoch_is_done(process) -> None:
    """Reads what a run prints up to its first epoch."""
    for line in process.stdout:
        if "1/" in (line if isinstance(line, str) else line.decode()):
            return


each_space = pytest.mark.parametrize("path", all_spaces(), ids=lambda p: p.stem)
each_searched_space = pytest.mark.parametrize(
    "path", [p for p in all_spaces() if p.parent.name != "zoo"], ids=lambda p: p.stem
)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def emitted(tmp_path):
    """A function from a decision-free space to its emitted module, imported from a real file."""

    def build(network: nasir.Space) -> torch.nn.Module:
        path = tmp_path / f"model_{len(list(tmp_path.iterdir()))}.py"
        path.write_text(nasir.emit(network), encoding="utf-8")
        return network_class(path)()

    return build


@pytest.fixture
def compiled(tmp_path):
    """A function from a program's text to its checked space."""

    def compile_text(text: str) -> nasir.Space:
        path = tmp_path / "space.nas"
        path.write_text(text, encoding="utf-8")
        return nasir.load(path)

    return compile_text


def stop_at(told, monkeypatch) -> None:
    """A signal at the step numbered `told`, and a save by the clock every other step."""
    asked = []

    def due(self):
        asked.append(1)
        if len(asked) == told:
            self.told = signal.SIGTERM
        return len(asked) % 2 == 0

    monkeypatch.setattr(Pauses, "due", due)
    monkeypatch.setattr(Pauses, "saved", lambda self: None)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A space, a folder, and the summary of a finished run of it in the folder's `first`."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("run")
    (folder / "tiny.nas").write_text(TINY, encoding="utf-8")
    space = nasir.load(folder / "tiny.nas")
    return space, folder, run(space, folder / "first")
