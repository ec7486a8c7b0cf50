"""A profile of a device that has no nasir: a folder to measure there, and the results read back."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from inspect import getsource
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from nasir.api import Space, emit
from nasir.cost.kernels import usual_fusions
from nasir.cost.masses import kernel_masses
from nasir.cost.model import CostModel
from nasir.cost.profile import Profile, Row
from nasir.cost.written import read_kernel
from nasir.execution import network_class
from nasir.exporting.format import Format
from nasir.files import Unreadable, parse_json, read_regular, write_atomically
from nasir.ir.graph import Choices
from nasir.jobs.progress import Stages
from nasir.mistakes import not_written
from nasir.profiling import machine, measuring, mistakes, runner
from nasir.profiling.calibrating import Whole, calibrated, networks_of, summed
from nasir.profiling.module import KernelModule
from nasir.profiling.profile import Asked

PLAN, RESULTS = "plan.json", "results.jsonl"
_FUSIONS = usual_fusions("add")
"""A chain that is measured as one is right in any runtime, whether it fuses the ops or not."""


@dataclass(frozen=True)
class _Writing:
    """Where files of a format go."""

    folder: Path
    format: Format

    def write(self, name: str, module: nn.Module, example: Tensor) -> dict[str, Any]:
        """Write a module; its entry in the plan."""
        file = f"{name}{self.format.suffix}"
        self.format.write(module.eval(), example, self.folder / file)
        return {"file": file, "shape": list(example.shape)}


def emitted(space: Space, out: Path, format: Format, asked: Asked, told: Stages) -> int:
    """Write the folder: a file a kernel, some random networks, and `measure.py`, which runs there. The number of
    kernels comes back.

    Raises:
        CompileError: where the folder holds another plan, or the format's library is not installed.
    """
    if os.path.lexists(out / PLAN):
        raise mistakes.emitted_there(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_written(out, error) from None
    writing = _Writing(out, format)
    names = [*kernel_masses(CostModel(space.graph), _FUSIONS)]
    kernels: list[dict[str, Any]] = []
    for place, name in enumerate(names):
        module = KernelModule(read_kernel(name), asked.batch)
        kernels.append({**writing.write(f"k{place:05}", module, module.example), "kernel": name})
        told("kernels", place + 1, len(names))
    networks = networks_of(space, asked.networks, asked.seed)
    wholes = [_network(writing, f"n{i:03}", space, one, asked.batch) for i, one in enumerate(networks)]
    null = writing.write("null", nn.Identity(), torch.zeros(1, 1))
    facts = {"runtime": asked.runtime.name, "batch": asked.batch, "null": null}
    plan = {**facts, "kernels": kernels, "networks": wholes}
    for name, module in {"measuring": measuring, "machine": machine, "measure": runner}.items():
        alone = getsource(module).replace(f"from {__package__}.", "from ")  # the files lie beside each other there
        write_atomically(out / f"{name}.py", alone.encode())
    write_atomically(out / PLAN, (json.dumps(plan, indent=1) + "\n").encode())  # the last: with it the folder is whole
    return len(names)


def _network(writing: _Writing, name: str, space: Space, choices: Choices, batch: int) -> dict[str, Any]:
    network = space.at(choices)
    module = network_class(Path(f"{network.name}.py"), emit(network))()
    sizes = (int(size) for size in network.graph.input.shape.values() if isinstance(size, int))
    return {**writing.write(name, module, torch.randn(batch, *sizes)), "choices": dict(choices)}


def collected(space: Space, source: Path) -> Profile:
    """The device file that the results in a folder make.

    Raises:
        CompileError: where they cannot be read, or are not complete.
    """
    plan, lines = _read(source)
    head = next((line for line in lines if "device" in line), dict[str, Any]())
    found = {str(line["file"]): line for line in lines if "file" in line}
    kernels, networks = (cast("list[dict[str, Any]]", plan[kind]) for kind in ("kernels", "networks"))
    missing = [one["file"] for one in (*kernels, *networks) if one["file"] not in found]
    if missing:
        raise mistakes.not_measured(source / RESULTS, len(missing), len(kernels) + len(networks))
    rows = {str(one["kernel"]): _row(found[one["file"]]) for one in kernels}
    conditions = {name: head[name] for name in ("device", "processor", "version", "threads") if name in head}
    conditions |= {"runtime": plan["runtime"], "batch": plan["batch"]}
    profile = Profile("us", "latency", conditions, frozenset(_FUSIONS), rows=rows)
    wholes = [
        Whole(summed(space, profile, cast(Choices, one["choices"])), float(found[one["file"]]["p50"]))
        for one in networks
    ]
    return replace(profile, calibration=calibrated(wholes))


def _row(line: Mapping[str, Any]) -> Row:
    return Row(float(line["p50"]), float(line["p10"]), float(line["p90"]), int(line["n"]))


def _read(source: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    try:
        plan: Any = parse_json(read_regular(source / PLAN))
        lines: list[Any] = [parse_json(line) for line in read_regular(source / RESULTS).splitlines() if line.strip()]
        named = [str(one["file"]) for kind in ("kernels", "networks") for one in plan[kind]]
        for line in lines:
            if line.get("file") in named:
                _row(line)
    except Unreadable as error:
        raise mistakes.nothing_collected(source, str(error)) from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:  # whatever was done to the files
        raise mistakes.nothing_collected(source, f"{type(error).__name__}: {error}") from None
    return cast("dict[str, Any]", plan), cast("list[dict[str, Any]]", lines)
