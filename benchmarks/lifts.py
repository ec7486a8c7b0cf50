"""Networks of timm, and emitted ones of the zoo, lifted: how long their programs are, and how far from the networks.

`python -m benchmarks.lifts [--out DIR] [--only NAME ...]` prints a table, and writes lifts.md into DIR. timm and
torchvision stand beside this project's torch as for `python -m benchmarks.references`.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

import nasir
from benchmarks.references import published
from nasir.execution import network_class
from nasir.lifting.network import Network
from nasir.lifting.program import lift

TIMM = (
    "resnet18",
    "resnet50",
    "mobilenetv2_100",
    "mobilenetv3_large_100",
    "efficientnet_b0",
    "densenet121",
    "regnety_002",
    "convnext_atto",
)
ZOO = Path(__file__).parent.parent / "spaces" / "zoo"


@dataclass(frozen=True)
class Lift:
    """A network's program: its lines, its blocks, its weights, the greatest error of its outputs, and the time."""

    network: str
    lines: int
    blocks: int
    params: int
    error: float
    seconds: float


def of_timm(name: str) -> Network:
    """A network of timm with random weights, on images of its size."""
    module = published.timm(name)
    return Network(name, module.eval(), tuple(module.pretrained_cfg["input_size"]))


def of_zoo(name: str) -> Network:
    """The module that is emitted for a network of the zoo."""
    space = nasir.load(f"zoo/{name}")
    module = network_class(Path(f"{name}.py"), nasir.emit(space))()
    return Network(name, module.eval(), tuple(space.graph.input.shape.values()))


def lifts(only: list[str]) -> Iterator[Lift]:
    """Each network lifted, one after another."""
    every = {f"timm {name}": partial(of_timm, name) for name in TIMM}
    every |= {f"zoo/{path.stem}": partial(of_zoo, path.stem) for path in sorted(ZOO.glob("*.nas"))}
    for name, make in every.items():
        if only and not any(word in name for word in only):
            continue
        torch.manual_seed(0)
        network = make()
        start = time.perf_counter()
        program = lift(network, name)
        seconds = time.perf_counter() - start
        error = max(program.proof.error, program.proof.stirred or 0.0)
        lines = len(program.text.splitlines())
        yield Lift(name, lines, program.blocks, program.space.params()[0], error, seconds)


def row(one: Lift) -> str:
    return f"| {one.network} | {one.lines} | {one.blocks} | {one.params:,} | {one.error:.1e} | {one.seconds:.1f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--only", nargs="*", default=[], help="parts of names")
    arguments = parser.parse_args()
    lines = [
        "| network | lines | blocks | parameters | greatest error | seconds |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    print("\n".join(lines))
    for one in lifts(arguments.only):
        lines.append(row(one))
        print(lines[-1], flush=True)
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / "lifts.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
