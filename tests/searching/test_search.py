"""The search on real digits: what it leaves behind, that it repeats itself, that it keeps its bounds."""

import json
import math
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

import nasir
from nasir.data import batches, input_of, load_data
from nasir.execution import network_class
from nasir.jobs.folder import RunFolder
from nasir.jobs.signals import Pauses
from nasir.lang.objectives import Bound, Objective, Power
from nasir.lang.settings import SearchSettings, override, with_bounds
from nasir.searching.prices import Prices, Targets, targets
from nasir.supernets.gates import gumbel_noise
from tests.searches import SAME_BYTES, run, search_of
from tests.spaces import RESIDUAL, TINY


def test_a_run_leaves_all_it_promises(finished):
    _, folder, summary = finished
    first = folder / "first"
    written = {p.name for p in first.iterdir()}
    assert written >= {*SAME_BYTES, "timing.jsonl", "summary.json", "checkpoint", "report.html"}
    assert not [name for name in written if name.endswith(".partial")]
    network = nasir.load(first / "arch.nas")
    assert not network.decisions
    module = network_class(first / "model.py")()
    module.load_state_dict(load_file(first / "model.safetensors"))
    data = load_data("digits")
    ((images, labels),) = data.test.batches([torch.arange(len(data.test))], None)
    with torch.no_grad():
        correct = (module.eval()(images).argmax(1) == labels).float().mean()
    assert float(correct) == pytest.approx(summary.test_accuracy)
    assert sum(p.numel() for p in module.parameters()) == summary.costs["params"] == network.costs.at({})["params"]
    phases = [json.loads(line)["phase"] for line in (first / "metrics.jsonl").read_text().splitlines()]
    assert phases == ["search"] * 3 + ["train"] * 2
    assert json.loads((first / "plan.json").read_text())["settings"]["search"]["epochs"] == 3


def test_the_bound_holds_for_the_derived_network(finished):
    _, _, summary = finished
    assert summary.costs["macs"] <= 15_000


def test_same_seed_same_bytes(finished):
    space, folder, _ = finished
    run(space, folder / "second")
    for name in SAME_BYTES:
        assert (folder / "first" / name).read_bytes() == (folder / "second" / name).read_bytes(), name


def test_a_folder_with_a_run_is_not_overwritten_unasked(finished):
    space, folder, _ = finished
    before = (folder / "first" / "summary.json").read_bytes()
    with pytest.raises(nasir.CompileError, match=r"E0901: .*already contains a run"):
        run(space, folder / "first")
    assert (folder / "first" / "summary.json").read_bytes() == before


def test_resuming_with_other_settings_is_refused(finished):
    space, folder, _ = finished
    other = replace(space, settings=override(space.settings, ["epochs=5"]))
    with pytest.raises(nasir.CompileError, match=r"E0911: .*other settings"):
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
    with pytest.raises(nasir.CompileError, match=r"E0911: .*other imports"):
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
    loop = search_of(space)
    logits = {}

    def note(epoch, values):
        (alpha,) = loop.strategy.supernet.architecture()
        logits[epoch] = alpha.detach().clone()

    folder = RunFolder(tmp_path / "run")
    folder.start(overwrite=False)
    loop.run(folder, note, Pauses())
    assert [line["temperature"] for line in folder.lines("metrics.jsonl")] == [3.0, 2.0, 1.0]
    assert not logits[1].any()
    assert logits[2].any()


def test_a_price_rises_above_its_bound_and_the_tightest_one_s_falls_below_it():
    def prices(*bounds, spent=("macs", "params")):
        return Prices(Targets(Objective(bounds), frozenset(spent)), steps=180)

    ce, macs, params = torch.tensor(2.0), Bound("macs", 100.0), Bound("params", 10.0)
    under = {"macs": 50.0, "params": 4.0}, {"macs": 50, "params": 4}, 0.5
    one = prices(macs)
    one.update({"macs": 150.0}, {"macs": 150}, 0.5)
    dear = one.values["macs"]
    assert dear > 0
    assert float(one.loss(ce, {"macs": torch.tensor(150.0).double()})) == pytest.approx(2 + dear * 0.5 + 0.25)
    for _ in range(3):
        one.update(*under)
    assert one.values["macs"] < 0  # a bound is a budget to be used
    two = prices(macs, params)
    two.update(*under)
    assert two.values["macs"] < 0 == two.values["params"]
    idle = prices(macs, spent=())
    idle.update(*under)
    assert idle.values["macs"] == 0  # no network would use it up


