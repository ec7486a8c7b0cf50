"""onnxruntime on the CPU.

Where it computes convolutions in blocks of channels, it reorders a network's maps once at each end of a row of them. A
kernel alone would be reordered at both ends each time: these nodes are taken away, and the kernel is given what the
runtime's own reordering made of its input.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasir.exporting.formats import format_named
from nasir.profiling.measuring import Run
from nasir.profiling.runtime import Measured

if TYPE_CHECKING:
    from torch import Tensor, nn

_BEFORE, _BEHIND = "ReorderInput", "ReorderOutput"
_ERRORS_ALONE = 3


class OnnxRuntime(Measured):
    """onnxruntime with all its optimisations."""

    name = "onnxruntime"
    format = "onnx"

    def __init__(self, threads: int = 1, backend: str = "cpu") -> None:
        super().__init__(threads, backend)
        self._format = format_named(self.format)

    def conditions(self) -> Mapping[str, str]:
        version = self._format.library("onnxruntime").__version__
        return {"version": version, "dtype": "float32", "layout": "channels first, blocked where the runtime blocks"}

    def network(self, module: "nn.Module", example: "Tensor") -> Run:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "network.onnx"
            self._format.write(module, example, path)
            session = self._session(path.read_bytes(), "ORT_ENABLE_ALL")
        return _Bound(session, {session.get_inputs()[0].name: example.numpy()})

    def kernel(self, module: "nn.Module", example: "Tensor") -> Run:
        with tempfile.TemporaryDirectory() as folder:
            path, optimised = Path(folder) / "kernel.onnx", Path(folder) / "optimised.onnx"
            self._format.write(module, example, path)
            session = self._session(path.read_bytes(), "ORT_ENABLE_ALL", optimised)
            feeds: dict[str, Any] = {session.get_inputs()[0].name: example.numpy()}
            model = self._format.library("onnx").load_model(optimised)
        if not any(node.op_type in (_BEFORE, _BEHIND) for node in model.graph.node):
            return _Bound(session, feeds)
        return _Bound(*self._bare(model, feeds))

    def _session(self, content: bytes, level: str, optimised: Path | None = None) -> Any:
        runtime = self._format.library("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = self.threads, 1
        options.log_severity_level = _ERRORS_ALONE
        options.graph_optimization_level = getattr(runtime.GraphOptimizationLevel, level)
        if optimised is not None:
            options.optimized_model_filepath = str(optimised)
        return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def _bare(self, model: Any, feeds: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """The optimised kernel without its reorderings, and what it is given."""
        helper = self._format.library("onnx").helper
        graph = model.graph
        outside = {one.name for one in (*graph.input, *graph.initializer)}
        results = {one.name for one in graph.output}
        first = [node for node in graph.node if node.op_type == _BEFORE and node.input[0] in outside]
        last = [node for node in graph.node if node.op_type == _BEHIND and node.output[0] in results]
        given = self._made(model, feeds, [node.output[0] for node in first]) if first else {}
        kept = [node for node in graph.node if node not in first and node not in last]
        read = {name for node in kept for name in node.input}
        ends = {node.output[0] for node in last}
        outputs = [one for one in graph.output if one.name not in ends]
        outputs += [helper.make_tensor_value_info(node.input[0], 1, None) for node in last]
        inputs = [one for one in graph.input if one.name in read]
        inputs += [helper.make_tensor_value_info(name, 1, array.shape) for name, array in given.items()]
        for field, items in (("node", kept), ("output", outputs), ("input", inputs)):
            graph.ClearField(field)
            getattr(graph, field).extend(items)
        graph.ClearField("value_info")
        session = self._session(model.SerializeToString(), "ORT_DISABLE_ALL")
        taken = {one.name for one in session.get_inputs()}
        return session, {name: array for name, array in {**feeds, **given}.items() if name in taken}

    def _made(self, model: Any, feeds: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
        """What the runtime's reorderings make of the input."""
        onnx = self._format.library("onnx")
        told = onnx.ModelProto()
        told.CopyFrom(model)
        told.graph.output.extend(onnx.helper.make_tensor_value_info(name, 1, None) for name in names)
        found = self._session(told.SerializeToString(), "ORT_DISABLE_ALL").run(names, dict(feeds))
        return dict(zip(names, found, strict=True))


class _Bound:
    """A run with its inputs and outputs in place: nothing is copied."""

    def __init__(self, session: Any, feeds: Mapping[str, Any]) -> None:
        self._session, self._inputs = session, [*feeds.values()]
        self._binding = session.io_binding()
        for name, array in feeds.items():
            self._binding.bind_cpu_input(name, array)
        for output in session.get_outputs():
            self._binding.bind_output(output.name)

    def __call__(self) -> None:
        self._session.run_with_iobinding(self._binding)

    def touch(self) -> None:
        """Read the inputs."""
        for array in self._inputs:
            array.sum()


offered = (OnnxRuntime,)
