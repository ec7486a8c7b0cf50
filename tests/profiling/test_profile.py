"""Device files: made, added to, gone on with, refused; times come from runtimes that a test sets."""

import json
import random
import re
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
import torch
from torch import _dynamo as dynamo
from typer.testing import CliRunner

import nasir
from nasir.cli.main import app
from nasir.cost.masses import kernel_masses
from nasir.cost.model import CostModel
from nasir.cost.profile import Row, kind_of, read_profile
from nasir.cost.written import parts_of, read_kernel
from nasir.diagnostics import CompileError
from nasir.jobs.signals import Pauses, Stopped
from nasir.profiling import profile as profiling
from nasir.profiling.calibrating import Whole, calibrated, summed
from nasir.profiling.filling import fit_error, fitted
from nasir.profiling.fusing import FoundFusions, found_fusions
from nasir.profiling.measuring import Quantiles, Timed, Turns, interleaved, measured, median_interval, timed_run
from nasir.profiling.module import KernelModule
from nasir.profiling.profile import Asked, profiled
from nasir.profiling.runtime import Measured, runtimes
from nasir.profiling.runtimes.roofline import Roofline
from tests.spaces import TINY

SIGNALS = nasir.load("signals")
BATCH_NORM, LAST = ("conv", "bn"), ("conv", "bn", "relu")


KERNELS = (
    "3x8x8 -> conv(kernel=3, width=12) -> bn -> hswish",
    "8x4x4, 8x1x1 -> mul",
    "8x4x4 -> conv(kernel=1, width=8) -> bn -> add(8x4x4)",
)


def quiet(stage, done, total):
    """Told of stages, and says nothing."""


class Scripted(Measured):
    """A runtime that takes what a formula says: a convolution and what follows it run as one, activations too."""

    name = "scripted"
    words = "for tests"

    def conditions(self):
        return {"version": "1", "dtype": "float32", "layout": "any"}

    def network(self, module, example):
        return lambda: None

    kernel = network


def figure(text):
    """Microseconds of a kernel in that runtime: an op alone has its own."""
    first, *behind = [read_kernel(part) for part in parts_of(text)]
    apart = [first, *(one for one in behind if one.ops[0] not in {"bn", "relu"})]
    return sum(1.0 + one.macs() / 1000 + one.numbers() / 5000 for one in apart)


@pytest.fixture
def busy():
    """The share of the time in which others have the processor."""
    return SimpleNamespace(share=0.03)


@pytest.fixture
def scripted(monkeypatch, busy):
    """Kernels and networks take what `figure` says; the kernels that were measured are listed."""
    seen = []

    def measured(kernels, prepare, null, draw, turns):
        seen.extend(kernels)
        turns.whole, turns.own = turns.whole + 1, turns.own + 1 - busy.share
        return {k: Quantiles(figure(k) * 0.99, figure(k), figure(k) * 1.02, 9) for k in kernels}

    def wholes(space, profile, runtime, networks, batch, draw, told=lambda: None, turns=None):
        sums = [summed(space, profile, choices) for choices in networks]
        return [Whole(one, 10 + 0.8 * sum(one.values()) * (1 + 0.01 * (i % 3))) for i, one in enumerate(sums)]

    monkeypatch.setattr(profiling, "measured", measured)
    monkeypatch.setattr(profiling, "wholes", wholes)
    return seen


@pytest.fixture
def tiny(compiled):
    return compiled(TINY)


def test_a_profile_has_every_kernel_and_finds_what_runs_as_one(tiny, scripted, tmp_path):
    out = tmp_path / "device.json"
    made = profiled(tiny, out, Asked(Scripted(), networks=12), quiet, Pauses())
    found = read_profile(out)
    assert found == made.profile
    assert {BATCH_NORM, LAST} <= found.fuse
    assert ("conv", "bn", "add") not in found.fuse
    assert set(kernel_masses(CostModel(tiny.graph), found.fuse)) <= set(found.rows)
    assert found.calibration.networks == 12
    assert set(found.calibration.factors) <= {kind_of(kernel) for kernel in found.rows}
    assert max(map(abs, found.calibration.residuals.values())) < 0.02
    assert made.measured == len(set(scripted)) - len(set(scripted) - set(found.rows))
    assert not list(tmp_path.glob(".*"))  # the journal is gone
    space = tiny.on(out)
    (name,) = [one for one in space.costs.costs if one.startswith("latency(")]
    network = tiny.at(tiny.sample(4))
    alone = network.on(out).costs.at({}, (name,))[name]
    assert alone == space.costs.at(tiny.sample(4), (name,))[name] > 0


