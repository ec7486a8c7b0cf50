"""What a format of exported networks is. Nothing here imports torch or another library of a format."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nasir.exporting import mistakes

if TYPE_CHECKING:
    from torch import Tensor, nn

Array = NDArray[np.float32]
Runner = Callable[[Array], Sequence[Array]]
"""A file in its runtime: from inputs [N, channels, ...] to the network's outputs, in their order."""
INPUTS = ("vector", "signal", "image")
"""What the input of a file is called, by the number of its sizes."""
OUTPUT = "output"
"""What the output of a network is called that has one."""


class Format(ABC):
    """A format with its runtime: how a network is written, and how the file is run again."""

    name: ClassVar[str]
    """What `--to` calls it."""
    title: ClassVar[str]
    """The runtime, for a reader."""
    suffix: ClassVar[str]
    """The ending of a file, with its dot."""
    extra: ClassVar[str] = ""
    """The extra of nasir that installs what it needs; empty where torch is enough."""
    libraries: ClassVar[tuple[str, ...]]
    """The distributions that write and run a file; an export records their versions."""
    quantises: ClassVar[bool] = True
    """It has a quantiser to int8."""
    any_batch: ClassVar[bool] = True
    """A file takes batches of any size, not of the example's alone."""

    @abstractmethod
    def write(self, module: "nn.Module", example: "Tensor", path: Path, told: Mapping[str, str] | None = None) -> None:
        """Write a module in evaluation mode that takes inputs as the example, float32 [N, channels, ...], and returns
        a tensor, or several by their names. `told` is what the file says beside, where its format has a place for it.

        Raises:
            CompileError: where a library is not installed.
            Exception: whatever the library raises that cannot write it.
        """

    @abstractmethod
    def load(self, path: Path, threads: int = 1) -> Runner:
        """A file in the format's own runtime, on so many threads of the CPU.

        Raises:
            CompileError: where a library is not installed.
            Exception: whatever the runtime raises that cannot read it.
        """

    def quantise(
        self,
        module: "nn.Module",
        example: "Tensor",
        path: Path,
        batches: Iterable["Tensor"],
        told: Mapping[str, str] | None = None,
    ) -> None:
        """As `write`, in int8: the ranges of the maps are those that the batches, float32 [N, channels, ...], have.

        Raises:
            CompileError: where the format has no quantiser here, or a library is not installed.
            Exception: whatever the library raises that cannot write it.
        """
        raise mistakes.no_quantiser(self.name)

    def library(self, module: str) -> Any:
        """A module of one of the libraries.

        Raises:
            CompileError: where it is not installed.
        """
        try:
            return import_module(module)
        except ImportError as error:
            raise mistakes.not_installed(self.name, self.extra, error) from error

    def versions(self) -> dict[str, str]:
        """The libraries that are installed, with their versions."""
        found: dict[str, str] = {}
        for name in self.libraries:
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                continue
        return found
