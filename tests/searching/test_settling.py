"""Decisions that are settled one after another while the search goes on (`settle`)."""

import math
from dataclasses import replace

import pytest
import torch

from nasir.jobs.folder import RunFolder
from nasir.jobs.signals import Pauses, Stopped
from nasir.lang.settings import SearchSettings, override
from nasir.searching.landing import LEAST_USE
from nasir.supernets.gates import Gates
from tests.conftest import stop_at
from tests.searches import run, search_of
from tests.searching.test_strategies import SAME
from tests.spaces import TINY


@pytest.fixture
def settling(compiled):
    """TINY, whose fifth and sixth of eight epochs settle its decisions."""
    space = compiled(TINY)
    return replace(space, settings=override(space.settings, ["epochs=8", "settle=0.5", "train.epochs=1"]))


@pytest.mark.parametrize("seed", range(4))
def test_the_likeliest_network_of_the_last_epoch_is_decided_and_lands(settling, tmp_path, seed):
    loop = search_of(settling, seed)
    folder = RunFolder(tmp_path / "run")
    folder.start(overwrite=False)
    loop.run(folder, lambda epoch, values: None, Pauses())
    found = loop.choose(Pauses())
    lines = list(folder.lines("metrics.jsonl"))
    assert all(line["entropy"] > 0 for line in lines[:4])
    assert all((line["entropy"], line["moved"]) == (0, 0) for line in lines[5:])
    assert found.entropy == 0
    assert found.likeliest == found.choices
    assert found.lands
    assert LEAST_USE * 15_000 <= lines[-1]["argmax_macs"] == lines[-1]["macs"] <= 15_000


def test_the_surest_decisions_are_settled_first(settling):
    loop = search_of(settling)
    strategy, names = loop.strategy, [one.name for one in settling.decisions]
    (logits,) = strategy.supernet.architecture()
    for seed in range(20):
        logits.data.copy_(torch.randn(len(logits), generator=torch.Generator().manual_seed(seed)))
        landed, lands = strategy._landed(strategy.supernet.argmax())
        if lands:
            break
    before = strategy.supernet.probabilities()
    surest = sorted(names, key=lambda name: -before[name][landed[name]])
    strategy.begin(4)
    closed = [name for name, options in strategy.supernet.probabilities().items() if max(options.values()) == 1]
    count = math.ceil(len(names) / 2)
    assert set(closed) == set(surest[:count])
    assert all(strategy.supernet.argmax()[name] == landed[name] for name in closed)


def test_what_is_settled_leads_to_the_last_network_that_landed(settling):
    """Also where none does any more, and where the search went on from its state."""
    first, resumed = (search_of(settling).strategy for _ in range(2))
    aim, likeliest = {one.name: one.options[-1] for one in settling.decisions}, first.supernet.argmax()
    assert aim != likeliest
    first._landed = lambda start: (aim, True)
    first.begin(4)
    resumed.restore(first.state())
    resumed._landed = lambda start: (likeliest, False)
    resumed.begin(5)
    assert resumed.supernet.argmax() == aim


def test_where_the_likeliest_network_does_not_land_a_drawn_one_does(settling):
    strategy = search_of(settling).strategy
    likeliest, *drawn = strategy._starts()
    strategy._landed = lambda start: (dict(start), start != likeliest)
    strategy.begin(5)
    assert strategy.supernet.argmax() == next(one for one in drawn if one != likeliest)


def test_a_run_that_is_killed_while_decisions_are_settled_ends_in_the_same_bytes(settling, tmp_path, monkeypatch):
    torch.set_num_threads(1)
    run(settling, tmp_path / "whole")
    every = list(RunFolder(tmp_path / "whole").lines("metrics.jsonl"))
    assert every[5]["entropy"] == 0 < every[4]["entropy"] < every[3]["entropy"]
    with monkeypatch.context() as patched:
        stop_at(33, patched)
        with pytest.raises(Stopped):
            run(settling, tmp_path / "stopped")
    assert len(list(RunFolder(tmp_path / "stopped").lines("metrics.jsonl"))) == 4, "in the fifth epoch, of eight"
    run(settling, tmp_path / "stopped", resume=True)
    for name in SAME:
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "stopped" / name).read_bytes(), name


def test_a_closed_option_has_no_gate_and_no_gradient_and_the_others_are_as_they_were(settling):
    gates = Gates(settling.decisions)
    gates.logits.data.normal_(generator=torch.Generator().manual_seed(0))
    noise = torch.randn(gates.total, dtype=torch.float64)
    before, first = gates.train()(noise=noise), settling.decisions[0]
    gates.settle({first.name: first.options[-1]})
    got, size = gates(noise=noise), len(first.options)
    assert got[:size].tolist() == [0.0] * (size - 1) + [1.0]
    assert torch.equal(got[size:], before[size:])
    (gradient,) = torch.autograd.grad((got * torch.arange(gates.total)).sum(), gates.logits)
    assert not gradient[:size].any()
    assert gradient[size:].any()
    assert gates.argmax()[first.name] == first.options[-1]
    gates.settle({})
    assert torch.equal(gates(noise=noise), before)


@pytest.mark.parametrize(("settle", "epochs"), [(0.0, 9), (0.3, 10), (0.35, 14), (0.99, 7), (0.01, 5)])
def test_the_share_that_is_settled_grows_to_all_in_the_first_half_of_the_last_epochs(settle, epochs):
    shares = [SearchSettings(epochs=epochs, settle=settle).settled_at(epoch) for epoch in range(epochs)]
    assert shares == sorted(shares)
    assert sum(share > 0 for share in shares) == round(settle * epochs)
    last = round(settle * epochs)
    assert sum(0 < share < 1 for share in shares) == max(0, math.ceil(last / 2) - 1)


def test_the_rate_of_settled_weights_begins_anew(settling):
    strategy, rates = search_of(settling).strategy, []
    weight = next(strategy.supernet.weights())
    steps = 8 * strategy._task.counts[0]
    for at in range(steps):
        strategy._descent.step(at, weight.sum())
        rates.append(strategy._descent._optimizer.param_groups[0]["lr"])
    assert rates[: steps // 2] == pytest.approx(rates[steps // 2 :])
    assert rates[0] == 0.1 > rates[1] > rates[steps // 2 - 1] > 0
