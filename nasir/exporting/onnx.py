"""ONNX, run by onnxruntime.

A network is written by torch's exporter of traced modules (`dynamo=False`). torch calls it the old one; the new one, of
torch.export, takes ten times as long (seven seconds for MobileNetV2, 0.8 for one convolution) and writes into each node
where in which file of this machine it was called. An emitted module has no control flow that a trace could miss, and
each file is compared with its module.
"""

import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from nasir.exporting.format import INPUTS, Array, Format, Runner

if TYPE_CHECKING:
    from torch import Tensor, nn

_ERRORS_ALONE = 3


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
        from nasir.exporting.quiet import OUTPUT, muted
        from nasir.exporting.symbolics import OPSET, taught

        self.library("onnx")
        taken = INPUTS[example.dim() - 2]
        flat, names = named_outputs(module, example)
        content = io.BytesIO()
        # Where it fails, the exporter prints the whole graph.
        with muted(OUTPUT), taught(), torch.no_grad():
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
        path.write_bytes(content.getvalue())
        self._tell(path, told)

    def _tell(self, path: Path, told: Mapping[str, str] | None) -> None:
        if not told:
            return
        onnx = self.library("onnx")
        model = onnx.load_model_from_string(path.read_bytes())
        onnx.helper.set_model_props(model, dict(told))
        path.write_bytes(model.SerializeToString(deterministic=True))

    def quantise(
        self,
        module: "nn.Module",
        example: "Tensor",
        path: Path,
        batches: Iterable["Tensor"],
        told: Mapping[str, str] | None = None,
    ) -> None:
        """By onnxruntime's static quantiser: weights in int8, of a convolution each output channel with a scale of its
        own; maps in int8 between pairs of nodes that quantise and read again (QDQ), over the least to the greatest
        that the batches make of each."""
        quantiser, shapes = (self.library(f"onnxruntime.quantization{part}") for part in ("", ".shape_inference"))
        taken = INPUTS[example.dim() - 2]
        inputs = ({taken: one.contiguous().numpy()} for one in batches)

        class Reader(quantiser.CalibrationDataReader):
            def get_next(self) -> dict[str, Array] | None:
                return next(inputs, None)

        with TemporaryDirectory() as folder:
            whole, ready = Path(folder) / "whole.onnx", Path(folder) / "ready.onnx"
            self.write(module, example, whole)
            shapes.quant_pre_process(str(whole), str(ready), skip_symbolic_shape=True)
            quantiser.quantize_static(str(ready), str(path), Reader(), per_channel=True)
        self._tell(path, told)

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
