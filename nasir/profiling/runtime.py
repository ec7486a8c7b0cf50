"""What a runtime is to a profile: how kernels and networks run in it, or what it tells of a kernel without running."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, ClassVar

from nasir.cost.kernels import Fusions
from nasir.cost.profile import Profile
from nasir.cost.written import Written
from nasir.profiling.machine import processor_name
from nasir.profiling.measuring import Run

if TYPE_CHECKING:
    from torch import Tensor, nn


class Runtime(ABC):
    """A way in which networks run."""

    name: ClassVar[str]

    @abstractmethod
    def conditions(self) -> Mapping[str, str]:
        """What a device file says of it: `version`, `dtype`, `layout`.

        Raises:
            CompileError: where it is not installed.
        """


class Measured(Runtime):
    """A runtime whose runs are timed. `format` is that of its files (`nasir export --to`), where it has any."""

    format: ClassVar[str] = ""
    backends: ClassVar[tuple[str, ...]] = ("cpu",)
    """Kinds of torch device that it runs on."""

    def __init__(self, threads: int = 1, backend: str = "cpu") -> None:
        self.threads, self.backend = threads, backend

    @property
    def processor(self) -> str:
        """What computes, by its model."""
        return processor_name()

    @abstractmethod
    def network(self, module: "nn.Module", example: "Tensor") -> Run:
        """A module in evaluation, made ready to run on the example."""

    def kernel(self, module: "nn.Module", example: "Tensor") -> Run:
        """The same of one kernel, in evaluation: without what the runtime does for it only because it stands alone."""
        return self.network(module, example)


class Formula(Runtime):
    """A runtime that a formula stands for."""

    fusions: ClassVar[Fusions]
    """What runs as one in it."""

    @abstractmethod
    def figure(self, kernel: Written) -> float:
        """What a kernel takes, in us."""


def runtimes() -> Mapping[str, type[Runtime]]:
    """Every runtime there is, by name: those of the files of `nasir/profiling/runtimes`."""
    from nasir.profiling import runtimes as package

    found: dict[str, type[Runtime]] = {}
    for module in iter_modules(package.__path__):
        for offered in import_module(f"{package.__name__}.{module.name}").offered:
            found[offered.name] = offered
    return found


def runtime_of(profile: Profile) -> Measured | None:
    """The runtime whose figures a device file has, as it ran there; None where it is none that is measured here.

    Raises:
        CompileError: where it is not installed.
    """
    kind = runtimes().get(str(profile.conditions.get("runtime")))
    backend = str(profile.conditions.get("backend", "cpu"))
    if kind is None or not issubclass(kind, Measured) or backend not in kind.backends:
        return None
    return kind(int(profile.conditions.get("threads", 1)), backend)
