"""What masks cost: each measure a ratio of what runs interleaved in one process, with the figure it should reach.

`python -m benchmarks.steps [--out DIR] [--only NAME ...] [--runs N] [--threads N] [--device D]` writes steps.json and
steps.md. On a GPU batches are four times as large.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn

import nasir
from benchmarks.measure import CallCount, interleaved, keep_memory, peak_bytes, saved_bytes, times
from benchmarks.spaces import ref6, ref6_masked, ten_layers
from nasir.cost.registry import COSTS
from nasir.cost.tabled import Latency
from nasir.execution import network_class
from nasir.profiling.profile import by_formula
from nasir.profiling.runtimes.roofline import Roofline
from nasir.supernets import Supernet, build
from nasir.supernets.layers import recomputed
from nasir.supernets.resolution import Subsampled


@dataclass(frozen=True)
class Row:
    """One measure: what it came to and what it should reach (None: reported only)."""

    measure: str
    value: float
    target: float | None
    note: str = ""


def compiled(text: str) -> nasir.Space:
    """The space of a program's text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "space.nas"
        path.write_text(text, encoding="utf-8")
        return nasir.load(path)


@dataclass(frozen=True)
class Bench:
    """How often each step runs, and where."""

    runs: int
    device: torch.device

    @property
    def times(self) -> int:
        """How many times as large batches are."""
        return 4 if self.device.type == "cuda" else 1

    def supernet(self, space: nasir.Space, **options: object) -> Supernet:
        """In training mode and channels-last layout, as the search has it."""
        torch.manual_seed(0)
        network = build(space.graph, **options).train().to(self.device)  # type: ignore[arg-type]
        return network.to(memory_format=torch.channels_last)

    def emitted(self, space: nasir.Space) -> nn.Module:
        """The module of a decision-free space."""
        network = network_class(Path("model.py"), nasir.emit(space))().train().to(self.device)
        return network.to(memory_format=torch.channels_last)

    def images(self, batch: int, size: int) -> torch.Tensor:
        """Noise, [batch * times, 3, size, size]."""
        noise = torch.randn(batch * self.times, 3, size, size, device=self.device)
        return noise.contiguous(memory_format=torch.channels_last)


def ten(bench: Bench) -> Iterable[Row]:
    """The ten-layer inverted-residual network of Fig. 7."""
    x = bench.images(64, 64)
    networks: dict[str, nn.Module] = {str(k): bench.supernet(compiled(ten_layers(k))) for k in (4, 8, 16, 32)}
    networks["plain"] = bench.supernet(compiled(ten_layers(1)))
    kept = {name: saved_bytes(network, x) for name, network in networks.items()}
    peaks = {name: peak_bytes(network, x) for name, network in networks.items()}
    seconds = times(networks, x, bench.runs)
    note = f"10 layers, batch {len(x)}, 64 px"
    yield Row("saved memory, masked / plain, 32 options", kept["32"] / kept["plain"], 1.02, note)
    yield Row("peak allocation, masked / plain, 32 options", peaks["32"] / peaks["plain"], None, note)
    yield Row("saved memory, growth from 4 to 32 options", kept["32"] / kept["4"] - 1, 0.001, note)
    for k in (4, 8, 16, 32):
        yield Row(f"step time, masked / plain, {k} options", seconds[str(k)] / seconds["plain"], 1.05, note)
    eight = {
        "explicit": bench.supernet(compiled(ten_layers(8)), strategy="explicit", fold=False),
        "masked": networks["8"],
    }
    memory = {name: saved_bytes(network, x) for name, network in eight.items()}
    yield Row("saved memory, explicit / masked, 8 options", memory["explicit"] / memory["masked"], None, note)


def fbnetv2_l(bench: Bench) -> Iterable[Row]:
    """The paper's largest space at 256 px, all candidates."""
    spaces = {name: nasir.load(name, sizes=256) for name in ("fbnetv2_l", "fbnetv2_l_factored")}
    networks = {
        "masked": bench.supernet(spaces["fbnetv2_l"]),
        "plain": bench.supernet(spaces["fbnetv2_l"], strategy="plain"),
        "factored": bench.supernet(spaces["fbnetv2_l_factored"]),
    }
    batch, time_batch = 8, 4  # what is kept of the larger one, for time the one that a machine of 16 GB takes
    kept = {name: saved_bytes(network, bench.images(batch, 256)) for name, network in networks.items()}
    seconds = times(networks, bench.images(time_batch, 256), bench.runs)
    of_memory, of_time = (f"batch {size * bench.times}, 256 px" for size in (batch, time_batch))
    yield Row("FBNetV2-L step time, masked / plain", seconds["masked"] / seconds["plain"], 1.05, of_time)
    yield Row("FBNetV2-L saved memory, masked / plain", kept["masked"] / kept["plain"], 1.02, of_memory)
    yield Row("FBNetV2-L step time, factored / alternatives", seconds["factored"] / seconds["masked"], 0.3, of_time)
    yield Row("FBNetV2-L saved memory, factored / alternatives", kept["factored"] / kept["masked"], 0.4, of_memory)
    share = statistics.median(gate_seconds(networks["masked"]) for _ in range(9)) / seconds["masked"]
    yield Row("gates, masks and cost, share of a FBNetV2-L step", share, 0.03, of_time)
    device = Latency("roofline", by_formula(spaces["fbnetv2_l"], Roofline()))
    timed = bench.supernet(spaces["fbnetv2_l"], costs=(COSTS["macs"], COSTS["params"], device))
    share = statistics.median(gate_seconds(timed) for _ in range(9)) / seconds["masked"]
    yield Row(
        "the same with a latency table's expectation", share, 0.03, f"{of_time}, {len(device.table.rows):,} kernels"
    )
    with CallCount() as calls:
        gate_seconds(networks["masked"])
    yield Row("gates, masks and cost, torch calls of a FBNetV2-L step", calls.count, None, "forward and backward")


