"""The search on real digits: what it leaves behind, that it repeats itself, that it keeps its bounds."""

import json
import math
from dataclasses import replace

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file

import nasir
from nasir.lang.settings import Bound, Objective, SearchSettings, override
from nasir.search.constraint import Prices, within_bounds
from nasir.search.data import batches, check_classes, input_of, load_data
from nasir.search.loop import Search
from nasir.search.modules import network_class
from nasir.search.run import Request, search
from nasir.search.run_folder import RunFolder
from nasir.supernets.gates import gumbel_noise
from tests.spaces import RESIDUAL, TINY

SAME_BYTES = ("arch.nas", "metrics.jsonl", "choices.json", "model.py", "model.safetensors", "plan.json", "space.nas")


def run(space, out, **options):
    return search(space, Request("digits", out, **options), Console(quiet=True)).summary


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A space and the folder of a finished run of it."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("run")
    (folder / "tiny.nas").write_text(TINY, encoding="utf-8")
    space = nasir.load(folder / "tiny.nas")
    return space, folder, run(space, folder / "first")


def test_a_run_leaves_all_it_promises(finished):
    _, folder, summary = finished
    first = folder / "first"
    written = {p.name for p in first.iterdir()}
    assert written >= {*SAME_BYTES, "timing.jsonl", "summary.json", "checkpoint"}
    assert not [name for name in written if name.endswith(".partial")]
    network = nasir.load(first / "arch.nas")
    assert not network.decisions
    module = network_class(first / "model.py")()
    module.load_state_dict(load_file(first / "model.safetensors"))
    data = load_data("digits")
    with torch.no_grad():
        correct = (module.eval()(data.test.images).argmax(1) == data.test.labels).float().mean()
    assert float(correct) == pytest.approx(summary.test_accuracy)
    assert sum(p.numel() for p in module.parameters()) == summary.params == network.costs.at({})["params"]
    phases = [json.loads(line)["phase"] for line in (first / "metrics.jsonl").read_text().splitlines()]
    assert phases == ["search"] * 3 + ["train"] * 2
    assert json.loads((first / "plan.json").read_text())["settings"]["search"]["epochs"] == 3


def test_the_bound_holds_for_the_derived_network(finished):
    _, _, summary = finished
    assert summary.macs <= 15_000


def test_same_seed_same_bytes(finished):
    space, folder, _ = finished
    run(space, folder / "second")
    for name in SAME_BYTES:
        assert (folder / "first" / name).read_bytes() == (folder / "second" / name).read_bytes(), name


def test_an_interrupted_search_goes_on_to_the_same_bytes(finished):
    space, folder, _ = finished

    class Killed(BaseException):
        pass

    def kill(epoch, values):
        if epoch == 1:
            raise Killed

    out = folder / "resumed"
    run_folder = RunFolder(out)
    loop = Search(space, load_data("digits"), 0, torch.device("cpu"))
    run_folder.start(overwrite=False)
    (out / "plan.json").write_bytes((folder / "first" / "plan.json").read_bytes())
    (out / "space.nas").write_bytes((folder / "first" / "space.nas").read_bytes())
    with pytest.raises(Killed):
        loop.run(run_folder, kill)
    run(space, out, resume=True)
    for name in SAME_BYTES:
        assert (folder / "first" / name).read_bytes() == (out / name).read_bytes(), name


def test_a_folder_with_a_run_is_not_overwritten_unasked(finished):
    space, folder, _ = finished
    before = (folder / "first" / "summary.json").read_bytes()
    with pytest.raises(nasir.CompileError, match="holds a run already"):
        run(space, folder / "first")
    assert (folder / "first" / "summary.json").read_bytes() == before


def test_resuming_with_other_settings_is_refused(finished):
    space, folder, _ = finished
    other = replace(space, settings=override(space.settings, ["epochs=5"]))
    with pytest.raises(nasir.CompileError, match="other settings"):
        run(other, folder / "first", resume=True)


def test_resuming_with_another_imported_file_is_refused(finished, tmp_path):
    space, _, _ = finished
    assert set(space.imports) == {"lib/mobile.nas"}
    (tmp_path / "blocks.nas").write_text("block head() { return x -> relu }", encoding="utf-8")
    text = TINY.replace('from "lib', 'from "blocks.nas" import head\nfrom "lib').replace(
        "-> global", "-> head -> global"
    )
    (tmp_path / "own.nas").write_text(text, encoding="utf-8")
    run(nasir.load(tmp_path / "own.nas"), tmp_path / "run")
    assert nasir.load(tmp_path / "run" / "space.nas").decisions
    (tmp_path / "blocks.nas").write_text("block head() { return x -> hswish }", encoding="utf-8")
    with pytest.raises(nasir.CompileError, match="other imports"):
        run(nasir.load(tmp_path / "own.nas"), tmp_path / "run", resume=True)


