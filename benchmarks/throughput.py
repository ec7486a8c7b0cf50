"""Images a second of a network and of its space's supernet: `python -m benchmarks.throughput [--device cuda]`.

A released network in inference and training, and the supernet in a step of its weights, in float32 and in bfloat16
(autocast), with torch's layout and with channels last, as it is and compiled (inductor). Medians; memory is the
allocator's peak on a GPU. Compiling takes minutes; `--without compile` leaves it away.
"""

import argparse
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import torch
from torch import Tensor, nn

import nasir
from nasir.execution import network_class
from nasir.supernets import SupernetOutput, build


@dataclass(frozen=True)
class Way:
    """How a network runs."""

    lower: bool
    last: bool
    compiled: bool

    def __str__(self) -> str:
        words = ["bfloat16" if self.lower else "float32", *["channels last"] * self.last, *["compiled"] * self.compiled]
        return ", ".join(words)


WAYS = [Way(*chosen) for chosen in product((False, True), repeat=3)]


def seconds(call: Callable[[], object], device: torch.device, runs: int) -> float:
    """The median of one call, after three to warm up."""
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    taken: list[float] = []
    for _ in range(runs + 3):
        wait()
        began = time.perf_counter()
        call()
        wait()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken[3:])


def call_of(network: nn.Module, images: Tensor, way: Way, *, training: bool) -> Callable[[], object]:
    """One call of the network in this way, forward, and in training backward too."""
    layout = torch.channels_last if way.last else torch.contiguous_format
    network = network.to(memory_format=layout).train(training)
    images = images.contiguous(memory_format=layout)
    running = torch.compile(network, dynamic=False) if way.compiled else network

    def forward() -> Tensor:
        with torch.autocast(images.device.type, torch.bfloat16) if way.lower else nullcontext():
            out = running(images)
        return out.logits if isinstance(out, SupernetOutput) else out

    def step() -> None:
        for parameter in network.parameters():
            parameter.grad = None
        forward().float().logsumexp(1).mean().backward()

    return step if training else torch.inference_mode()(forward)


def rows(given: argparse.Namespace, cases: Sequence[tuple[str, Callable[[], nn.Module], int, bool]]) -> Iterator[str]:
    """A line for each network in each way."""
    device = torch.device(given.device)
    for name, made, batch, training in cases:
        images = torch.randn(batch, 3, given.size, given.size, device=device)
        for way in WAYS:
            if way.compiled and "compile" in given.without:
                continue
            torch.manual_seed(0)
            torch.compiler.reset()
            network = made().to(device)
            if device.type == "cuda":
                torch.cuda.empty_cache()
                torch.cuda.reset_peak_memory_stats()
            began = time.perf_counter()
            call = call_of(network, images, way, training=training)
            taken = seconds(call, device, given.runs)
            spent = time.perf_counter() - began
            peak = f"{torch.cuda.max_memory_allocated() / 2**30:,.1f} GiB" if device.type == "cuda" else "-"
            yield f"| {name}, batch {batch} | {way} | {batch / taken:,.0f} | {peak} | {spent:.0f} s |"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--network", default="zoo/fbnetv2_l2", help="of the zoo")
    options.add_argument("--space", default="fbnetv2_l_factored")
    options.add_argument("--size", type=int, default=256)
    options.add_argument("--batch", type=int, default=4)
    options.add_argument("--runs", type=int, default=7)
    options.add_argument("--device", default="cpu")
    options.add_argument("--only", nargs="+", choices=("inference", "training", "supernet"))
    options.add_argument("--without", nargs="*", choices=("compile",), default=[])
    given = options.parse_args()
    network, space = nasir.load(given.network), nasir.load(given.space, sizes=given.size)
    source = nasir.emit(network)
    cases = {
        "inference": (f"{given.network}, inference", network_class(Path("model.py"), source), given.batch, False),
        "training": (f"{given.network}, training", network_class(Path("model.py"), source), given.batch, True),
        "supernet": (f"{given.space}, training", lambda: build(space.graph), max(1, given.batch // 4), True),
    }
    card = torch.cuda.get_device_name() if given.device == "cuda" else platform.machine()
    print(f"{card}, torch {torch.__version__}, {given.size} px\n")
    print("| network | way | images a second | memory | with warm-up |\n| --- | --- | ---: | ---: | ---: |")
    for line in rows(given, [cases[name] for name in given.only or cases]):
        print(line, flush=True)


if __name__ == "__main__":
    main()
