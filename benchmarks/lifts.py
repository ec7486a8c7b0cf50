"""Networks of timm, and emitted ones of the zoo, lifted: how long their programs are, and how far from the networks.

`python -m benchmarks.lifts [--out DIR] [--only NAME ...]` prints a table and what is to be told of all together, and
writes lifts.md into DIR. timm and torchvision stand beside this torch as for `python -m benchmarks.references`; without
timm its networks are left out, which is said.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import torch

import nasir
from benchmarks.references import published
from nasir.diagnostics import CompileError
from nasir.execution import network_class
from nasir.lifting.network import UserNetwork
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


def of_timm(name: str) -> UserNetwork:
    """A network of timm with random weights, on images of its size."""
    module = published.timm(name)
    return UserNetwork(name, module.eval(), tuple(module.pretrained_cfg["input_size"]))


def of_zoo(name: str) -> UserNetwork:
    """The module that is emitted for a network of the zoo."""
    space = nasir.load(f"zoo/{name}")
    module = network_class(Path(f"{name}.py"), nasir.emit(space))()
    return UserNetwork(name, module.eval(), tuple(space.graph.input.shape.values()))


def networks(only: list[str]) -> Iterator[tuple[str, UserNetwork]]:
    """The networks that there are, one after another; those alone whose names have one of the words, where any."""
    every = {f"timm {name}": partial(of_timm, name) for name in (TIMM if find_spec("timm") else ())}
    every |= {f"zoo/{path.stem}": partial(of_zoo, path.stem) for path in sorted(ZOO.glob("*.nas"))}
    for name, make in every.items():
        if not only or any(word in name for word in only):
            torch.manual_seed(0)
            yield name, make()


def lifted(name: str, network: UserNetwork) -> Lift:
    """A network as a program.

    Raises:
        CompileError: where it cannot be lifted.
    """
    start = time.perf_counter()
    program = lift(network, name)
    seconds = time.perf_counter() - start
    error = max(program.proof.error, program.proof.stirred or 0.0)
    return Lift(name, len(program.text.splitlines()), program.blocks, program.space.params()[0], error, seconds)


def row(one: Lift) -> str:
    return f"| {one.network} | {one.lines} | {one.blocks} | {one.params:,} | {one.error:.1e} | {one.seconds:.1f} |"


def total(found: list[Lift], failed: list[str]) -> str:
    """What is to be told of all networks together."""
    lines = sorted(one.lines for one in found)
    short = sum(count <= 50 for count in lines)
    worst, seconds = max(one.error for one in found), sum(one.seconds for one in found)
    said = (
        f"{len(found)} networks lifted in {seconds:.0f} s, {short} of them in at most 50 lines, {lines[-1]} the most; "
    )
    return f"{said}the greatest error is {worst:.1e}; not lifted: {', '.join(failed) or 'none'}"


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
    found, failed = list[Lift](), list[str]()
    for name, network in networks(arguments.only):
        try:
            found.append(lifted(name, network))
            lines.append(row(found[-1]))
        except CompileError as error:
            failed.append(name)
            lines.append(f"| {name} | {str(error).splitlines()[0]} | | | | |")
        print(lines[-1], flush=True)
    told = [] if find_spec("timm") else ["timm is not installed: its networks are left out"]
    told += [total(found, failed)] if found else []
    print("", *told, sep="\n")
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / "lifts.md").write_text("\n".join([*lines, "", *told]) + "\n", encoding="utf-8")
    if failed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
