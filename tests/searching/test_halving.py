"""Successive halving: every step is some network's, offspring get better, and the best of the last round is taken."""

from dataclasses import replace
from itertools import pairwise
from statistics import mean

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import nasir
from nasir.data import input_of, load_data
from nasir.diagnostics import CompileError
from nasir.jobs.folder import RunFolder
from nasir.jobs.signals import Pauses
from nasir.lang.settings import override
from nasir.searching.forecasting import Predictor
from nasir.searching.landing import Standing
from nasir.searching.loop import Search
from nasir.searching.prices import targets
from nasir.searching.strategies import halving
from nasir.searching.subnets import Standalone

SPACE = nasir.load("digits")
GOAL = targets(SPACE.settings.objective, SPACE.costs)


@pytest.fixture(scope="module")
def data():
    return load_data("digits", input_of(SPACE.graph))


def searching(data, *settings, seed=0):
    settings = override(SPACE.settings, ["search.strategy=halving", *settings])
    return Search(replace(SPACE, settings=settings), data, GOAL, seed, torch.device("cpu"))


@given(count=st.integers(1, 200) | st.just(1_000_000), steps=st.integers(1, 2_000))
def test_every_step_is_one_networks_and_each_network_has_one(count, steps):
    rounds = halving._rounds(count, steps)
    lengths = [halving._part(steps, len(rounds), i) for i in range(len(rounds))]
    parts = [[halving._part(length, of, i) for i in range(of)] for length, of in zip(lengths, rounds, strict=True)]
    assert sum(map(sum, parts)) == steps
    assert min(map(min, parts)) >= 1
    assert rounds[0] <= count
    assert all(later < earlier for earlier, later in pairwise(rounds))
    assert len(rounds) == 1 or rounds[-1] >= 2


def test_more_candidates_than_there_are_steps_for_are_told(data):
    search = searching(data, "search.candidates=1000000", "search.epochs=1", "search.batch=64")
    assert search.notes == ["18 steps are too few for 1,000,000 candidates: it trains 9"]
    assert searching(data, "search.candidates=9", "search.epochs=1", "search.batch=64").notes == []


def test_a_warm_up_as_long_as_the_search_matters_to_those_who_learn_the_architecture(data):
    whole = ("search.epochs=3", "search.warmup=3")
    assert searching(data, *whole).notes == []
    (words,) = searching(data, *whole, "search.strategy=dmasking").notes
    assert words.startswith("the warm-up is as long as the search")


def hidden(monkeypatch, search):
    """The losses of all networks that are judged: how many decisions differ from one that is hidden within the
    bounds."""
    secret, losses = search.strategy._candidates.drawn(10_000, 0.9), []

    def off(choices):
        return sum(option != secret[name] for name, option in choices.items())

    def judge(task, network, pauses):
        assert Standing(SPACE.costs, search.strategy._choices, GOAL.bounds).now.lands
        losses.append(1.0 + off(search.strategy._choices))
        return losses[-1], 0.5

    monkeypatch.setattr(halving, "judge", judge)
    return off, losses


@pytest.mark.parametrize("seed", [0, 1])
def test_offspring_come_nearer_than_the_first_networks_and_the_nearest_is_taken(data, monkeypatch, tmp_path, seed):
    search = searching(data, "search.epochs=2", "search.candidates=24", "search.batch=32", seed=seed)
    off, losses = hidden(monkeypatch, search)
    breed, bred = search.strategy._candidates.children, []

    def children(parents, number, count, least):
        bred.append((mean(map(off, parents)), mean(losses) - 1.0))
        return breed(parents, number, count, least)

    monkeypatch.setattr(search.strategy._candidates, "children", children)
    run = RunFolder(tmp_path / "run")
    run.start(overwrite=False)
    search.run(run, lambda epoch, values: None, Pauses())
    found = search.choose(Pauses())
    first, last = search.strategy._judged
    assert [len(first), len(last)] == [24, 5]
    assert len(bred) == 16
    assert sum(parents < all_of_them for parents, all_of_them in bred) >= 12
    assert mean(losses[16:24]) < mean(losses[:8])
    assert sorted(losses[24:]) == sorted(losses[:24])[:5]
    assert 1.0 + off(found.choices) == min(losses)
    assert found.lands
    sources = [search.strategy._candidates.source(choices) for _, _, choices in first]
    assert len(set(sources)) == len(sources)


