"""From distributions to a network: every bound is kept, and the tightest is used up."""

import itertools
import math

import pytest

from nasir.lang.objectives import Bound
from nasir.searching.landing import LEAST_USE, Standing, draw, land, repair, scores
from tests.spaces import TINY


def networks(space):
    names = [d.name for d in space.decisions]
    for options in itertools.product(*(d.options for d in space.decisions)):
        yield dict(zip(names, options, strict=True))


def use(space, choices, bounds):
    costs = space.costs.at(choices)
    return max(costs[bound.cost] / bound.limit for bound in bounds)


@pytest.fixture
def space(compiled):
    return compiled(TINY)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.62, 0.75, 0.9, 0.97, 1.0])
@pytest.mark.parametrize("costs", [("macs",), ("params",), ("macs", "params")])
@pytest.mark.parametrize("seed", range(4))
def test_in_a_small_space_it_lands_where_any_network_does(space, costs, share, seed):
    bounds = [Bound(cost, share * getattr(space, cost)()[1]) for cost in costs]
    uneven = {d.name: {o: (i + 1 + seed) % 3 + 0.1 for i, o in enumerate(d.options)} for d in space.decisions}
    uneven = {name: {o: p / sum(row.values()) for o, p in row.items()} for name, row in uneven.items()}
    choices, lands = land(space.sample(seed), scores(uneven), space.costs, bounds)
    assert use(space, choices, bounds) <= 1
    assert lands == (use(space, choices, bounds) >= LEAST_USE)
    if not lands:
        assert not any(use(space, choices, bounds) < use(space, c, bounds) <= 1 for c in networks(space))


def test_of_more_combinations_than_can_be_tried_none_is(space, monkeypatch):
    """It then ends where no change of one or two decisions uses more."""
    monkeypatch.setattr("nasir.searching.landing._MOST_TOGETHER", 0)
    even = scores({d.name: dict.fromkeys(d.options, 1 / len(d.options)) for d in space.decisions})
    stuck = 0
    for share, seed in itertools.product((0.3, 0.5, 0.62, 0.75), range(8)):
        bound = Bound("macs", share * space.macs()[1])
        choices, lands = land(space.sample(seed), even, space.costs, [bound])
        better = [c for c in networks(space) if use(space, choices, [bound]) < use(space, c, [bound]) <= 1]
        stuck += not lands and bool(better)
        assert lands or all(sum(c[name] != choices[name] for name in c) > 2 for c in better)
    assert stuck, "there are bounds that changes of two do not lead to"


def test_of_more_pairs_than_can_be_tried_none_is(space, monkeypatch):
    """It then ends where no single change uses more."""
    even = scores({d.name: dict.fromkeys(d.options, 1 / len(d.options)) for d in space.decisions})

    def ends(share):
        bound = Bound("macs", share * space.macs()[1])
        return [land(space.sample(seed), even, space.costs, [bound]) for seed in range(8)], bound

    with_pairs = {share: ends(share)[0] for share in (0.5, 0.55, 0.62, 0.7)}
    monkeypatch.setattr("nasir.searching.landing._MOST_PAIRS", 0)
    assert any(ends(share)[0] != found for share, found in with_pairs.items())
    for share in with_pairs:
        found, bound = ends(share)
        for choices, lands in found:
            near = (c for c in networks(space) if sum(c[name] != choices[name] for name in c) <= 1)
            assert lands or not any(use(space, choices, [bound]) < use(space, c, [bound]) <= 1 for c in near)


def test_a_network_that_lands_is_left_alone(space):
    even = scores({d.name: dict.fromkeys(d.options, 1 / len(d.options)) for d in space.decisions})
    for choices in itertools.islice(networks(space), 0, None, 7):
        bounds = [Bound("macs", space.costs.at(choices)["macs"] / 0.99)]
        assert land(choices, even, space.costs, bounds) == (choices, True)


def test_a_bound_that_no_network_exceeds_is_no_budget(space):
    certain = {d.name: {o: 0.9 if o == d.options[0] else 0.1 for o in d.options} for d in space.decisions}
    choices = {d.name: d.options[0] for d in space.decisions}
    idle, tight = Bound("macs", 1e9), Bound("params", space.costs.at(choices)["params"] / 0.99)
    assert land(choices, scores(certain), space.costs, [idle], spent=()) == (choices, True)
    assert land(choices, scores(certain), space.costs, [idle, tight], spent=("params",)) == (choices, True)


def test_without_bounds_nothing_changes(space):
    even = scores({d.name: dict.fromkeys(d.options, 1 / len(d.options)) for d in space.decisions})
    assert land(space.largest(), even, space.costs, []) == (space.largest(), True)


def test_repairing_gives_up_what_the_search_cares_least_about(space):
    """Every decision is certain of the largest network but one, which is torn: that one gives way."""
    largest = space.largest()
    torn = next(d for d in space.decisions if d.name == "trunk.0.width")
    likely = {
        d.name: {o: 1 / len(d.options) if d is torn else (0.999 if o == largest[d.name] else 1e-6) for o in d.options}
        for d in space.decisions
    }
    limit = space.costs.at({**largest, torn.name: 8})["macs"]
    standing = repair(Standing(space.costs, largest, [Bound("macs", limit)]), scores(likely))
    assert standing.choices == {**largest, torn.name: 8}


def test_the_incremental_costs_are_the_exact_ones(space):
    bounds = [Bound("macs", 10_000.0), Bound("params", 800.0)]
    standing = Standing(space.costs, space.smallest(), bounds)
    for seed in range(20):
        other = space.sample(seed)
        assert standing.after(*other.items()).use == pytest.approx(use(space, other, bounds))
        assert standing.choices == space.smallest()
        assert standing.now.use == pytest.approx(use(space, space.smallest(), bounds))


def test_networks_are_drawn_by_their_probabilities():
    draws = [draw({"a": {1: 0.8, 2: 0.2}, "b": {"x": 1.0}}, seed) for seed in range(400)]
    assert {d["b"] for d in draws} == {"x"}
    assert sum(d["a"] == 1 for d in draws) / 400 == pytest.approx(0.8, abs=0.08)
    assert draw({"a": {1: 0.5, 2: 0.5}}, 3) == draw({"a": {1: 0.5, 2: 0.5}}, 3)


def test_an_impossible_option_has_a_finite_score():
    assert scores({"a": {1: 1.0, 2: 0.0}})["a"][2] > -math.inf
