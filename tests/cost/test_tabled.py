"""Costs of device files: expectations, walks, bounds in programs, and files that are none."""

import json
import math
import re
from dataclasses import replace
from itertools import product

import pytest
import torch

import nasir
from nasir.api import check
from nasir.cost.model import CostModel
from nasir.cost.profile import Calibration, kind_of, read_profile
from nasir.cost.table import layer_rows
from nasir.cost.tabled import Latency, Tabled, cost_of
from nasir.diagnostics import CompileError
from nasir.lang.settings import with_bounds
from nasir.searching.prices import targets
from nasir.supernets import build
from tests.cost.test_costs import ENTANGLED, gates_of
from tests.cost.test_kernels import of
from tests.spaces import RESIDUAL, TINY
from tests.tables import bounded, table

CALIBRATION = Calibration(20.0, 0.9, {"conv -> bn -> relu": 1.3}, {"p10": -0.05, "p50": 0.0, "p90": 0.1}, 30)


@pytest.mark.parametrize("text", [RESIDUAL, TINY, ENTANGLED], ids=["residual", "tiny", "entangled"])
def test_the_expectation_of_a_table_is_the_mean_over_all_networks(compiled, text):
    space = compiled(text)
    cost = Latency("device.json", table(space, CALIBRATION))
    model = CostModel(space.graph, [cost])
    sizes = build(space.graph, costs=(cost,)).get_submodule("sizes")
    gates, parts = gates_of(space, 1)
    mean = 0.0
    for numbers in product(*(range(len(d.options)) for d in space.decisions)):
        choices = {d.name: d.options[i] for d, i in zip(space.decisions, numbers, strict=True)}
        share = math.prod(float(part[i]) for part, i in zip(parts, numbers, strict=True))
        mean += share * model.at(choices, (cost.name,))[cost.name]
    assert float(sizes(gates).costs[cost.name]) == pytest.approx(mean, rel=1e-12)


def test_a_networks_cost_is_the_sum_of_its_kernels(compiled):
    space = compiled(RESIDUAL)
    profile = table(space)
    cost = cost_of("device.json", profile)
    model = CostModel(space.graph, [cost])
    supernet = build(space.graph, costs=(cost,))
    walk = model.walk(cost.name, space.sample(0))
    for seed in range(6):
        choices = space.sample(seed)
        network = space.at(choices)
        summed = sum(round(1000 * profile.rows[text].p50) for text in of(network))
        assert model.at(choices, (cost.name,)) == {cost.name: summed}
        assert int(supernet.cost(choices)[cost.name]) == summed
        assert walk.after([*choices.items()]) == summed
        for name, option in choices.items():
            walk.change(name, option)
        assert walk.total == summed
        shares = CostModel(network.graph, [cost])
        assert sum(row.costs[cost.name] for row in layer_rows(shares, (cost.name,))) == summed


def test_a_calibrated_table_tells_what_nine_networks_of_ten_stay_within(compiled):
    space = compiled(RESIDUAL)
    choices = space.sample(3)
    plain = Latency("a.json", table(space))
    upper, median = (Latency("a.json", table(space, CALIBRATION), quantile) for quantile in ("", "median"))
    at = {
        name: CostModel(space.graph, [cost]).at(choices, (cost.name,))[cost.name]
        for name, cost in {"plain": plain, "upper": upper, "median": median}.items()
    }
    network = space.at(choices)
    folded = [text for text in of(network) if kind_of(text) == "conv -> bn -> relu"]
    more = sum((1.3 - 0.9) * 1000 * table(space).rows[text].p50 for text in folded)
    assert at["median"] == pytest.approx(20_000 + 0.9 * at["plain"] + more, abs=50)
    assert folded
    assert at["upper"] == pytest.approx(1.1 * at["median"], abs=50)
    assert "nine in ten" in upper.words
    assert median.name == 'latency("a.json", median)'


# In programs


def test_a_bound_on_latency_is_kept(tmp_path):
    space = bounded(TINY, 'latency("device.json") <= 32us, macs <= 15K', tmp_path)
    name = 'latency("device.json")'
    assert space.cost_names == ("macs", "params", name)
    assert space.settings.objective.bounds[0].limit == 32_000
    supernet = nasir.supernet(space)
    bounds = nasir.Bounds(space, steps=1)
    choices = bounds.land(supernet)
    assert space.costs.at(choices, (name,))[name] <= 32_000
    assert [*space.files] == ["lib/mobile.nas", "device.json"]


