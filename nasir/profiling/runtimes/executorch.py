"""ExecuTorch's runtime on this machine, with its XNNPACK kernels."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from nasir.exporting.formats import format_named
from nasir.profiling.measuring import Run
from nasir.profiling.runtime import Measured

if TYPE_CHECKING:
    from torch import Tensor, nn


class ExecuTorch(Measured):
    """ExecuTorch by its Python bindings."""

    name = "executorch"
    format = "executorch"

    def __init__(self, threads: int = 1) -> None:
        super().__init__(threads)
        self._format = format_named(self.format)

    def conditions(self) -> Mapping[str, str]:
        self._format.library("executorch.runtime")
        return {"version": self._format.versions()["executorch"], "dtype": "float32", "layout": "as XNNPACK has it"}

    def network(self, module: "nn.Module", example: "Tensor") -> Run:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"network{self._format.suffix}"
            self._format.write(module, example, path)
            run = self._format.load(path, self.threads)
        inputs = example.numpy()
        run(inputs)  # the file is gone after this
        return lambda: run(inputs)


offered = (ExecuTorch,)
