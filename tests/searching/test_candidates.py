"""Networks of one design: alike in all layers as far as the bounds let them; and networks told apart."""

import random

import pytest

import nasir
from nasir.api import emit
from nasir.lang.objectives import Bound, Objective
from nasir.searching import candidates
from nasir.searching.candidates import designed
from nasir.searching.landing import Standing
from nasir.searching.prices import targets
from tests.conftest import each_searched_space, load_small


def options_by_name(space, choices):
    """By the last part of the decisions' names what they may be and what they are."""
    found = {}
    for one in space.decisions:
        found.setdefault(one.name.rpartition(".")[2], []).append((one.options, choices[one.name]))
    return found


@each_searched_space
def test_decisions_of_one_name_and_the_same_options_are_alike_where_nothing_bounds_them(path):
    space = load_small(path)
    goal = targets(Objective(bounds=(Bound("macs", 1e15),)), space.costs)
    for seed in range(3):
        for options, of in options_by_name(space, designed(space, goal, 0.0, seed)).items():
            told = {}
            for those, option in of:
                assert told.setdefault(those, option) == option, options


def test_numbers_are_at_one_place_between_the_least_and_the_most():
    options = {"a.width": (8, 16), "b.width": (32, 96, 64, 128), "c.width": (1, 2, 3), "a.kernel": (3, 5)}
    found = set()
    for seed in range(200):
        alike = candidates._alike(options, {}, random.Random(seed))
        found.add(tuple(alike[name] for name in options if name != "a.kernel"))
    assert found == {(8, 32, 1), (8, 64, 1), (8, 64, 2), (16, 96, 2), (16, 96, 3), (16, 128, 3)}


def test_of_labels_each_decision_has_the_first_of_one_order():
    options = {"a.block": ("k3", "k5", "skip"), "b.block": ("k5", "k3"), "c.block": ("skip", "k3", "k5")}
    seen = set()
    for seed in range(40):
        alike = candidates._alike(options, {}, random.Random(seed))
        assert alike["a.block"] == alike["c.block"]
        assert alike["a.block"] == "skip" or alike["b.block"] == alike["a.block"]
        seen.add(tuple(alike.values()))
    assert len(seen) == 4  # skip goes with either


def test_numbers_of_one_name_are_scaled_until_the_bounds_are_used():
    """Where widths are all there is, that takes no other change."""
    space = nasir.load("natsbench")
    for share in (0.2, 0.5, 0.8):
        goal = targets(Objective(bounds=(Bound("macs", share * space.macs()[1]),)), space.costs)
        for seed in range(5):
            found = designed(space, goal, 0.7, seed)
            assert len({option for name, option in found.items() if name.endswith(".width")}) == 1
            assert Standing(space.costs, found, goal.bounds).now.excess == 0
            assert Standing(space.costs, found, goal.bounds).now.use >= 0.7


@pytest.mark.parametrize("name", ["digits", "edge", "keywords", "fbnetv2_f"])
def test_a_network_of_one_design_keeps_the_bounds_and_is_a_function_of_the_seed(name):
    space = nasir.load(name)
    goal = targets(space.settings.objective, space.costs)
    found = [designed(space, goal, 0.9, seed) for seed in (0, 1, 2, 0)]
    assert found[0] == found[3]
    assert any(one != found[0] for one in found)
    for choices in found:
        standing = Standing(space.costs, choices, goal.bounds, goal.spent)
        assert standing.now.excess == 0
        assert standing.now.use >= 0.9


@each_searched_space
def test_networks_that_use_the_same_choices_are_emitted_alike(path):
    """`Candidates.source` tells networks apart by the choices that they use."""
    space = load_small(path)
    for seed in range(2):
        choices = space.sample(seed)
        used = space.active(choices)
        other = {**space.sample(seed + 100), **used}
        if space.active(other) == used and other != choices:
            assert emit(space.at(other)) == emit(space.at(choices))
