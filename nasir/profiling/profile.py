"""The making of a device file: all kernels that a space's networks can have, in one runtime on this machine."""

import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import torch
from torch import nn

from nasir.api import Space
from nasir.cost.kernels import kernels
from nasir.cost.masses import kernel_masses
from nasir.cost.model import CostModel
from nasir.cost.profile import Calibration, Profile, Row, read_profile
from nasir.cost.written import read_kernel
from nasir.jobs.signals import Pauses
from nasir.profiling import mistakes
from nasir.profiling.calibrating import calibrated, networks_of, wholes
from nasir.profiling.filling import fit_error, fitted
from nasir.profiling.fusing import FoundFusions, found_fusions
from nasir.profiling.journal import Journal
from nasir.profiling.machine import device_name
from nasir.profiling.measuring import Run, Turns, batches, measured
from nasir.profiling.module import KernelModule
from nasir.profiling.runtime import Formula, Measured, Runtime

_TOGETHER = 64
"""Kernels that are measured at a time."""

Told = Callable[[str, int, int], None]
"""Told of each stage how much of it is done, and of how much."""


@dataclass(frozen=True)
class Asked:
    """What a profile is asked for: `seconds` to measure kernels in, `networks` to calibrate with; the device's `name`
    where it is not the system's."""

    runtime: Runtime
    batch: int = 1
    seconds: float = 600.0
    networks: int = 30
    seed: int = 0
    name: str = ""

    def conditions(self) -> dict[str, str | int]:
        """What the figures are of."""
        told = {"runtime": self.runtime.name, **self.runtime.conditions()}
        if not isinstance(self.runtime, Measured):
            return {"device": self.name or self.runtime.name, "processor": "none", **told}
        backend = {} if self.runtime.backend == "cpu" else {"backend": self.runtime.backend}
        where = {"device": self.name or device_name(), "processor": self.runtime.processor, **backend}
        return {**where, **told, "threads": self.runtime.threads, "batch": self.batch}


@dataclass(frozen=True)
class Made:
    """A device file as it was made: how many kernels were measured now, taken over, and filled in; and for what share
    of the time others had the processor."""

    profile: Profile
    measured: int
    kept: int
    filled: int
    waited: float = 0.0


def profiled(space: Space, out: Path, asked: Asked, told: Told, pauses: Pauses) -> Made:
    """Make the device file of a space, or add to the one that is there what it lacks.

    Raises:
        CompileError: where a file is there that is of another device, or no device file; or it cannot be written.
        Stopped: where a signal ended it; what was measured is kept beside the file.
    """
    conditions = asked.conditions()
    there = found_there(out, conditions)
    if isinstance(asked.runtime, Formula):
        profile = by_formula(space, asked.runtime, there or Profile(conditions=conditions))
        profile.write(out)
        return Made(profile, 0, len(there.rows) if there else 0, 0)
    assert isinstance(asked.runtime, Measured), "a runtime is measured or a formula"
    return _Job(space, out, asked, asked.runtime, told, pauses).run(there, conditions)


def found_there(out: Path, conditions: Mapping[str, str | int]) -> Profile | None:
    """The device file that is there, of this device.

    Raises:
        CompileError: where it is of another one, or no device file.
    """
    if not out.exists():
        return None
    found = read_profile(out)
    differing = [name for name, value in conditions.items() if found.conditions.get(name) != value]
    if differing:
        raise mistakes.another_device(out, {name: (found.conditions.get(name), conditions[name]) for name in differing})
    return found


def added_to(out: Path, made: Profile) -> Profile:
    """What was made of another's figures, beside what the device file has that is there.

    Raises:
        CompileError: where that is of another device, of other kernels, or no device file.
    """
    there = found_there(out, made.conditions)
    if there is None:
        return made
    if there.fuse != made.fuse:
        raise mistakes.other_kernels(out)
    calibration = made.calibration if made.calibration.networks else there.calibration
    rows = {**there.rows, **made.rows}
    return replace(made, calibration=calibration, facts={**there.facts, **made.facts}, rows=rows)


def by_formula(space: Space, runtime: Formula, there: Profile | None = None) -> Profile:
    """What a formula says of every kernel of a space, beside what is there already."""
    found, model = there or Profile(), CostModel(space.graph)
    rows = {
        name: Row(runtime.figure(read_kernel(name)))
        for name in kernel_masses(model, runtime.fusions)
        if name not in found.rows
    }
    occurring = {kernel.ops for kernel in kernels(model.graph, model.distributions, runtime.fusions)}
    fuse = frozenset(one for one in runtime.fusions if any(ops[: len(one)] == one for ops in occurring))
    words = " ".join((type(runtime).__doc__ or "").split())
    return replace(found, fuse=found.fuse | fuse, facts={"formula": words}).with_rows(rows)


def _sequences(texts: object) -> frozenset[tuple[str, ...]]:
    """Sequences of ops as a device file has them."""
    listed = cast("list[object]", texts) if isinstance(texts, list) else []
    return frozenset(tuple(str(text).split(" -> ")) for text in listed)