def test_the_price_below_zero_is_that_of_the_tightest_budget_now():
    bounds = Bound("macs", 100.0), Bound("params", 10.0)
    one_idle = Prices(Targets(Objective(bounds), frozenset(("params",))), steps=180)
    one_idle.update({"macs": 60.0, "params": 5.0}, {"macs": 60, "params": 5}, 0.5)
    assert one_idle.values["params"] < 0 == one_idle.values["macs"]  # an idle bound does not stand in the way
    alternating, steady = (Prices(Targets(Objective(bounds), frozenset(("macs", "params"))), steps=180) for _ in "ab")
    for step in range(180):
        macs, params = (50.0, 4.9) if step % 2 else (49.0, 5.0)
        alternating.update({"macs": macs, "params": params}, {"macs": int(macs), "params": 5}, 1.0)
        steady.update({"macs": 50.0, "params": 4.9}, {"macs": 50, "params": 4}, 1.0)
        assert sum(price < 0 for price in alternating.values.values()) == 1
    assert sum(alternating.values.values()) == pytest.approx(sum(steady.values.values()))


@pytest.mark.parametrize(("undecided", "excess"), [(1.0, 0.2), (0.25, -0.25), (0.0, -0.4)])
def test_the_price_follows_the_expectation_at_first_and_the_network_that_counts_at_last(undecided, excess):
    prices = Prices(Targets(Objective((Bound("macs", 100.0),)), frozenset(("macs",))), steps=9)
    prices.update({"macs": 120.0}, {"macs": 60}, undecided)
    assert prices.values["macs"] == pytest.approx(excess)


def test_the_loss_has_the_papers_additive_form_and_fbnet_s_product():
    ce, cost = torch.tensor(2.0), {"macs": torch.tensor(4e6).double(), "params": torch.tensor(1e4).double()}

    def loss(objective):
        return float(Prices(Targets(objective, frozenset()), steps=1).loss(ce, cost))

    assert loss(Objective(weights=(("macs", 1e-7),))) == pytest.approx(2.4)
    assert loss(Objective(powers=(Power("macs", 1e6, 0.5),))) == pytest.approx(2 * 4**0.5)
    both = Objective(powers=(Power("macs", 1e6, 0.5), Power("params", 2e4, 1.0)), weights=(("macs", 1e-7),))
    assert loss(both) == pytest.approx(2 * 4**0.5 / 2 + 0.4)


def test_the_default_temperature_is_the_paper_s_scaled_to_the_epochs():
    assert SearchSettings(epochs=90).temperature_at(0) == 5.0
    assert SearchSettings(epochs=90).temperature_at(50) == pytest.approx(5 * math.exp(-0.045 * 50))
    assert SearchSettings(epochs=30).temperature_at(10) == pytest.approx(5 * math.exp(-0.045 * 30))


def test_a_temperature_in_the_file_is_taken_literally():
    settings = override(nasir.load("digits").settings, ["temperature=2.0 / (1 + epoch)", "epochs=7"])
    assert settings.search.temperature_at(3) == 0.5


def test_a_bound_that_no_network_meets_is_an_error_before_training(compiled, tmp_path):
    space = compiled(TINY.replace("15K", "500"))
    with pytest.raises(nasir.CompileError, match="the smallest found has") as caught:
        run(space, tmp_path / "out")
    assert caught.value.diagnostics[0].code == "E0507"
    assert not (tmp_path / "out").exists()


