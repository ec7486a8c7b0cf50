"""Generations get better: by a loss that is known of every network, in place of one by weights."""

from dataclasses import replace
from statistics import median

import pytest
import torch

import nasir
from nasir.data import input_of, load_data
from nasir.jobs.signals import Pauses
from nasir.lang.settings import override
from nasir.searching.judging import ShortTraining, judge
from nasir.searching.landing import Standing
from nasir.searching.loop import Search
from nasir.searching.prices import targets
from nasir.searching.strategies import evolution, random
from nasir.searching.strategy import Found
from nasir.searching.subnets import Standalone


@pytest.fixture(scope="module")
def data():
    return load_data("digits", input_of(nasir.load("digits").graph))


def known(loss):
    """Short trainings whose losses are known of the choices."""

    class Known:
        def __init__(self, task, choices, made=None):
            self.choices = choices

        def train(self, until, pauses):
            return loss(self.choices)

    return Known


def chosen(name, data, seed, monkeypatch):
    """What a strategy chooses, and the losses of all that it judged: how many decisions differ from a network that is
    hidden within the bounds."""
    space = nasir.load("digits")
    space = replace(space, settings=override(space.settings, [f"search.strategy={name}", "search.candidates=12"]))
    goal = targets(space.settings.objective, space.costs)
    strategy = Search(space, data, goal, seed, torch.device("cpu")).strategy
    hidden, losses = strategy._candidates.drawn(10_000, 0.9), []

    def off(choices):
        assert Standing(space.costs, choices, goal.bounds).now.excess == 0
        return float(sum(option != hidden[name] for name, option in choices.items()))

    def evaluate(choices, pauses, most=None):
        losses.append(off(choices))
        return losses[-1], 0.0

    strategy.evaluate = evaluate
    monkeypatch.setattr(evolution, "ShortTraining", known(off))
    return off(strategy.choose(Pauses()).choices), losses


def test_generations_come_nearer_than_as_many_random_networks_and_the_nearest_is_taken(data, monkeypatch):
    off = {name: [chosen(name, data, seed, monkeypatch)[0] for seed in range(2)] for name in ("evolution", "random")}
    assert max(off["evolution"]) < min(off["random"])
    _, losses = chosen("evolution", data, 0, monkeypatch)
    first, last = losses[:12], losses[-16:-6]  # the last six are the best of all, judged once more
    assert median(last) <= median(first) - 3


def searching(data, *settings):
    """A strategy for the digits at its beginning."""
    space = nasir.load("digits")
    space = replace(space, settings=override(space.settings, ["search.strategy=evolution", *settings]))
    return Search(space, data, targets(space.settings.objective, space.costs), 0, torch.device("cpu")).strategy


def test_what_networks_come_to_by_themselves_decides_among_the_best_few(data, monkeypatch):
    strategy, judged, trained = searching(data, "search.candidates=12"), [], []

    def evaluate(choices, pauses, most=None):
        judged.append(strategy._candidates.source(choices))
        return float(len(judged)), 0.5

    def loss(choices):
        if choices not in trained:
            trained.append(choices)
        return -float(trained.index(choices))

    strategy.evaluate = evaluate
    monkeypatch.setattr(evolution, "ShortTraining", known(loss))
    assert strategy.choose(Pauses()).choices == trained[-1]
    assert 2 <= len(trained) <= 8
    sources = [strategy._candidates.source(choices) for choices in trained]
    assert len(set(sources)) == len(sources)


def test_no_finalist_leaves_the_budget_unused_where_another_one_uses_it(data, monkeypatch):
    strategy = searching(data, "search.candidates=4")
    first, second, third = (strategy._candidates.drawn(number, 0.9) for number in range(3))
    monkeypatch.setattr(strategy, "landed", lambda starts: [(first, False), (second, True), (third, False)])
    monkeypatch.setattr(strategy, "evaluate", lambda choices, pauses, most=None: (float(choices is second), 0.5))
    monkeypatch.setattr(evolution, "ShortTraining", known(lambda choices: float(choices is second)))
    found = strategy.choose(Pauses())
    assert found.choices == second
    assert found.lands


