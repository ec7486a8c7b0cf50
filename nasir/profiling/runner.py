"""Measures the kernels and networks in this folder. It needs the runtime and numpy, and nothing of nasir.

    python measure.py [--threads 1] [--name "my board"]

`plan.json` lists the files. A line for each goes to `results.jsonl`; one that is there is not measured again.
"""

import argparse
import json
import random
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from nasir.profiling.machine import device_name, processor_name
from nasir.profiling.measuring import BUSY, Run, Timed, Turns, interleaved

HERE = Path(__file__).resolve().parent
TOGETHER = 64


def onnx(path: Path, shape: Sequence[int], threads: int) -> Run:
    """A run in onnxruntime."""
    runtime: Any = import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    binding.bind_cpu_input(session.get_inputs()[0].name, np.random.rand(*shape).astype(np.float32))
    for output in session.get_outputs():
        binding.bind_output(output.name)
    return lambda: session.run_with_iobinding(binding)


def executorch(path: Path, shape: Sequence[int], threads: int) -> Run:
    """A run in ExecuTorch."""
    runtime: Any = import_module("executorch.runtime")
    method = runtime.Runtime.get().load_program(str(path)).load_method("forward")
    example = [import_module("torch").rand(*shape)]
    return lambda: method.execute(example)


LOADS: Mapping[str, Callable[[Path, Sequence[int], int], Run]] = {".onnx": onnx, ".pte": executorch}


class Results:
    """The lines of `results.jsonl`: those that are there, and those that come."""

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = path.read_text().splitlines() if path.exists() else []
        self.done: set[str] = {str(json.loads(line).get("file", "")) for line in lines}

    def add(self, line: Mapping[str, Any]) -> None:
        """Add a line."""
        with self._path.open("a") as file:
            file.write(json.dumps(dict(line)) + "\n")


def measure(
    files: Sequence[Mapping[str, Any]], null: Mapping[str, Any], threads: int, draw: random.Random, turns: Turns
) -> Any:
    """What files that are measured together take, by their names, and what a call takes by itself."""
    timed: dict[str, Timed] = {}
    for one in (*files, null):
        path = HERE / one["file"]
        timed[one["file"]] = Timed(LOADS[path.suffix](path, one["shape"], threads))
    interleaved([*timed.values()], draw, turns)
    return timed, timed.pop(null["file"]).quantiles().p50


def main() -> None:
    """Measure what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--name", default=device_name(), help="what the device is called")
    asked = parser.parse_args()
    plan: dict[str, Any] = json.loads((HERE / "plan.json").read_text())
    results, draw, turns = Results(HERE / "results.jsonl"), random.Random(0), Turns()
    if not results.done:
        facts = {"device": asked.name, "processor": processor_name(), "threads": asked.threads}
        results.add({**facts, "version": version(plan["runtime"])})
    for kind in ("kernels", "networks"):
        files = [one for one in plan[kind] if one["file"] not in results.done]
        draw.shuffle(files)
        for first in range(0, len(files), TOGETHER):
            timed, call = measure(files[first : first + TOGETHER], plan["null"], asked.threads, draw, turns)
            for file, one in timed.items():
                results.add({"file": file, **vars(one.quantiles(call if kind == "kernels" else 0.0))})
            print(f"{kind} {min(first + TOGETHER, len(files))}/{len(files)}")
    if asked.threads == 1 and turns.waited > BUSY:
        print(f"other work had the processor {turns.waited:.0%} of the time, and the figures are off:")
        print("for ones to rely on, remove results.jsonl, and measure when the device is idle")


if __name__ == "__main__":
    main()
