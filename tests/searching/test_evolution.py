"""Generations get better: by a loss that is known of every network, in place of one by weights."""

from dataclasses import replace
from statistics import median

import pytest
import torch

import nasir
from nasir.data import input_of, load_data
from nasir.jobs.signals import Pauses
from nasir.lang.settings import override
from nasir.searching.landing import Standing
from nasir.searching.loop import Search
from nasir.searching.prices import targets


@pytest.fixture(scope="module")
def data():
    return load_data("digits", input_of(nasir.load("digits").graph))


def chosen(name, data, seed):
    """What a strategy chooses, and the losses of all that it judged: how many decisions differ from a network that is
    hidden within the bounds."""
    space = nasir.load("digits")
    space = replace(space, settings=override(space.settings, [f"search.strategy={name}", "search.candidates=12"]))
    goal = targets(space.settings.objective, space.costs)
    strategy = Search(space, data, goal, seed, torch.device("cpu")).strategy
    hidden, losses = strategy._near(10_000, 0.9), []

    def evaluate(choices, pauses, most=None):
        assert Standing(space.costs, choices, goal.bounds).excess() == 0
        losses.append(float(sum(option != hidden[name] for name, option in choices.items())))
        return losses[-1], 0.0

    strategy.evaluate = evaluate
    found = strategy.choose(Pauses())
    return sum(option != hidden[name] for name, option in found.choices.items()), losses


def test_generations_come_nearer_than_as_many_random_networks_and_the_nearest_is_taken(data):
    off = {name: [chosen(name, data, seed)[0] for seed in range(2)] for name in ("evolution", "random")}
    assert max(off["evolution"]) < min(off["random"])
    _, losses = chosen("evolution", data, 0)
    first, last = losses[:12], losses[-16:-6]  # the last six are the best of all, judged once more
    assert median(last) <= median(first) - 3


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
