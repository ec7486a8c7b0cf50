"""Whether emitted networks are what exporters and compilers take: `python -m benchmarks.exports`.

Every network of the zoo, and random networks of every shipped space, in turn, of a space's smaller settings where
tests have such. Of each what the outputs of its ONNX file in onnxruntime and of its .pt2 file in torch are off from
those of the network in float64, for batches of one and of sixteen, beside what torch's float32 is off; and the same
of the module under `torch.jit.script` and `torch.compile(fullgraph=True)`, with the backend `aot_eager`, or
`--backend inductor` for a few. Weights are torch's initial ones, batch norms have the statistics of the inputs, which
are noise.
"""

import argparse
import json
import linecache
import math
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn

import nasir
from nasir import resources
from nasir.data import input_of
from nasir.execution import network_class
from nasir.exporting.format import Array
from nasir.exporting.formats import FORMATS
from nasir.exporting.named import listed
from nasir.exporting.proof import TOLERANCE, Proof, proofs, settle
from tests.conftest import load_small

_INPUTS = 16


def networks(count: int) -> Iterator[tuple[str, nasir.Space]]:
    """Those of the zoo, then so many random ones of the spaces, in turn."""
    spaces = resources.folder("spaces")
    for path in sorted((spaces / "zoo").glob("*.nas")):
        yield f"zoo/{path.stem}", load_small(path)
    paths = sorted(spaces.glob("*.nas"))
    loaded = {path: load_small(path) for path in paths[:count]}
    for i in range(count):
        path = paths[i % len(paths)]
        space, seed = loaded[path], i // len(paths)
        yield f"{path.stem}, seed {seed}", space.at(space.sample(seed))


def module_of(network: nasir.Space, folder: Path) -> tuple[nn.Module, Tensor]:
    """The emitted module in evaluation mode, from a file, for scripting reads its source; and inputs."""
    path = folder / "model.py"
    path.write_text(nasir.emit(network), encoding="utf-8")
    linecache.checkcache()
    torch.manual_seed(0)
    module = network_class(path)().eval()
    inputs = torch.randn(_INPUTS, *input_of(network.graph).shape)
    settle(module, inputs)
    return module, inputs


def exported(format: str) -> Callable[[nn.Module, Tensor], Proof]:
    """How far a file of the format is off."""
    form = FORMATS[format]

    def measured(module: nn.Module, inputs: Tensor) -> Proof:
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"model{form.suffix}"
            form.write(module, inputs[:1], path)
            found = proofs(module, form.load(path), inputs, (1, _INPUTS))
            return min(found, key=lambda one: (one.holds, -one.exported.size))

    return measured


def rewritten(change: Callable[[nn.Module], nn.Module]) -> Callable[[nn.Module, Tensor], Proof]:
    """How far a module that torch makes of another is off."""

    def measured(module: nn.Module, inputs: Tensor) -> Proof:
        made = change(module)

        def run(array: Array) -> list[Array]:
            with torch.no_grad():
                return [one.numpy() for one in listed(made(torch.from_numpy(array)))]

        return proofs(module, run, inputs, (_INPUTS,))[0]

    return measured


def checks(backend: str) -> dict[str, Callable[[nn.Module, Tensor], Proof]]:
    """What is tried of each network, by name."""

    def compiled(module: nn.Module) -> nn.Module:
        torch.compiler.reset()
        return torch.compile(module, fullgraph=True, backend=backend)

    return {
        **{name: exported(name) for name in ("onnx", "pt2")},
        "script": rewritten(torch.jit.script),
        "compile": rewritten(compiled),
    }


def row_of(name: str, network: nasir.Space, backend: str, folder: Path) -> dict[str, object]:
    """Of one network the differences, or what was raised, and the seconds."""
    module, inputs = module_of(network, folder)
    row: dict[str, object] = {"network": name}
    for check, measured in checks(backend).items():
        start = time.perf_counter()
        try:
            proof = measured(module, inputs)
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
    parser.add_argument("--backend", default="aot_eager", help="of torch.compile")
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
