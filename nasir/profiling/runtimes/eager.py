"""torch as it is: each op is called from Python."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from nasir.profiling.measuring import Run
from nasir.profiling.runtime import Measured


class Eager(Measured):
    """torch without a compiler."""

    name = "torch"
    words = "torch in eager mode, on the CPU"

    def conditions(self) -> Mapping[str, str]:
        return {"version": torch.__version__, "dtype": "float32", "layout": "contiguous"}

    def network(self, module: nn.Module, example: Tensor) -> Run:
        module.eval()
        torch.set_num_threads(self.threads)

        @torch.inference_mode()
        def run() -> object:
            return module(example)

        return run


class Compiled(Eager):
    """torch.compile with its own compiler, inductor."""

    name = "compile"
    words = "torch.compile (inductor), on the CPU; seconds a kernel to compile"

    def network(self, module: nn.Module, example: Tensor) -> Run:
        return super().network(torch.compile(module.eval()), example)  # pyright: ignore[reportArgumentType, reportUnknownMemberType]


offered = (Eager, Compiled)
