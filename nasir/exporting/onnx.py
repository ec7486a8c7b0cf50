"""ONNX, run by onnxruntime.

A network is written by torch's exporter of traced modules (`dynamo=False`). torch calls it the old one; the new one, of
torch.export, takes ten times as long (seven seconds for MobileNetV2, 0.8 for one convolution) and writes into each node
where in which file of this machine it was called. An emitted module has no control flow that a trace could miss, and
each file is compared with its module.
"""

import contextlib
import io
import os
import sys
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasir.exporting.format import INPUTS, Array, Format, Runner

if TYPE_CHECKING:
    from torch import Tensor, nn

_ERRORS_ALONE = 3


@contextlib.contextmanager
def _muted() -> Generator[None]:
    """Nothing goes to standard output: where it fails, the exporter prints the whole graph from C++."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


class Onnx(Format):
    """One file with graph and weights; the batch is an axis `N` of any size."""

    name = "onnx"
    title = "onnxruntime"
    suffix = ".onnx"
    extra = "onnx"
    libraries = ("onnx", "onnxruntime")

    def write(self, module: "nn.Module", example: "Tensor", path: Path, told: Mapping[str, str] | None = None) -> None:
        import torch

        from nasir.exporting.named import named_outputs
        from nasir.exporting.symbolics import OPSET, taught

        self.library("onnx")
        taken = INPUTS[example.dim() - 2]
        flat, names = named_outputs(module, example)
        content = io.BytesIO()
        with taught(), torch.no_grad(), _muted():
            torch.onnx.export(
                flat,
                (example,),
                content,  # pyright: ignore[reportArgumentType] what is traced may be written to any file
                dynamo=False,
                opset_version=OPSET,
                input_names=[taken],
                output_names=names,
                dynamic_axes={name: {0: "N"} for name in (taken, *names)},
            )
        path.write_bytes(self._with_metadata(content.getvalue(), told) if told else content.getvalue())

    def _with_metadata(self, content: bytes, told: Mapping[str, str]) -> bytes:
        onnx = self.library("onnx")
        model = onnx.load_model_from_string(content)
        onnx.helper.set_model_props(model, dict(told))
        return model.SerializeToString(deterministic=True)

    def load(self, path: Path, threads: int = 1) -> Runner:
        runtime = self.library("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ALONE
        session: Any = runtime.InferenceSession(os.fspath(path), options, providers=["CPUExecutionProvider"])
        taken = session.get_inputs()[0].name

        def run(inputs: Array) -> list[Array]:
            return session.run(None, {taken: inputs})

        return run