def test_the_first_third_is_of_one_design_each_and_none_is_trained_twice(data, monkeypatch, tmp_path):
    """The design that comes first is followed by itself: another one is taken."""
    search = searching(data, "search.epochs=2", "search.candidates=24", "search.batch=32")
    hidden(monkeypatch, search)
    candidates, asked = search.strategy._candidates, []
    make = candidates.designed

    def designed(number, least):
        asked.append(number)
        return make(-1 if number == -2 else number, least)

    monkeypatch.setattr(candidates, "designed", designed)
    run = RunFolder(tmp_path / "run")
    run.start(overwrite=False)
    search.run(run, lambda epoch, values: None, Pauses())
    assert [asked[0], *asked[1:3]] == [-1, -2, -26]
    found = [choices for _, _, choices in search.strategy._judged[0]]
    made = [search.strategy._landed(make(number, halving._LEAST)) for number in asked]
    assert all(choices in made for choices in found[:8])
    assert not any(choices in made for choices in found[8:])
    sources = [candidates.source(choices) for choices in found]
    assert len(set(sources)) == len(sources)


def test_losses_that_add_up_are_predicted():
    networks = [SPACE.sample(seed) for seed in range(120)]
    adds = {one.name: {option: 0.1 * place for place, option in enumerate(one.options)} for one in SPACE.decisions}

    def loss(choices):
        return 2.718281828459045 ** sum(adds[name][option] for name, option in SPACE.active(choices).items())

    predicted = Predictor(SPACE, [(loss(one), one) for one in networks])
    others = sorted((SPACE.sample(seed) for seed in range(1_000, 1_040)), key=loss)
    places = [sorted(others, key=predicted).index(one) for one in others]
    assert torch.corrcoef(torch.tensor([places, list(range(40))]).float())[0, 1] > 0.9
    for one in SPACE.decisions:
        told = [predicted.adds(one.name, option) for option in one.options]
        assert told[0] < told[-1]


def test_what_a_network_does_not_use_predicts_nothing():
    networks = [SPACE.sample(seed) for seed in range(40)]
    predicted = Predictor(SPACE, [(float(1 + seed % 7), one) for seed, one in enumerate(networks)])
    seen = 0
    for choices in networks:
        idle = choices.keys() - SPACE.active(choices).keys()
        options = {one.name: one.options for one in SPACE.decisions}
        others = {**choices, **{name: options[name][-1] for name in idle}}
        seen += others != choices
        assert predicted(others) == predicted(choices)
    assert seen


def test_a_loss_that_is_no_number_is_nobodys_parent_and_no_network():
    bad = [(float("inf"), SPACE.sample(seed)) for seed in range(3)]
    assert Predictor(SPACE, bad)(SPACE.sample(9)) == 0.0


def test_a_training_from_the_searchs_weights_is_refused_before_the_search(data):
    with pytest.raises(CompileError) as caught:
        searching(data, "train.init=sliced")
    assert caught.value.diagnostics[0].code == "E0935"


def test_gradients_of_each_step_are_averaged_over_the_ranks(data, monkeypatch, tmp_path):
    search = searching(data, "search.epochs=1", "search.candidates=2")
    hidden(monkeypatch, search)
    shared = []
    monkeypatch.setattr(
        halving.optimizers, "share_gradients", lambda weights, ranks: shared.append((len(list(weights)), ranks))
    )
    run = RunFolder(tmp_path / "run")
    run.start(overwrite=False)
    search.run(run, lambda epoch, values: None, Pauses())
    networks = [Standalone(SPACE, choices) for _, _, choices in search.strategy._judged[0]]
    assert {count for count, _ in shared} == {len(list(one.module.parameters())) for one in networks}
    assert len(shared) == search._task.counts[0]
    assert all(ranks is search.strategy._ranks for _, ranks in shared)
