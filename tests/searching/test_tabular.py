"""The tabular benchmark: all of a space's networks, and what a search is worth by them."""

from itertools import combinations
from statistics import mean

import pytest

import nasir
from nasir.tabular import COSTS, Row, Table, read


@pytest.fixture(scope="module")
def table():
    return read()


def test_it_has_every_network_once_with_the_costs_that_the_space_says(table):
    assert len(table.rows) == table.space.size() == 1_152
    assert len({tuple(row.choices.values()) for row in table.rows}) == len(table.rows)
    for row in table.rows[::97]:
        costs = table.space.costs.at(row.choices)
        assert {name: row.costs[name] for name in ("macs", "params")} == costs
        assert table.row(dict(reversed(row.choices.items()))) is row
        assert row.costs["latency_us"] > 0


def test_regret_is_what_the_best_within_the_bound_has_more(table):
    best = max(table.within("macs", 30_000), key=lambda row: row.accuracy)
    assert table.regret(best.choices, "macs", 30_000) == 0
    assert best.costs["macs"] <= 30_000
    worst = min(table.rows, key=lambda row: row.accuracy)
    assert table.regret(worst.choices, "macs", 30_000) == best.accuracy - worst.accuracy


@pytest.mark.parametrize("count", [1, 2, 5])
def test_what_random_networks_are_expected_to_have_is_the_mean_over_all_draws(table, count):
    few = [Row(row.choices, dict.fromkeys(COSTS, 1.0), row.right) for row in table.rows[::150]]
    small, best = Table(table.space, few), max(row.accuracy for row in few)
    found = [
        best - max(drawn, key=lambda row: row.right[seed]).accuracy
        for seed in range(len(few[0].right))
        for drawn in combinations(sorted(few, key=lambda row: row.right[seed]), count)
    ]
    # Of equal ones the later is picked, in both.
    assert small.random_regret(count, "macs", 1) == pytest.approx(mean(found), abs=2e-3)
    assert table.random_regret(50, "macs", 40_000) < table.random_regret(5, "macs", 40_000)


def test_random_networks_that_use_the_bound_up_are_better(table):
    used_up = table.within("macs", 30_000, 0.95)
    assert 0 < len(used_up) < len(table.within("macs", 30_000))
    assert all(28_500 <= row.costs["macs"] <= 30_000 for row in used_up)
    assert table.random_regret(5, "macs", 30_000, 0.95) < table.random_regret(5, "macs", 30_000)


def test_a_search_is_looked_up(tmp_path, table):
    found = nasir.search(
        "tabular",
        data="signals",
        out=tmp_path,
        set=["strategy=evolution", "search.epochs=1", "train.epochs=1"],
        quiet=True,
    )
    assert table.regret(found.chosen, "macs", 40_000) < 0.1