def gate_seconds(network: Supernet) -> float:
    """Seconds of the gates, all masks and weights, and the cost, forward and backward, without the network."""
    waited = torch.cuda.synchronize if next(network.parameters()).is_cuda else lambda: None
    waited()
    start = time.perf_counter()
    gates = network.get_submodule("gates")(None, None)
    values = network.get_submodule("sizes")(gates)
    vectors = [*values.masks.values(), *values.weights.values(), *values.costs.values()]
    torch.autograd.backward(vectors, [torch.ones_like(v) for v in vectors])
    waited()
    return time.perf_counter() - start


def resolution(bench: Bench) -> Iterable[Row]:
    """Eight sizes of the image and one, the same regions recomputed in both."""
    x = bench.images(16, 64)
    space = compiled(ten_layers(8, "36..64 by 4"))
    eight, one = bench.supernet(space), bench.supernet(space, resolution="sampled")
    next(one.architecture()).data[7] = 1e9  # the largest size, always
    for module in one.modules():
        if isinstance(module, Subsampled):
            module._at = recomputed(module._at)  # type: ignore[method-assign]
    ratio = peak_bytes(eight, x) / peak_bytes(one, x)
    yield Row("peak allocation, 8 sizes / 1", ratio, 1.15, f"10 layers, batch {len(x)}, 36 to 64 px")


def ref(bench: Bench) -> Iterable[Row]:
    """Six layers of six blocks: peers there need 3.3 to 21 times the time of the largest network (facts of 2026)."""
    x = bench.images(32, 64)
    networks: dict[str, nn.Module] = {str(k): bench.supernet(compiled(ref6(k))) for k in (1, 4, 8, 16, 32)}
    networks["masked"] = bench.supernet(compiled(ref6_masked(8)))
    largest = compiled(ref6(1))
    networks["plain"] = bench.emitted(largest.at(largest.largest()))
    kept = {name: saved_bytes(network, x) for name, network in networks.items()}
    seconds = times(networks, x, bench.runs)
    note = f"six layers, batch {len(x)}, 64 px"
    for k in ("4", "8", "16", "32"):
        yield Row(f"ref6 step time, {k} widths / 1", seconds[k] / seconds["1"], 1.05, note)
        yield Row(f"ref6 saved memory, {k} widths / 1", kept[k] / kept["1"], 1.01, note)
    yield Row("ref6 step time, 32 widths / the largest network", seconds["32"] / seconds["plain"], None, note)
    yield Row("ref6, expansion as a mask, step time / plain", seconds["masked"] / seconds["plain"], 1.8, note)
    yield Row("ref6, expansion as a mask, saved memory / plain", kept["masked"] / kept["plain"], 2.8, note)
    costs: dict[str, Callable[[], float]] = {
        k: lambda k=k: gate_seconds(networks[k])  # type: ignore[misc, arg-type]
        for k in ("4", "32")
    }
    for k, value in interleaved(costs, 20).items():
        yield Row(f"ref6, gates and cost of a step, {k} widths, ms", 1000 * value, 5.0)


def commands(bench: Bench) -> Iterable[Row]:
    """Whole processes, and the way from a file to a supernet."""
    for command, target in (("check", 0.5), ("info", 1.0)):

        def once(command: str = command) -> float:
            start = time.perf_counter()
            arguments = [sys.executable, "-m", "nasir", command, "spaces/fbnetv2_l.nas"]
            subprocess.run(arguments, check=True, capture_output=True)
            return time.perf_counter() - start

        yield Row(f"nasir {command} spaces/fbnetv2_l.nas, s", interleaved({"": once}, bench.runs)[""], target)
    start = time.perf_counter()
    build(nasir.load("fbnetv2_l").graph)
    yield Row("FBNetV2-L, file to supernet, s", time.perf_counter() - start, 5.0)


MEASURES: dict[str, Callable[[Bench], Iterable[Row]]] = {
    "ten": ten,
    "fbnetv2_l": fbnetv2_l,
    "resolution": resolution,
    "ref": ref,
    "commands": commands,
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--out", type=Path, default=Path("runs/bench"))
    options.add_argument("--only", nargs="+", choices=list(MEASURES), default=list(MEASURES))
    options.add_argument("--runs", type=int, default=7)
    options.add_argument("--threads", type=int, default=1, help="one is steadier where others share the machine")
    options.add_argument("--device", default="cpu")
    given = options.parse_args()
    torch.set_num_threads(given.threads)
    keep_memory()
    rows: list[Row] = []
    for name in given.only:
        for row in MEASURES[name](Bench(given.runs, torch.device(given.device))):
            rows.append(row)
            print(line(row), flush=True)
    given.out.mkdir(parents=True, exist_ok=True)
    card = torch.cuda.get_device_name() if given.device == "cuda" else platform.machine()
    machine = {"machine": card, "threads": torch.get_num_threads(), "torch": torch.__version__}
    facts = {**machine, "runs": given.runs, "measures": [asdict(row) for row in rows]}
    (given.out / "steps.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    table = "\n".join(["| measure | value | target | of |", "| --- | --- | --- | --- |", *map(line, rows)])
    (given.out / "steps.md").write_text(table + "\n", encoding="utf-8")


def line(row: Row) -> str:
    """The row as Markdown."""
    target = "-" if row.target is None else f"{row.target:g}"
    return f"| {row.measure} | {row.value:.4g} | {target} | {row.note} |"


if __name__ == "__main__":
    main()