def test_a_share_of_what_no_network_has_is_an_error(compiled, tmp_path):
    text = "space free() { x = image(1, size=8) return x -> {relu, hswish} }"
    space = compiled(text + "\nobjective { minimize cross_entropy subject to macs <= 50% }")
    with pytest.raises(nasir.CompileError, match="a share of `macs` bounds nothing") as caught:
        run(space, tmp_path / "out")
    assert caught.value.diagnostics[0].code == "E0507"


def test_relative_bounds_are_shares_of_the_largest_network(compiled):
    space = compiled(TINY.replace("macs <= 15K", "macs <= 60%, params <= 100%"))
    bounds = {bound.cost: bound.limit for bound in targets(space.settings.objective, space.costs).bounds}
    assert bounds == {"macs": pytest.approx(0.6 * space.macs()[1]), "params": pytest.approx(space.params()[1])}


def test_bounds_that_exclude_each_other_are_an_error_before_training(compiled, tmp_path):
    """Each alone can be kept: a convolution has few parameters here, a squeeze-and-excite few multiply-adds."""
    text = (
        'from "lib/mobile.nas" import squeeze_excite\n'
        "choice op {\n  conv: conv(3, 16)\n  gate: squeeze_excite(ratio=32)\n}\n"
        "space s() {\n  x = image(1, size=8)\n  a = x -> conv(3, 16) -> bn -> relu -> op\n"
        "  return a -> global_avg_pool -> linear(10)\n}\n"
        "objective {\n  minimize cross_entropy\n  subject to macs <= 100K, params <= 10K\n}\n"
    )
    with pytest.raises(nasir.CompileError, match="macs <= 100,000, params <= 10,000 together") as caught:
        run(compiled(text), tmp_path / "out")
    assert caught.value.diagnostics[0].code == "E0516"
    for alone in ("macs <= 100K", "params <= 10K"):
        space = compiled(text.replace("macs <= 100K, params <= 10K", alone))
        assert targets(space.settings.objective, space.costs)


def test_data_that_does_not_fit_the_space_is_a_diagnostic(compiled):
    with pytest.raises(nasir.CompileError, match=r"E0802: .*images of 2 channels"):
        load_data("digits", input_of(compiled(RESIDUAL).graph))
    with pytest.raises(nasir.CompileError, match=r"E0819: .*does not have one value for each of the 10 classes"):
        search_of(compiled(RESIDUAL))


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
        loop = search_of(told)
        assert loop.strategy.supernet.get_submodule("running").sampled == (name == "sampled")


def test_compiled_and_eager_searches_agree(compiled, tmp_path):
    """The flag of `search`, with the backend that needs no compiler."""
    losses = {}
    for name in ("off", "aot_eager"):
        space = compiled(TINY)
        loop = search_of(replace(space, settings=override(space.settings, [f"compile={name}", "epochs=2"])))
        folder = RunFolder(tmp_path / name)
        folder.start(overwrite=False)
        loop.run(folder, lambda epoch, values: None, Pauses())
        losses[name] = [line["loss"] for line in folder.lines("metrics.jsonl")]
    assert losses["aot_eager"] == pytest.approx(losses["off"], rel=1e-3)


def test_the_chosen_network_is_the_best_of_the_candidates_within_the_bounds(compiled, tmp_path):
    space = compiled(TINY)
    settings = override(with_bounds(space.settings, ["macs <= 12K"]), ["candidates=6"])  # several networks land
    loop = search_of(replace(space, settings=settings))
    found = loop.choose(Pauses())
    seen = []

    def noted(choices, pauses):
        seen.append((evaluate(choices, pauses), choices))
        return seen[-1][0]

    evaluate, loop.strategy.evaluate = loop.strategy.evaluate, noted
    again = loop.choose(Pauses())
    assert again == found
    assert len(seen) > 1
    assert all(space.costs.at(choices)["macs"] <= 12_000 for _, choices in seen)
    landing = [one for one in seen if space.costs.at(one[1])["macs"] >= 0.98 * 12_000] or seen
    (_, score), choices = min(landing, key=lambda one: one[0][0])
    assert (found.choices, found.score) == (choices, score)