def test_a_network_is_judged_once_whatever_its_choices_say_of_layers_that_it_lacks(data, monkeypatch):
    strategy, judged = searching(data, "search.candidates=24"), []

    def evaluate(choices, pauses, most=None):
        judged.append((most is None, strategy._candidates.source(choices)))
        return 1.0, 0.5

    strategy.evaluate = evaluate
    monkeypatch.setattr(evolution, "ShortTraining", known(lambda choices: 1.0))
    strategy.choose(Pauses())
    assert len(set(judged)) == len(judged) > 24


def test_the_better_half_of_the_finalists_goes_on(data, monkeypatch):
    """What a network comes to in the end counts, of those that were not behind before."""
    strategy, asked = searching(data, "search.candidates=4"), []
    every = [strategy._candidates.drawn(number, 0.9) for number in range(6)]
    early, late = [3.0, 1.0, 2.0, 6.0, 5.0, 4.0], [2.0, 3.0, 1.0, 0.0, 0.0, 0.0]

    class Known(known(None)):
        def train(self, until, pauses):
            place = every.index(self.choices)
            asked.append((until < 1, place))
            return (early if until < 1 else late)[place]

    monkeypatch.setattr(evolution, "ShortTraining", Known)
    finalists = [Found(choices, True, 0.5, None, choices) for choices in every]
    assert strategy._best_trained(finalists, Pauses()).choices == every[2]
    assert sorted(asked) == [(False, 0), (False, 1), (False, 2), *((True, i) for i in range(6))]


def test_a_short_training_learns_and_is_the_same_twice(data):
    task = searching(data, "search.batch=32")._task
    choices = task.space.sample(0)
    untrained = judge(task, Standalone(task.space, choices), Pauses())[0]
    parted = ShortTraining(task, choices)
    early = parted.train(0.4, Pauses())
    first, second = parted.train(1.0, Pauses()), ShortTraining(task, choices).train(1.0, Pauses())
    assert first == second < early < untrained


def test_gradients_of_random_networks_are_averaged_over_the_ranks(data):
    """A rank may run a network that another one does not: each has a gradient for all weights."""
    space = nasir.load("digits")
    space = replace(space, settings=override(space.settings, ["search.strategy=random"]))
    search = Search(space, data, targets(space.settings.objective, space.costs), 0, torch.device("cpu"))
    strategy, asked = search.strategy, []

    class Two:
        count = 2

        def average(self, tensor):
            asked.append(tensor)
            return tensor / 2

    strategy._ranks = Two()
    first, second, *_ = weights = list(strategy.supernet.weights())
    first.grad = torch.ones_like(first)
    strategy.share_gradients()
    assert len(asked) == len(weights)
    assert torch.equal(first.grad, torch.full_like(first, 0.5))
    assert torch.equal(second.grad, torch.zeros_like(second))


def test_random_trains_networks_that_keep_the_bound_and_use_half_of_it(data, monkeypatch):
    """Those that are judged use it up: weights of smaller ones would tell little of them."""
    space = nasir.load("digits")
    space = replace(space, settings=override(space.settings, ["search.strategy=random"]))
    goal = targets(space.settings.objective, space.costs)
    search, trained = Search(space, data, goal, 0, torch.device("cpu")), []
    made = random.Subnet

    def noted(space, supernet, choices, *more):
        trained.append(Standing(space.costs, choices, goal.bounds))
        return made(space, supernet, choices, *more)

    monkeypatch.setattr(random, "Subnet", noted)
    for epoch in range(3):
        search.strategy.begin(epoch)
    assert all(one.now.excess == 0 and one.now.use >= 0.5 for one in trained)
    assert min(one.now.use for one in trained) < 0.8  # and not all of it