def test_a_file_that_is_there_is_added_to(tiny, scripted, tmp_path):
    out = tmp_path / "device.json"
    profiled(tiny, out, Asked(Scripted(), networks=0), quiet, Pauses())
    scripted.clear()
    again = profiled(tiny, out, Asked(Scripted(), networks=0), quiet, Pauses())
    assert (again.measured, again.filled, scripted) == (0, 0, [])
    wider = nasir.load("signals")
    more = profiled(wider, out, Asked(Scripted(), networks=0), quiet, Pauses())
    assert more.measured > 0
    assert set(again.profile.rows) < set(more.profile.rows)
    with pytest.raises(CompileError, match=r"E0993: .*threads: 1 there, 2 here"):
        profiled(tiny, out, Asked(Scripted(2)), quiet, Pauses())


def test_an_interrupted_profile_goes_on(scripted, tmp_path):
    out, pauses = tmp_path / "device.json", Pauses()

    def stop(stage, done, total):
        pauses.told = 2 if stage == "kernels" else 0

    with pytest.raises(Stopped):
        profiled(SIGNALS, out, Asked(Scripted(), networks=0), stop, pauses)
    assert not out.exists()
    (journal,) = tmp_path.glob(".*")
    journal.write_text(journal.read_text() + '{"kernel": "cut o')  # a line that was cut off
    first = set(scripted)
    scripted.clear()
    profiled(SIGNALS, out, Asked(Scripted(), networks=0), quiet, Pauses())
    assert not first & set(scripted)
    whole = tmp_path / "whole.json"
    profiled(SIGNALS, whole, Asked(Scripted(), networks=0), quiet, Pauses())
    assert read_profile(out).rows == read_profile(whole).rows


def test_what_there_is_no_time_for_is_filled_by_a_fit(scripted, tmp_path):
    out = tmp_path / "device.json"
    made = profiled(SIGNALS, out, Asked(Scripted(), seconds=0.0, networks=0), quiet, Pauses())
    assert made.filled > 0
    found = read_profile(out)
    assert sum(row.filled for row in found.rows.values()) == made.filled
    assert found.facts["fit"]["filled"] == made.filled
    assert found.facts["fit"]["median_error"] < 0.3
    scripted.clear()
    after = profiled(SIGNALS, out, Asked(Scripted(), networks=0), quiet, Pauses())  # with time they are measured
    assert (after.filled, len(scripted)) == (0, made.filled)


def test_a_fit_tells_kernels_that_it_has_not_seen():
    draw = random.Random(1)
    kernels = [
        f"{c}x{s}x{s} -> conv(kernel=1, width={w})" for c in (8, 16, 32, 64) for s in (7, 14, 28) for w in (8, 24, 48)
    ]
    rows = {k: Row(2e-4 * (read_kernel(k).macs() + 1) ** 0.9 * read_kernel(k).numbers() ** 0.1) for k in kernels}
    assert fit_error(rows) < 1e-6
    held = draw.choice(kernels)
    fit = fitted({k: row for k, row in rows.items() if k != held})
    assert fit.figure(held) == pytest.approx(rows[held].p50, rel=1e-6)


def test_fusions_are_as_long_as_the_runtime_goes_on(tiny):
    model = CostModel(tiny.graph)
    asked = []

    def measure(kernels):
        asked.extend(kernels)
        return {k: Row(figure(k)) for k in kernels}

    found = found_fusions(model, measure, FoundFusions())
    assert {BATCH_NORM, LAST, ("dwconv", "bn"), ("dwconv", "bn", "relu")} <= found.accepted
    assert ("conv", "bn", "add") in found.refused
    asked.clear()
    assert found_fusions(model, measure, found) == found
    assert asked == []