class _Job:
    """One profile that is measured."""

    def __init__(self, space: Space, out: Path, asked: Asked, runtime: Measured, told: Told, pauses: Pauses) -> None:
        self._space, self._out, self._asked, self._runtime = space, out, asked, runtime
        self._told, self._pauses = told, pauses
        self._draw, self._turns = random.Random(asked.seed), Turns()
        self._null = runtime.kernel(nn.Identity().eval(), torch.zeros(1, 1))

    def run(self, there: Profile | None, conditions: Mapping[str, str | int]) -> Made:
        """The file, written."""
        journal = Journal(self._out.with_name(f".{self._out.name}.part"), conditions)
        model = CostModel(self._space.graph)
        if journal.found is None:
            self._told("what runs as one", 0, 1)
            known = FoundFusions(there.fuse, _sequences(there.facts.get("apart"))) if there else FoundFusions()
            journal.keep_fusions(found_fusions(model, self._measure, known))
            self._told("what runs as one", 1, 1)
        found = journal.found or FoundFusions()
        fuse = found.accepted
        masses = kernel_masses(model, fuse)
        before = there.rows if there else dict[str, Row]()
        known = {name: row for name, row in before.items() if not row.filled} | journal.rows
        missing = [name for name in masses if name not in known]
        self._all(missing, masses, journal)
        rows = known | journal.rows
        filled = self._filled([name for name in masses if name not in rows], rows)
        facts = dict(there.facts if there else {})
        spreads = [(row.p90 or row.p50) / max(row.p10 or row.p50, 1e-9) - 1 for row in rows.values()]
        spread = statistics.median(spreads or [0.0])
        apart = sorted(map(" -> ".join, found.refused))
        facts |= {"apart": apart, "noise": {"p10_to_p90": round(spread, 4)}, "seed": self._asked.seed}
        if filled:
            error = round(fit_error({name: rows[name] for name in masses if name in rows}), 4)
            facts |= {"fit": {"filled": len(filled), "median_error": error}}
        profile = Profile("us", "latency", conditions, fuse, Calibration(), facts, rows | filled)
        profile = replace(profile, calibration=self._calibration(profile, there))
        if (waited := self._waited) is not None:
            profile = replace(profile, facts={**facts, "waited": round(waited, 4)})
        profile.write(self._out)
        journal.drop()
        now = len(missing) - len(filled)
        return Made(profile, now, len(masses) - now - len(filled), len(filled), waited or 0.0)

    @property
    def _waited(self) -> float | None:
        """Unknown where nothing was measured, or the thread that measures waits for others that compute."""
        alone = self._runtime.threads == 1 and self._runtime.backend == "cpu"
        return self._turns.waited if alone and self._turns.whole else None

    def _measure(self, kernels: Sequence[str]) -> Mapping[str, Row]:
        rows: dict[str, Row] = {}
        for together in batches(kernels, _TOGETHER):
            self._check()
            found = measured(together, self._ready, self._null, self._draw, self._turns)
            rows |= {kernel: Row(one.p50, one.p10, one.p90, one.n) for kernel, one in found.items()}
        return rows

    def _ready(self, kernel: str) -> Run:
        module = KernelModule(read_kernel(kernel), self._asked.batch)
        return self._runtime.kernel(module.eval(), module.example)

    def _all(self, missing: Sequence[str], masses: Mapping[str, float], journal: Journal) -> None:
        """Measure what is missing: in random order where there is time for all, else the likeliest first."""
        began, order = time.monotonic(), [*missing]
        self._draw.shuffle(order)
        done = 0
        while done < len(order):
            taken = time.monotonic() - began
            if done and taken > self._asked.seconds:
                return
            if done == _TOGETHER and taken * len(order) / done > self._asked.seconds:
                order[done:] = sorted(order[done:], key=lambda name: -masses[name])
            journal.keep(self._measure(order[done : done + _TOGETHER]))
            done = min(done + _TOGETHER, len(order))
            self._told("kernels", done, len(order))

    def _filled(self, names: Sequence[str], rows: Mapping[str, Row]) -> dict[str, Row]:
        """What a fit says of kernels that were not measured."""
        if not names:
            return {}
        fit = fitted(rows)
        return {name: Row(round(fit.figure(name), 4), filled=True) for name in names}

    def _calibration(self, profile: Profile, there: Profile | None) -> Calibration:
        """By random networks of the space; that of the file where none are asked for."""
        networks = networks_of(self._space, self._asked.networks, self._asked.seed)
        if not self._asked.networks:
            return there.calibration if there else Calibration()
        done = 0

        def told() -> None:
            nonlocal done
            done += 1
            self._check()
            self._told("networks", done, len(networks))

        found = wholes(self._space, profile, self._runtime, networks, self._asked.batch, self._draw, told, self._turns)
        return calibrated(found)

    def _check(self) -> None:
        if self._pauses.signal:
            raise self._pauses.stopped()
