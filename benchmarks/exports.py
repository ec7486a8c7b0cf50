"""Whether emitted networks are what exporters and compilers take: `python -m benchmarks.exports`.

Random networks of every shipped space, in turn, and every network of the zoo; of a space's smaller settings where
tests have such. Of each what the outputs of its ONNX file in onnxruntime and of its .pt2 file in torch are off from
those of the network in float64, for batches of one and of several, beside what torch's float32 is off; and the same
of the module under `torch.jit.script` and `torch.compile(fullgraph=True)`, with the backend `eager`, or `--backend
inductor` for a few. Weights are torch's initial ones, batch norms have the statistics of the inputs, which are noise.
"""

import argparse
import json
import linecache
import math
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn

import nasir
from nasir import resources
from nasir.data import input_of
from nasir.execution import network_class
from nasir.exporting.format import Array, Runner
from nasir.exporting.formats import FORMATS
from nasir.exporting.named import listed
from nasir.exporting.proof import TOLERANCE, Difference, Proof, difference, exact, settle
from tests.conftest import load_small

_INPUTS, _FEW = 16, 4
_LARGE = 20_000_000  # multiply-adds


def networks(count: int) -> Iterator[tuple[str, nasir.Space]]:
    """So many random ones of the spaces, in turn, then those of the zoo."""
    spaces = resources.folder("spaces")
    paths = sorted(spaces.glob("*.nas"))
    loaded = {path: load_small(path) for path in paths[:count]}
    for i in range(count):
        path = paths[i % len(paths)]
        space, seed = loaded[path], i // len(paths)
        yield f"{path.stem}, seed {seed}", space.at(space.sample(seed))
    for path in sorted((spaces / "zoo").glob("*.nas")):
        yield f"zoo/{path.stem}", load_small(path)


@dataclass(frozen=True)
class Case:
    """An emitted module in evaluation mode, inputs, its outputs in float64, and what those in float32 are off."""

    module: nn.Module
    inputs: Tensor
    expected: Sequence[Tensor]
    emitted: Difference

    def proof(self, module: Runner) -> Proof:
        """What a runner is off, in batches of one and of all inputs."""
        found = [difference(self.expected, module, self.inputs, batch) for batch in (1, len(self.inputs))]
        return Proof(len(self.inputs), self.emitted, max(found, key=lambda one: one.size))


def case_of(network: nasir.Space, folder: Path) -> Case:
    """A network's case; its module is that of a file, for scripting reads the source."""
    path = folder / "model.py"
    path.write_text(nasir.emit(network), encoding="utf-8")
    linecache.checkcache()
    torch.manual_seed(0)
    module = network_class(path)().eval()
    inputs = torch.randn(_FEW if network.macs()[1] > _LARGE else _INPUTS, *input_of(network.graph).shape)
    settle(module, inputs)
    expected = exact(module, inputs)
    return Case(module, inputs, expected, difference(expected, runner_of(module), inputs, len(inputs)))


def runner_of(module: nn.Module) -> Runner:
    """A module of torch as a file's runtime is called."""

    def run(array: Array) -> list[Array]:
        with torch.no_grad():
            return [one.numpy() for one in listed(module(torch.from_numpy(array)))]

    return run


def exported(format: str) -> Callable[[Case], Proof]:
    """How far a file of the format is off."""
    form = FORMATS[format]

    def measured(case: Case) -> Proof:
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"model{form.suffix}"
            form.write(case.module, case.inputs[:1], path)
            return case.proof(form.load(path))

    return measured


def checks(backend: str) -> dict[str, Callable[[Case], Proof]]:
    """What is tried of each network, by name."""

    def compiled(module: nn.Module) -> nn.Module:
        torch.compiler.reset()
        return torch.compile(module, fullgraph=True, backend=backend)

    return {
        **{name: exported(name) for name in ("onnx", "pt2")},
        "script": lambda case: case.proof(runner_of(torch.jit.script(case.module))),
        "compile": lambda case: case.proof(runner_of(compiled(case.module))),
    }


def row_of(name: str, network: nasir.Space, backend: str, folder: Path) -> dict[str, object]:
    """Of one network the differences, or what was raised, and the seconds."""
    case = case_of(network, folder)
    row: dict[str, object] = {"network": name}
    for check, measured in checks(backend).items():
        start = time.perf_counter()
        try:
            proof = measured(case)
            row[check] = {"exported": proof.exported.size, "emitted": proof.emitted.size, "holds": proof.holds}
        except Exception as error:  # whatever an exporter raises: it is counted
            row[check] = f"{type(error).__name__}: {str(error).strip().splitlines()[0][:120]}"
        row[f"{check}_seconds"] = round(time.perf_counter() - start, 2)
    return row


def shown(key: str, value: object) -> str:
    """A figure of a row, or what was raised."""
    return f"{key} {value['exported']:.1e}" if isinstance(value, dict) else f"{key} {value}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=200, help="random networks, of all spaces in turn")
    parser.add_argument("--every", type=int, default=1, help="of all networks each so many-th")
    parser.add_argument("--backend", default="eager", help="of torch.compile")
    parser.add_argument("--out", type=Path, default=Path("runs/exports"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    rows: list[dict[str, object]] = []
    for i, (name, network) in enumerate(networks(arguments.networks)):
        if i % arguments.every:
            continue
        with TemporaryDirectory() as folder:
            rows.append(row_of(name, network, arguments.backend, Path(folder)))
        print(
            "  ".join(shown(key, value) for key, value in rows[-1].items() if not key.endswith("_seconds")), flush=True
        )
        (arguments.out / f"{arguments.backend}.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
    for check in checks(arguments.backend):
        found = [one for row in rows if isinstance(one := row[check], dict)]
        held = sum(one["holds"] for one in found)
        within = sum(one["exported"] <= TOLERANCE for one in found)
        greatest = max((one["exported"] for one in found), default=math.nan)
        torchs = max((one["emitted"] for one in found), default=math.nan)
        print(f"{check}: {held} of {len(rows)} hold, {within} of them within {TOLERANCE:g};", end=" ")
        print(f"the greatest is off by {greatest:.1e}, torch's float32 by {torchs:.1e}")


if __name__ == "__main__":
    main()
