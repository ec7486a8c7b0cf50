"""torch's own format of programs without Python source, `.pt2`, read by `torch.export.load`; what `torch.compile`,
AOTInductor and ExecuTorch start from."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasir.exporting.format import Array, Format, Runner

if TYPE_CHECKING:
    from torch import Tensor, nn


class Pt2(Format):
    """Graph and weights in one archive; the batch may be of any size. torch needs no extra."""

    name = "pt2"
    title = "torch.export"
    suffix = ".pt2"
    libraries = ("torch",)
    quantises = False

    def write(self, module: "nn.Module", example: "Tensor", path: Path, told: Mapping[str, str] | None = None) -> None:
        import torch

        from nasir.exporting.quiet import muted
        from nasir.exporting.traced import traced

        content = io.BytesIO()
        with muted():
            torch.export.save(traced(module.eval(), example), content, extra_files=dict(told or {}))
        path.write_bytes(content.getvalue())

    def load(self, path: Path, threads: int = 1) -> Runner:
        import torch

        from nasir.exporting.named import listed
        from nasir.exporting.quiet import muted

        with muted():
            module: Any = torch.export.load(str(path)).module()
        torch.set_num_threads(threads)

        def run(inputs: Array) -> list[Array]:
            with torch.no_grad():
                return [one.numpy() for one in listed(module(torch.from_numpy(inputs)))]

        return run