def test_the_two_parts_of_the_data_and_the_test_set_are_fixed_and_disjoint():
    data = load_data("digits")
    weights, architecture = data.divided(0.8, 3)
    again, _ = data.divided(0.8, 3)
    assert torch.equal(weights.images, again.images)

    def keys(split):
        return {image.numpy().tobytes() for image in split.images}

    parts = [keys(weights), keys(architecture), keys(data.test)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 1797
    assert (len(weights), len(architecture), len(data.test)) == (1150, 288, 359)


def test_batch_order_is_a_function_of_seed_and_epoch():
    data = load_data("digits").train

    def order(seed, epoch):
        return torch.cat([y for _, y in batches(data, 100, seed, epoch)])

    assert torch.equal(order(1, 2), order(1, 2))
    assert not torch.equal(order(1, 2), order(1, 3))
    assert not torch.equal(order(1, 2), order(2, 2))
    assert sorted(order(1, 2).tolist()) == sorted(data.labels.tolist())


def test_noise_is_gumbel_and_a_function_of_seed_and_step():
    noise = gumbel_noise(200_000, seed=1, step=2)
    assert torch.equal(noise, gumbel_noise(200_000, seed=1, step=2))
    assert not torch.equal(noise[:8], gumbel_noise(8, seed=1, step=3))
    assert float(noise.mean()) == pytest.approx(0.5772, abs=0.01)  # Euler's constant
    assert float(noise.var()) == pytest.approx(math.pi**2 / 6, abs=0.03)


def test_the_loop_follows_the_temperature_schedule_and_rests_the_architecture_in_warm_up(compiled, tmp_path):
    space = compiled(TINY)
    space = replace(space, settings=override(space.settings, ["epochs=3", "warmup=2", "temperature=3.0 - epoch"]))
    loop = Search(space, load_data("digits"), 0, torch.device("cpu"))
    logits = {}

    def note(epoch, values):
        (alpha,) = loop.supernet.architecture()
        logits[epoch] = alpha.detach().clone()

    folder = RunFolder(tmp_path / "run")
    folder.start(overwrite=False)
    loop.run(folder, note)
    assert [line["temperature"] for line in folder.lines("metrics.jsonl")] == [3.0, 2.0, 1.0]
    assert not logits[1].any()
    assert logits[2].any()


def test_a_price_rises_above_its_bound_and_falls_below_it():
    over, under = {"macs": 150.0, "params": 15.0}, {"macs": 50.0, "params": 5.0}
    one = Prices(Objective((Bound("macs", 100.0),)))
    one.update(over, {"macs": 150, "params": 15})
    dear = one.values["macs"]
    assert dear > 0
    penalty = one.penalty({"macs": torch.tensor(150.0, dtype=torch.float64)})
    assert float(penalty) == pytest.approx(dear * 0.5 + 0.25)
    for _ in range(3):
        one.update(under, {"macs": 50, "params": 5})
    assert one.values["macs"] < 0  # a single bound is a budget to be used
    two = Prices(Objective((Bound("macs", 100.0), Bound("params", 10.0))))
    two.update(under, {"macs": 50, "params": 5})
    assert two.values == {"macs": 0.0, "params": 0.0}


def test_the_default_temperature_is_the_paper_s_scaled_to_the_epochs():
    assert SearchSettings(epochs=90).temperature_at(0) == 5.0
    assert SearchSettings(epochs=90).temperature_at(50) == pytest.approx(5 * math.exp(-0.045 * 50))
    assert SearchSettings(epochs=30).temperature_at(10) == pytest.approx(5 * math.exp(-0.045 * 30))


def test_a_temperature_in_the_file_is_taken_literally():
    settings = override(nasir.load("digits").settings, ["temperature=2.0 / (1 + epoch)", "epochs=7"])
    assert settings.search.temperature_at(3) == 0.5


def test_a_bound_that_no_network_meets_is_an_error_before_training(compiled, tmp_path):
    space = compiled(TINY.replace("15K", "500"))
    with pytest.raises(nasir.CompileError, match="the smallest has") as caught:
        run(space, tmp_path / "out")
    assert caught.value.diagnostics[0].code == "E0507"
    assert not (tmp_path / "out").exists()


def test_within_bounds_changes_as_little_as_it_must(compiled):
    space = compiled(TINY)
    largest = space.largest()
    even = {d.name: dict.fromkeys(d.options, 1 / len(d.options)) for d in space.decisions}
    kept = within_bounds(largest, even, space.costs, space.settings.objective.bounds)
    assert space.costs.at(kept)["macs"] <= 15_000 < space.costs.at(largest)["macs"]
    assert within_bounds(space.smallest(), even, space.costs, space.settings.objective.bounds) == space.smallest()


def test_data_that_does_not_fit_the_space_is_a_diagnostic(compiled):
    with pytest.raises(nasir.CompileError, match="images of 2 channels"):
        load_data("digits", input_of(compiled(RESIDUAL).graph))
    with pytest.raises(nasir.CompileError, match="not a vector of the 10 classes"):
        check_classes(compiled(RESIDUAL).graph, load_data("digits"))


def test_a_user_s_own_loop_can_drive_the_supernet(compiled):
    """The loop of docs/python.md in small: two optimizers, an ordinary module."""
    torch.manual_seed(0)
    space = compiled(TINY)
    supernet = nasir.supernet(space)
    weights = torch.optim.SGD(supernet.weights(), lr=0.1)
    architecture = torch.optim.Adam(supernet.architecture(), lr=0.1)
    before = [p.clone() for p in supernet.parameters()]
    data = load_data("digits").train
    for images, labels in batches(data, 512, 0, 0):
        out = supernet(images)
        loss = torch.nn.functional.cross_entropy(out.logits, labels) + out.cost["macs"] / 1e6
        weights.zero_grad()
        architecture.zero_grad()
        loss.backward()
        weights.step()
        architecture.step()
    assert all(not torch.equal(a, b) for a, b in zip(before, supernet.parameters(), strict=True))
    assert not {id(p) for p in supernet.weights()} & {id(p) for p in supernet.architecture()}
    assert len(list(supernet.parameters())) == len([*supernet.weights(), *supernet.architecture()])


def test_the_search_runs_the_resolution_it_is_told_to(compiled):
    space = compiled(TINY.replace("size=8", "size={6, 8}"))
    for name in ("all", "sampled"):
        told = replace(space, settings=override(space.settings, [f"resolution={name}"]))
        loop = Search(told, load_data("digits"), 0, torch.device("cpu"))
        assert loop.supernet.get_submodule("running").sampled == (name == "sampled")