@pytest.mark.parametrize(
    ("bound", "limit"),
    [("0.03ms", 30_000), ("40us", 40_000), ("1s", 1e9), ("2 * 15us", 30_000), ("80%", 0.8)],
)
def test_amounts_have_units(tmp_path, bound, limit):
    (found,) = bounded(TINY, f'latency("device.json") <= {bound}', tmp_path).settings.objective.bounds
    assert found.limit == pytest.approx(limit)


def test_memory_has_units_and_bytes(tmp_path):
    space = bounded(TINY, "memory(int8) <= 4KB, flash <= 1MB", tmp_path)
    assert [bound.limit for bound in space.settings.objective.bounds] == [4096, 2**20]


def test_latency_is_a_factor_and_a_term_of_objectives(tmp_path):
    path = tmp_path / "program.nas"
    bounded(TINY, 'latency("device.json") <= 80%', tmp_path)
    text = path.read_text()
    powers = text.replace("minimize cross_entropy", 'minimize cross_entropy * (latency("device.json") / 30us) ^ 0.07')
    path.write_text(powers)
    ((power),) = nasir.load(path).settings.objective.powers
    assert (power.cost, power.target) == ('latency("device.json")', 30_000)
    path.write_text(
        text.replace("minimize cross_entropy", 'minimize cross_entropy + 0.1 * latency("device.json") / 30us')
    )
    ((_, weight),) = nasir.load(path).settings.objective.weights
    assert weight == pytest.approx(0.1 / 30_000)


def test_any_quantity_by_kernel_is_a_cost(tmp_path):
    space = bounded(TINY, 'cost("energy.json") <= 40', tmp_path, "energy.json", quantity="energy", unit="uJ")
    name = 'cost("energy.json")'
    assert space.settings.objective.bounds[0].limit == 40_000
    cost = space.costs.costs[name]
    assert (cost.unit, cost.title) == ("uJ", "Energy by energy.json")
    assert cost.amount(space.costs.at(space.smallest(), (name,))[name]).count(".") == 1


def test_the_files_of_a_space_are_read_when_its_costs_are_asked(tmp_path):
    space = bounded(TINY, 'latency("device.json") <= 80%', tmp_path)
    (tmp_path / "device.json").unlink()
    again = nasir.load(tmp_path / "program.nas")  # `nasir profile` makes the file that the program names
    assert again.decisions == space.decisions
    with pytest.raises(CompileError) as caught:
        _ = again.costs
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E0204"
    assert diagnostic.span.text == '"device.json"'


def test_kernels_that_a_file_lacks_are_counted_before_a_search(tmp_path):
    space = bounded(TINY, 'latency("device.json") <= 80%', tmp_path)
    path = tmp_path / "device.json"
    lines = path.read_text().splitlines(keepends=True)
    kept = [line for line in lines if "dwconv" not in line or '"fuse"' in line]
    path.write_text("".join(kept))
    (diagnostic,) = check(tmp_path / "program.nas")
    assert diagnostic.code == "E0992"
    assert f"lacks {len(lines) - len(kept)} of the {len(table(space).rows)} kernels" in diagnostic.message
    assert "nasir profile" in diagnostic.hints[0]
    assert diagnostic.span.text == '"device.json"'


@pytest.mark.parametrize(
    ("bound", "code", "place"),
    [
        ('latency("device.json") <= 5', "E0519", "5"),
        ('latency("device.json") <= 5KB', "E0518", "5KB"),
        ("macs <= 5ms", "E0518", "5ms"),
        ("latency <= 5ms", "E0520", "latency"),
        ('energy("device.json") <= 5', "E0201", 'energy("device.json")'),
        ('latency("device.json", mean) <= 5ms', "E0201", 'latency("device.json", mean)'),
        ('latency("../device.json") <= 5ms', "E0205", '"../device.json"'),
        ('latency("/etc/passwd") <= 5ms', "E0205", '"/etc/passwd"'),
        ('latency("devise.json") <= 5ms', "E0204", '"devise.json"'),
    ],
)
def test_mistakes_in_bounds_are_told_at_their_place(tmp_path, bound, code, place):
    with pytest.raises(CompileError) as caught:
        _ = bounded(TINY, bound, tmp_path).costs
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.span.text) == (code, place)
    assert diagnostic.hints


def test_a_unit_has_its_place(compiled):
    with pytest.raises(CompileError) as caught:
        compiled("space s(w = 4ms) { x = image(3, size=8)\n return x -> conv(3, 5KB) }")
    assert [d.code for d in caught.value.diagnostics] == ["E0518", "E0518"]


def test_a_bound_on_the_command_line_may_name_a_file(tmp_path):
    space = bounded(TINY, 'latency("device.json") <= 80%', tmp_path)
    settings = with_bounds(space.settings, ['latency("device.json") <= 30us'])
    assert settings.objective.bounds[0].limit == 30_000