def test_calibration_has_a_factor_for_each_kind():
    sums = [{"conv": 10.0 + 7 * i, "add": 40.0 - i * i, "relu": 0.01} for i in range(6)]
    exact = calibrated([Whole(one, 5 + 0.9 * one["conv"] + 0.8 * one["add"]) for one in sums])
    assert exact.factors["conv"] == pytest.approx(0.9, abs=0.02)
    assert exact.factors["add"] == pytest.approx(0.8, abs=0.02)
    assert exact.offset == pytest.approx(5, abs=2)
    assert max(map(abs, exact.residuals.values())) < 0.01
    assert exact.told(sums[2]) == pytest.approx(5 + 0.9 * sums[2]["conv"] + 0.8 * sums[2]["add"], rel=0.01)
    assert exact.of("mul") == exact.factor
    few = calibrated([Whole({"conv": 100.0}, 80.0), Whole({"conv": 200.0}, 160.0)])
    assert (few.offset, few.factor, few.factors) == (0.0, pytest.approx(0.8), {})
    assert calibrated([]).networks == 0
    below = calibrated([Whole({"conv": s}, 0.9 * s - 5) for s in (10.0, 50.0, 100.0, 400.0, 1000.0)])
    assert below.offset == 0.0  # no network takes less than nothing
    shares = [s / (0.9 * s - 5) for s in (10.0, 50.0, 100.0, 400.0, 1000.0)]
    assert below.factors["conv"] == pytest.approx(sum(shares) / sum(share**2 for share in shares), rel=1e-3)


def test_a_busy_machine_is_told(scripted, busy, tmp_path, monkeypatch):
    monkeypatch.setattr("nasir.profiling.runtime.runtimes", lambda: {"scripted": Scripted})
    given = ["profile", "digits", "--runtime", "scripted", "-o"]
    calm = CliRunner().invoke(app, [*given, str(tmp_path / "calm.json")])
    assert calm.exit_code == 0, calm.output
    assert "other work" not in calm.output
    assert read_profile(tmp_path / "calm.json").facts["waited"] == 0.03
    busy.share = 0.4
    told = " ".join(CliRunner().invoke(app, [*given, str(tmp_path / "busy.json")]).output.split())
    assert "other work had the processor 40% of the time" in told
    assert f"remove {tmp_path / 'busy.json'}, and measure when the machine is idle" in told
    figures = CliRunner().invoke(app, [*given, str(tmp_path / "json.json"), "--json"]).output
    assert json.loads(figures)["waited"] == 0.4
    assert CliRunner().invoke(app, [*given, str(tmp_path / "busy.json")]).exit_code == 0  # nothing is missing
    assert read_profile(tmp_path / "busy.json").facts["waited"] == 0.4
    several = CliRunner().invoke(app, [*given, str(tmp_path / "two.json"), "--threads", "2"])
    assert "other work" not in several.output  # it waits for its own threads


def test_turns_are_what_the_clocks_say(monkeypatch):
    whole, own = iter([10.0, 12.0, 20.0, 22.0]), iter([1.0, 2.0, 5.0, 7.0])
    monkeypatch.setattr("nasir.profiling.measuring.time.perf_counter", lambda: next(whole))
    monkeypatch.setattr("nasir.profiling.measuring.time.thread_time", lambda: next(own))
    turns = Turns()
    assert turns.waited == 0
    for _ in range(2):
        with turns.counted():
            pass
    assert turns.waited == pytest.approx(0.25)


def test_what_is_sampled_is_counted():
    turns = Turns()
    measured(["a", "b"], lambda _: lambda: sum(range(1000)), lambda: None, random.Random(0), turns)
    counted = turns.whole
    assert 0 < turns.own <= counted * 1.01  # two clocks
    interleaved([Timed(lambda: None)], random.Random(0), turns)
    assert turns.whole > counted


def test_a_median_is_sampled_until_it_is_known():
    assert median_interval([5.0] * 9) == (5.0, 5.0)
    low, high = median_interval([float(i) for i in range(100)])
    assert (low, high) == (40.0, 59.0)
    calm, wild = Timed(lambda: None), Timed(lambda: None)
    calm.sample = lambda: calm.samples.append(100.0 + len(calm.samples) % 2)  # pyright: ignore
    wild.sample = lambda: wild.samples.append(10.0 ** (len(wild.samples) % 5))  # pyright: ignore
    interleaved([calm, wild], random.Random(0), most=20)
    assert (len(calm.samples), len(wild.samples)) == (11, 20)


