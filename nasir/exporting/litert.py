"""LiteRT's flatbuffers, `.tflite`, which run on phones and small devices (once TensorFlow Lite); here by its
interpreter."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from nasir.exporting.format import Array, Format, Runner
from nasir.exporting.quiet import ERRORS, OUTPUT, muted

if TYPE_CHECKING:
    from torch import Tensor, nn

_TAKEN, _GIVEN = "args_0", "output_"
_SIGNATURE = "serving_default"


class LiteRT(Format):
    """One file with graph and weights. It takes batches of the example's size alone, and its outputs have no names but
    their order."""

    name = "litert"
    title = "LiteRT"
    suffix = ".tflite"
    extra = "litert"
    libraries = ("litert-torch", "ai-edge-litert", "ai-edge-quantizer")
    any_batch = False

    def write(self, module: "nn.Module", example: "Tensor", path: Path, told: Mapping[str, str] | None = None) -> None:
        from nasir.exporting.named import named_outputs

        flat, _ = named_outputs(module, example)
        with muted(OUTPUT, ERRORS):
            self.library("litert_torch").convert(flat, (example,)).export(str(path))

    def quantise(
        self,
        module: "nn.Module",
        example: "Tensor",
        path: Path,
        batches: Iterable["Tensor"],
        told: Mapping[str, str] | None = None,
    ) -> None:
        """By the AI Edge quantiser's static recipe: weights and maps in int8, over the ranges that the batches make;
        what goes in and comes out stays in float32."""
        import torch

        from nasir.data import pieces

        with TemporaryDirectory() as folder, muted(OUTPUT, ERRORS):
            whole = Path(folder) / "whole.tflite"
            self.write(module, example, whole)
            quantiser: Any = self.library("ai_edge_quantizer.quantizer")
            recipe: Any = self.library("ai_edge_quantizer.recipe").static_wi8_ai8()
            made = quantiser.Quantizer(str(whole), recipe)
            ends: Any = self.library("ai_edge_quantizer.qtyping").TFLOperationName
            for end in (ends.INPUT, ends.OUTPUT):
                made.update_quantization_recipe(".*", end, algorithm_key="no_quantize")
            each = pieces(torch.cat(list(batches)), len(example))
            ranges = made.calibrate({_SIGNATURE: [{_TAKEN: one.numpy()} for one in each]})
            path.write_bytes(made.quantize(ranges).quantized_model)

    def load(self, path: Path, threads: int = 1) -> Runner:
        with muted(OUTPUT, ERRORS):
            library = self.library("ai_edge_litert.interpreter")
            interpreter: Any = library.Interpreter(model_path=str(path), num_threads=threads)
            interpreter.allocate_tensors()
            call: Any = interpreter.get_signature_runner(_SIGNATURE)

        def run(inputs: Array) -> list[Array]:
            found: dict[str, Array] = call(**{_TAKEN: inputs})
            return [found[name] for name in sorted(found, key=lambda name: int(name.split("_")[1]))]

        return run
