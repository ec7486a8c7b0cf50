"""Measures the kernels and networks in this folder. It needs the runtime and numpy, and nothing of nasir.

    python measure.py [--threads 1] [--device "my board"]

`plan.json` lists the files. A line for each goes to `results.jsonl`; one that is there is not measured again.
"""

import argparse
import json
import random
from pathlib import Path

import numpy as np
from machine import device_name, processor_name
from measuring import Timed, interleaved

HERE = Path(__file__).resolve().parent
TOGETHER = 64


def onnx(path, shape, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    binding.bind_cpu_input(session.get_inputs()[0].name, np.random.rand(*shape).astype(np.float32))
    for output in session.get_outputs():
        binding.bind_output(output.name)
    return lambda: session.run_with_iobinding(binding)


def executorch(path, shape, threads):
    import torch
    from executorch.runtime import Runtime

    method = Runtime.get().load_program(str(path)).load_method("forward")
    example = [torch.rand(*shape)]
    return lambda: method.execute(example)


def version(runtime):
    from importlib.metadata import version as of

    return of(runtime)


LOADS = {".onnx": onnx, ".pte": executorch}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default=device_name(), help="what it is called")
    asked = parser.parse_args()
    plan = json.loads((HERE / "plan.json").read_text())
    results = HERE / "results.jsonl"
    done = {json.loads(line).get("file") for line in results.read_text().splitlines()} if results.exists() else set()
    draw = random.Random(0)
    with results.open("a") as lines:

        def tell(line):
            lines.write(json.dumps(line) + "\n")
            lines.flush()

        if not done:
            facts = {"device": asked.device, "processor": processor_name(), "threads": asked.threads}
            tell({**facts, "version": version(plan["runtime"])})
        for kind in ("kernels", "networks"):
            files = [one for one in plan[kind] if one["file"] not in done]
            draw.shuffle(files)
            for first in range(0, len(files), TOGETHER):
                timed = {}
                for one in [*files[first : first + TOGETHER], plan["null"]]:
                    path = HERE / one["file"]
                    timed[one["file"]] = Timed(LOADS[path.suffix](path, one["shape"], asked.threads))
                interleaved([*timed.values()], draw)
                null = timed.pop(plan["null"]["file"]).quantiles().p50 if kind == "kernels" else 0.0
                timed.pop(plan["null"]["file"], None)
                for file, one in timed.items():
                    tell({"file": file, **vars(one.quantiles(null))})
                print(f"{kind} {min(first + TOGETHER, len(files))}/{len(files)}")


if __name__ == "__main__":
    main()