def test_the_formula_is_what_it_says(tmp_path):
    kernel = read_kernel("16x8x8 -> conv(kernel=3, width=20) -> bn -> relu")
    macs, numbers = 16 * 20 * 9 * 64, 16 * 64 + 20 * 64 + 16 * 20 * 9 + 2 * 20
    assert (kernel.macs(), kernel.numbers()) == (macs, numbers)
    assert Roofline().figure(kernel) == pytest.approx(2 + max(macs * 24 / 20 / 4000, numbers / 1000), abs=1e-3)


def test_the_table_of_edge_is_the_formulas(tmp_path):
    shipped = Path(nasir.resources.folder("spaces")) / "edge.json"
    out = tmp_path / "edge.json"
    result = CliRunner().invoke(app, ["profile", "edge", "--runtime", "roofline", "-o", str(out)])
    assert result.exit_code == 0, result.output
    assert out.read_text() == shipped.read_text()


@pytest.mark.parametrize("name", ["torch", "onnxruntime"])
def test_runtimes_run_kernels_and_networks(name, emitted):
    pytest.importorskip("onnxruntime")
    runtime = runtimes()[name]()
    assert isinstance(runtime, Measured)
    assert runtime.conditions()["version"]
    for text in KERNELS:
        module = KernelModule(read_kernel(text)).eval()
        timed = Timed(runtime.kernel(module, module.example))
        timed.warm()
        timed.sample()
        assert timed.samples[0] > 0
    network = nasir.load("digits").at(nasir.load("digits").smallest())
    runtime.network(emitted(network), torch.zeros(1, 1, 8, 8))()


def test_of_a_row_of_runs_a_sample_is_one(monkeypatch):
    clock = iter((0.0, 8e-6))
    monkeypatch.setattr("nasir.profiling.measuring.time.perf_counter", lambda: next(clock))
    row = Mock(runs=4)
    one = timed_run(row)
    one.sample()
    assert one.samples == [pytest.approx(2.0)]
    row.touch.assert_called_once_with()


def test_every_kernel_is_compiled(monkeypatch):
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    runtime = runtimes()["compile"]()
    assert isinstance(runtime, Measured)
    with dynamo.config.patch(error_on_recompile=True):
        for width in range(1, 11):
            module = KernelModule(read_kernel(f"3x8x8 -> conv(kernel=3, width={width}) -> bn -> hswish")).eval()
            runtime.kernel(module, module.example)()


def test_another_machine_measures_without_nasir(tmp_path):
    pytest.importorskip("onnxruntime")
    path = tmp_path / "small.nas"
    path.write_text(
        "space small(classes = 2) { x = image(1, size=4)\n return x -> conv(3, {4, 8}) -> bn -> relu"
        " -> global_avg_pool -> linear(classes) }"
    )
    folder, out = tmp_path / "kernels", tmp_path / "board.json"
    run = CliRunner().invoke
    assert run(app, ["profile", str(path), "--emit", str(folder), "--networks", "2"]).exit_code == 0
    assert "E0994" in _said(run(app, ["profile", str(path), "--emit", str(folder)]))
    assert "E0996" in _said(run(app, ["profile", str(path), "--collect", str(folder), "-o", str(out)]))
    for name in ("measure.py", "measuring.py", "machine.py"):
        assert not re.search(r"^(from|import) nasir", (folder / name).read_text(), re.MULTILINE)
    command = [sys.executable, "-I", str(folder / "measure.py"), "--name", "my board"]
    command[1:2] = []  # measure.py imports what lies beside it
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    lines = (folder / "results.jsonl").read_text().splitlines(keepends=True)
    (folder / "results.jsonl").write_text("".join(lines[:-1]))
    assert "E0995" in _said(run(app, ["profile", str(path), "--collect", str(folder), "-o", str(out)]))
    busy = (folder / "measuring.py").read_text()
    assert "BUSY = 0.1\n" in busy
    (folder / "measuring.py").write_text(busy.replace("BUSY = 0.1\n", "BUSY = -1.0\n"))  # any machine is
    again = subprocess.run(command, check=True, capture_output=True, timeout=120)  # goes on with what is missing
    assert b"other work had the processor" in again.stdout
    assert b"remove results.jsonl, and measure when the device is idle" in again.stdout
    assert len((folder / "results.jsonl").read_text().splitlines()) == len(lines)
    assert run(app, ["profile", str(path), "--collect", str(folder), "-o", str(out)]).exit_code == 0
    found = read_profile(out)
    assert found.conditions["device"] == "my board"
    assert found.calibration.networks == 2
    space = nasir.load(path).on(out)
    assert space.range([*space.costs.costs][-1])[0] > 0


