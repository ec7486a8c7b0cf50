"""Beside what `memory` says of a network: the arena that TensorFlow Lite Micro plans for its `.tflite` file.

`python -m benchmarks.arena [--out DIR]` exports small networks of three spaces, untrained, in float32 and in int8, and
prints for each the bytes of `memory`, those that are alive at once in the file, without the
operators that a converter adds to a network's kernels and with them, and the part of the arena that maps take. DIR gets
arena.md. It needs nasir's extra `litert` and `pip install tflite-micro`, in an environment of its own (docs/export.md).
"""

import argparse
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

import numpy as np
import torch

import nasir
from nasir.execution import network_class
from nasir.exporting.formats import format_named

COSTS = {"float32": "memory", "int8": "memory(int8)"}
NEEDED = ("litert_torch", "ai_edge_litert", "ai_edge_quantizer", "tflite_micro")
ADDED = frozenset({"PAD", "HARD_SWISH", "QUANTIZE", "DEQUANTIZE"})
"""A convolution of ours pads and computes its activation itself, and int8 is int8 from the input on."""
_HEAD = re.compile(r"Arena allocation head (\d+) bytes")


@dataclass(frozen=True)
class Row:
    """Bytes of a network: by `memory`, alive in its file without what is added and with it, planned by the runtime."""

    network: str
    dtype: str
    memory: int
    kernels: int
    every: int
    arena: int

    def __str__(self) -> str:
        figures = (self.memory, self.kernels, self.every, self.arena)
        return f"| {self.network} | {self.dtype} | {' | '.join(f'{one:,}' for one in figures)} |"


def networks() -> Iterator[tuple[str, nasir.Space]]:
    """The networks with their names: `edge` has the ends of `digits`, so random ones of it."""
    for name in ("digits", "sensors"):
        space = nasir.load(name)
        yield f"{name}, smallest", space.at(space.smallest())
        yield f"{name}, largest", space.at(space.largest())
    edge = nasir.load("edge")
    for seed in range(2):
        yield f"edge, seed {seed}", edge.at(edge.sample(seed))


def rows_of(label: str, network: nasir.Space) -> Iterator[Row]:
    """A network in both number formats."""
    torch.manual_seed(0)
    module = network_class(Path(f"{network.name}.py"), nasir.emit(network))().eval()
    inputs = torch.randn(64, *(int(size) for size in network.graph.input.shape.values()))
    litert = format_named("litert")
    for dtype, cost in COSTS.items():
        with TemporaryDirectory() as folder:
            path = Path(folder) / "net.tflite"
            if dtype == "int8":
                litert.quantise(module, inputs[:1], path, [inputs])
            else:
                litert.write(module, inputs[:1], path)
            operators = Operators(path)
            memory = network.costs.at({}, (cost,))[cost]
            yield Row(label, dtype, memory, operators.peak(ADDED), operators.peak(), arena(path))


class Operators:
    """The operators of a file in the order in which they run, and the maps that they hand on."""

    def __init__(self, path: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        interpreter: Any = Interpreter(model_path=str(path), experimental_op_resolver_type=plain)
        interpreter.allocate_tensors()
        self._tensors = {one["index"]: one for one in interpreter.get_tensor_details()}
        self._given = {one["index"] for one in interpreter.get_input_details()}
        self._results = {one["index"] for one in interpreter.get_output_details()}
        self._operators = [
            (one["op_name"], [*map(int, one["inputs"])], [*map(int, one["outputs"])])
            for one in interpreter._get_ops_details()
        ]

    def peak(self, left_out: frozenset[str] = frozenset()) -> int:
        """The most bytes of maps that are alive at once, where operators of these names hand on what they read: of what
        such a one reads and makes the smaller one is there."""
        steps, same = list[tuple[list[int], list[int]]](), dict[int, int]()
        sizes = {index: self._bytes(index) for index in self._tensors}
        for name, inputs, made in self._operators:
            reads = [same.get(index, index) for index in inputs]
            if name not in left_out:
                steps.append((reads, made))
                continue
            same[made[0]] = reads[0]
            sizes[reads[0]] = min(sizes[reads[0]], sizes[made[0]])
        last = {index: place for place, (reads, _) in enumerate(steps) for index in reads}
        last |= {same.get(index, index): len(steps) for index in self._results}
        alive, most = set(self._given), 0
        for place, (_, made) in enumerate(steps):
            alive.update(made)
            most = max(most, sum(sizes[index] for index in alive))
            alive = {index for index in alive if last.get(index, -1) > place}
        return most

    def _bytes(self, index: int) -> int:
        tensor = self._tensors[index]
        return int(np.prod(tensor["shape"])) * np.dtype(tensor["dtype"]).itemsize


def arena(path: Path) -> int:
    """The bytes that the runtime plans for maps: the head of its arena, as its recording allocator prints it."""
    from tflite_micro.python.tflite_micro import runtime

    interpreter: Any = runtime.Interpreter.from_file(str(path))
    taken = interpreter.get_input_details(0)
    interpreter.set_input(np.zeros(taken["shape"], taken["dtype"]), 0)
    interpreter.invoke()
    with TemporaryFile("w+") as told:
        before = os.dup(2)
        os.dup2(told.fileno(), 2)
        try:
            interpreter.print_allocations()
        finally:
            os.dup2(before, 2)
            os.close(before)
        told.seek(0)
        return int(_HEAD.findall(told.read())[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise SystemExit(
            f"{', '.join(missing)}: not installed here; `python -m benchmarks.arena --help` says what it needs"
        )
    lines = [
        "| network | dtype | `memory` | its kernels in the file | all of the file | arena |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    print("\n".join(lines))
    for label, network in networks():
        for one in rows_of(label, network):
            lines.append(str(one))
            print(lines[-1], flush=True)
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / "arena.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
