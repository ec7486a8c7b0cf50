"""ExecuTorch's programs, `.pte`, which run on phones and on devices without Python; here by its bindings."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasir.exporting.format import Array, Format, Runner
from nasir.exporting.quiet import ERRORS, muted

if TYPE_CHECKING:
    from torch import Tensor, nn


class ExecuTorch(Format):
    """One file with graph and weights, of which the backend XNNPACK runs what it takes, and ExecuTorch's own kernels
    the rest. It takes batches of the example's size alone, and its outputs have no names but their order."""

    name = "executorch"
    title = "ExecuTorch"
    suffix = ".pte"
    extra = "executorch"
    libraries = ("executorch", "torchao")
    any_batch = False

    def write(self, module: "nn.Module", example: "Tensor", path: Path, told: Mapping[str, str] | None = None) -> None:
        from nasir.exporting.named import named_outputs
        from nasir.exporting.traced import traced

        flat, _ = named_outputs(module, example)
        self._lower(traced(flat, example, any_batch=False), path)

    def _lower(self, program: Any, path: Path) -> None:
        with muted(ERRORS):
            exir = self.library("executorch.exir")
            parts = self.library("executorch.backends.xnnpack.partition.xnnpack_partitioner")
            lowered = exir.to_edge_transform_and_lower(program, partitioner=[parts.XnnpackPartitioner()])
            path.write_bytes(lowered.to_executorch().buffer)

    def quantise(
        self,
        module: "nn.Module",
        example: "Tensor",
        path: Path,
        batches: Iterable["Tensor"],
        told: Mapping[str, str] | None = None,
    ) -> None:
        """By torchao's quantisation of programs, as XNNPACK has it: weights in int8, of a convolution each output
        channel with a scale of its own; maps in int8 over the ranges that the batches make."""
        import torch

        from nasir.data import pieces
        from nasir.exporting.named import named_outputs
        from nasir.exporting.traced import traced

        with muted(ERRORS), torch.no_grad():
            pt2e = self.library("torchao.quantization.pt2e.quantize_pt2e")
            xnnpack = self.library("executorch.backends.xnnpack.quantizer.xnnpack_quantizer")
            quantiser = xnnpack.XNNPACKQuantizer()
            quantiser.set_global(xnnpack.get_symmetric_quantization_config(is_per_channel=True))
            flat, _ = named_outputs(module, example)
            prepared = pt2e.prepare_pt2e(traced(flat, example, any_batch=False).module(), quantiser)
            for batch in batches:
                for one in pieces(batch, len(example)):
                    prepared(one)
            self._lower(traced(pt2e.convert_pt2e(prepared), example, any_batch=False), path)

    def load(self, path: Path, threads: int = 1) -> Runner:
        import torch

        with muted(ERRORS):
            runtime = self.library("executorch.runtime").Runtime.get()
            self.library("executorch.extension.pybindings.portable_lib")._unsafe_reset_threadpool(threads)
            method: Any = runtime.load_program(path).load_method("forward")

        def run(inputs: Array) -> list[Array]:
            return [one.numpy().copy() for one in method.execute([torch.from_numpy(inputs)])]

        return run