def test_what_another_machine_measured_is_added_to_what_is_there(tmp_path):
    pytest.importorskip("onnxruntime")
    run, out = CliRunner().invoke, tmp_path / "board.json"
    for width in (3, 5):
        path, folder = tmp_path / f"w{width}.nas", tmp_path / f"w{width}"
        path.write_text(f"space w(classes = 2) {{ x = image(1, size=4)\n return x -> conv(3, {width}) -> relu }}")
        emitted = run(app, ["profile", str(path), "--emit", str(folder), "--networks", "1", "--json"])
        plan = json.loads((folder / "plan.json").read_text())
        assert json.loads(emitted.stdout) == {"folder": str(folder), "kernels": len(plan["kernels"])}
        files = [one["file"] for kind in ("kernels", "networks") for one in plan[kind]]
        lines = [{"device": "board", "version": "1", "threads": 1}]
        lines += [{"file": file, "p50": 2.0, "p10": 1.0, "p90": 3.0, "n": 5} for file in files]
        (folder / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        said = run(app, ["profile", str(path), "--collect", str(folder), "-o", str(out), "--json"])
        assert json.loads(said.stdout)["collected"] == len(plan["kernels"])
    for width in (3, 5):
        assert run(app, ["info", str(tmp_path / f"w{width}.nas"), "--cost", str(out)]).exit_code == 0
    lines[0]["device"] = "other"
    (folder / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    before = out.read_bytes()
    assert "E0993" in _said(run(app, ["profile", str(path), "--collect", str(folder), "-o", str(out)]))
    assert out.read_bytes() == before


def test_a_folder_for_kernels_that_cannot_be_made_is_told(tmp_path):
    pytest.importorskip("onnxruntime")
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(app, ["profile", "tabular", "--emit", str(tmp_path / "file" / "kernels")])
    assert "E0903" in _said(result)


def _said(result):
    return str(result.exception)


def test_a_space_whose_objective_names_the_file_is_what_makes_it(tmp_path):
    program, out = tmp_path / "space.nas", tmp_path / "dev.json"
    body = "x = image(1, size=8)\n  return x -> conv(3, {2, 4}) -> bn -> relu -> global_avg_pool -> linear(4)"
    bound = 'minimize cross_entropy\n  subject to latency("dev.json") <= 1s'
    program.write_text(f"space t() {{\n  {body}\n}}\n\nobjective {{\n  {bound}\n}}\n", encoding="utf-8")
    options = ["--runtime", "torch", "--time", "1s", "--networks", "2", "-q"]
    assert CliRunner().invoke(app, ["profile", str(program), "-o", str(out), *options]).exit_code == 0
    space = nasir.load(program)
    latency = 'latency("dev.json")'
    assert space.costs.at(space.smallest(), (latency,))[latency] > 0


def test_options_that_do_not_fit_are_told(tmp_path):
    run = CliRunner().invoke
    for arguments, words in (
        (["digits"], "one of -o"),
        (["digits", "-o", "x.json", "--runtime", "none"], "is none of"),
        *(
            (["digits", "-o", str(tmp_path / "x.json"), "--time", time], "write `10m`")
            for time in ("soon", "0s", "-5s", "nans", "infs")
        ),
        (["digits", "--emit", str(tmp_path / "x"), "--runtime", "torch"], "no files to run elsewhere"),
    ):
        result = run(app, ["profile", *arguments])
        assert result.exit_code == 2
        assert words in " ".join(result.output.replace("│", " ").split())


def test_a_profile_is_the_same_bytes_again(tiny, scripted, tmp_path):
    texts = []
    for name in ("a.json", "b.json"):
        made = profiled(tiny, tmp_path / name, Asked(Scripted(), networks=6), quiet, Pauses())
        texts.append(replace(made.profile, conditions={}).dumped())
    assert texts[0] == texts[1]
    json.loads(texts[0])