def test_a_file_that_an_option_names_is_looked_up_in_the_current_folder_too(tmp_path, monkeypatch):
    (tmp_path / "programs").mkdir()
    named = bounded(TINY, 'latency("device.json") <= 80%', tmp_path)
    path = tmp_path / "programs" / "tiny.nas"
    path.write_text(TINY, encoding="utf-8")
    settings = with_bounds(nasir.load(path).settings, ['latency("device.json") <= 80%'])
    monkeypatch.chdir(tmp_path)
    space = replace(nasir.load(path), settings=settings)
    assert space.range('latency("device.json")') == named.range('latency("device.json")')
    monkeypatch.chdir(tmp_path / "programs")
    with pytest.raises(CompileError, match="E0204") as caught:
        replace(nasir.load(path), settings=settings).range('latency("device.json")')
    assert "beside the program, in the current folder" in caught.value.diagnostics[0].hints[-1]
    assert caught.value.diagnostics[0].span.source.name == "command line"


def test_amounts_are_told_with_units_and_three_figures(tmp_path):
    space = bounded(TINY, 'latency("device.json") <= 0.01us, memory <= 0.1KB', tmp_path)
    with pytest.raises(CompileError, match="E0507") as caught:
        targets(space.settings.objective, space.costs)
    first, second = (one.message for one in caught.value.diagnostics)
    assert re.search(r'latency\("device.json"\) <= 1e-05 ms: the smallest found has 0\.\d{3,6} ms', first)
    assert re.search(r"memory <= 102 bytes: the smallest found has [\d,]+ bytes", second)


# Files


def test_a_device_file_is_read_as_it_was_written(compiled, tmp_path):
    profile = table(compiled(RESIDUAL), CALIBRATION)
    path = tmp_path / "device.json"
    profile.write(path)
    found = read_profile(path)
    assert found == profile
    assert found.dumped() == path.read_text() == profile.dumped()
    assert found.digest == profile.digest
    lines = path.read_text().splitlines()
    assert sum(line.startswith('  {"kernel"') for line in lines) == len(profile.rows)
    json.loads(path.read_text())


_HEAD = {"format": "nasir device file 1", "unit": "us", "quantity": "latency"}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "E0702"),
        (b"{", "E0702"),
        (b"\xff\xfe", "E0702"),
        (b"[" * 100_000, "E0702"),
        (b"[]", "E0990"),
        (b"{}", "E0990"),
        (b'{"format": "nasir device file 2"}', "E0990"),
        *(
            (json.dumps({**_HEAD, **more}).encode(), "E0990")
            for more in (
                {},
                {"kernels": 3},
                {"kernels": [3]},
                {"kernels": [{"p50": 1}]},
                {"kernels": [{"kernel": "a"}]},
                {"kernels": [{"kernel": "a", "p50": -1}]},
                {"kernels": [{"kernel": "a", "p50": True}]},
                {"kernels": [{"kernel": "a", "p50": 1e999}]},
                {"kernels": [{"kernel": "a", "p50": 1}, {"kernel": "a", "p50": 2}]},
                {"kernels": [], "calibration": 4},
                {"kernels": [], "calibration": {"residuals": {"p90": "x"}}},
                {"kernels": [], "calibration": {"factors": {"conv": "x"}}},
                {"kernels": [], "fuse": [3]},
                {"kernels": [], "threads": -1},
                {"kernels": [], "unit": 3},
            )
        ),
    ],
)
def test_what_is_no_device_file_is_told(tmp_path, content, code):
    path = tmp_path / "device.json"
    path.write_bytes(content)
    with pytest.raises(CompileError) as caught:
        read_profile(path)
    assert [d.code for d in caught.value.diagnostics] == [code]


def test_latency_is_in_us():
    space = nasir.load("signals")
    with pytest.raises(CompileError) as caught:
        Latency("x.json", table(space, quantity="energy", unit="uJ"))
    assert caught.value.diagnostics[0].code == "E0991"
    assert isinstance(cost_of("x.json", table(space, quantity="energy", unit="uJ")), Tabled)


def test_gradients_reach_every_decision(compiled):
    space = compiled(RESIDUAL)
    supernet = build(space.graph, costs=(cost := Latency("x.json", table(space)),))
    (gradient,) = torch.autograd.grad(supernet.cost()[cost.name], [next(supernet.architecture())])
    at = 0
    for decision in space.decisions:
        assert gradient[at : at + len(decision.options)].abs().sum() > 0, decision.name
        at += len(decision.options)
