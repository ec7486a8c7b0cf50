"""torch as it is: each op is called from Python.

On a GPU a call returns before it is done. A network is waited for; a kernel is called some times in a row first, for in
a network the next one is called while it runs.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from nasir import mistakes
from nasir.profiling.measuring import Run
from nasir.profiling.runtime import Measured

_IN_A_ROW = 20


class Eager(Measured):
    """torch without a compiler."""

    name = "torch"
    backends = ("cpu", "cuda")

    def __init__(self, threads: int = 1, backend: str = "cpu") -> None:
        super().__init__(threads, backend)
        if backend == "cuda" and not torch.cuda.is_available():
            raise mistakes.no_device(backend)

    @property
    def processor(self) -> str:
        return super().processor if self.backend == "cpu" else torch.cuda.get_device_name()

    def conditions(self) -> Mapping[str, str]:
        return {"version": torch.__version__, "dtype": "float32", "layout": "contiguous"}

    def network(self, module: nn.Module, example: Tensor) -> Run:
        return self._run(module.eval(), example, 1)

    def kernel(self, module: nn.Module, example: Tensor) -> Run:
        return self._run(module, example, 1 if self.backend == "cpu" else _IN_A_ROW)

    def _run(self, module: nn.Module, example: Tensor, runs: int) -> Run:
        torch.set_num_threads(self.threads)
        ready = self._ready(module.to(self.backend))
        return _Waited(ready, example.to(self.backend), runs)

    def _ready(self, module: nn.Module) -> Callable[[Tensor], object]:
        return module


class Compiled(Eager):
    """torch.compile with its own compiler, inductor."""

    name = "compile"

    def kernel(self, module: nn.Module, example: Tensor) -> Run:
        # Exported, each kernel is code of its own: torch compiles one piece of code for a few shapes, and no more.
        return super().kernel(torch.export.export(module.eval(), (example,)).module(), example)

    def _ready(self, module: nn.Module) -> Callable[[Tensor], object]:
        return torch.compile(module)  # pyright: ignore[reportUnknownMemberType]


class _Waited:
    """So many runs in a row, and the wait for what a GPU still does."""

    def __init__(self, module: Callable[[Tensor], object], example: Tensor, runs: int) -> None:
        self._module, self._example, self.runs = module, example, runs
        self._wait = torch.cuda.synchronize if example.is_cuda else None

    @torch.inference_mode()
    def __call__(self) -> None:
        for _ in range(self.runs):
            self._module(self._example)
        if self._wait is not None:
            self._wait()


offered = (Eager, Compiled)
