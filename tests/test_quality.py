"""The protocol of what searches are worth: what it reckons, and that the documents have what its runs say."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality.lines import FILE, Key, Line, read, write
from benchmarks.quality.sets import SETS, TOGETHER, recipe
from benchmarks.quality.tables import affordable, gain, picked, rank_correlation, strategies, table, tables, together
from benchmarks.quality.work import POOLS, STRATEGIES, TRAININGS, pooled, widest

FASHION = SETS["fashion"]


def line(key, accuracy=0.5, seconds=1.0, **values):
    return Line(key, 100, 10, accuracy, seconds, "code", "fashion", {}, {"a": 1}, **values)


def picks(seconds, pool="random"):
    """One training of each random network, number i right about i in a hundred."""
    keys = [Key("fashion", pool, "pick", number=i, recipe="own") for i in range(FASHION.pool)]
    return {key: line(key, key.number / 100, seconds) for key in keys}


def search(seed, seconds):
    return line(Key("fashion", "evolution", "search", seed), seconds=seconds)


def test_a_gain_is_what_is_added_and_its_interval_is_as_wide_as_searches_differ():
    base = [np.array([0.5, 0.6, 0.7]) for _ in range(5)]
    alike = gain([(one + 0.01, one) for one in base])
    assert (alike.low, alike.mean, alike.high) == pytest.approx((1, 1, 1))
    differing = gain([(one + 0.01 * i, one) for i, one in enumerate(base)])
    assert differing.mean == pytest.approx(2)
    assert 0 < differing.low < 1.5
    assert 2.5 < differing.high < 4


def test_trainings_are_paired_by_recipe_and_seed():
    """What all networks gain by one seed of a training says nothing of them."""
    lucky = np.array([0.0, 0.3, 0.1])
    found = gain([(0.5 + lucky, 0.49 + lucky)] * 5)
    assert (found.low, found.high) == pytest.approx((1, 1))


def test_random_networks_cost_no_more_than_the_search_and_the_best_is_picked():
    lines = picks(seconds=2.0) | picks(seconds=3.0, pool="designed")
    assert affordable(lines, search(0, 6.5), "random") == [0, 1, 2]
    assert affordable(lines, search(0, 6.5), "designed") == [0, 1]
    assert affordable(lines, search(1, 0.5), "random") == [8]
    assert affordable(lines, search(4, 1e9), "random") == [*range(32, 40), *range(32)]
    assert picked(lines, search(0, 6.5), "random") == 2


def runs(name, seeds, better=0.0):
    """Searches of a set whose networks are right about half of the time, random ones likewise in their order, and all
    trainings of both."""
    one = SETS[name]
    keys = [Key(name, "halving", "search", seed) for seed in range(seeds)]
    keys += [Key(name, "random", "pick", number=i, recipe="own") for i in range(one.pool)]
    keys += [Key(name, "scaled", "pick", number=i, recipe="own") for i in range(len(one.templates))]
    found = {key: line(key, key.number / 100) for key in keys}
    contenders = [("halving", seed, 0) for seed in range(seeds)] + [("random", 0, i) for i in range(one.pool)]
    contenders += [("scaled", 0, i) for i in range(len(one.templates))]
    for contender, seed, number in contenders:
        right = 0.5 + better if contender == "halving" else 0.5 + 0.001 * (number - one.pool // 2)
        for by, training in product(one.recipes, TRAININGS):
            key = Key(name, contender, "train", seed, number, by, training)
            found[key] = line(key, right)
    return found


def test_ways_to_search_are_told_of_from_five_seeds_on():
    assert strategies(runs("fashion", 5), "fashion") == {"halving": 5}
    assert strategies(runs("fashion", 4), "fashion") == {}
    assert strategies(runs("signals12k", 7), "signals12k") == {"halving": 7}
    lacking = runs("signals12k", 10)
    del lacking[Key("signals12k", "halving", "search", 6)]
    assert strategies(lacking, "signals12k") == {"halving": 6}  # the first ones, without a choice


def test_a_percentile_is_the_share_of_random_networks_that_are_worse():
    def percentile(better):
        rows = table(runs("fashion", 5, better), SETS["fashion"]).splitlines()
        head, row = (next(one for one in rows if one.startswith(f"| {word} ")) for word in ("search", "halving"))
        return row.split("|")[head.split("|").index(" percentile among random ")].strip()

    assert [percentile(better) for better in (-0.1, -0.0005, 0.0095, 0.1)] == ["0", "50", "75", "100"]


def test_sets_that_differ_in_their_bounds_are_told_of_together():
    lines = runs("signals12k", 10, 0.1) | runs("signals12k_3k", 5, 0.1)
    (row,) = [one for one in together(lines, TOGETHER[0]).splitlines() if one.startswith("| halving")]
    assert row.startswith("| halving | 15 | +")
    assert together(runs("signals12k", 10), TOGETHER[0]) == ""


def test_a_rank_correlation_is_one_of_equal_orders_and_less_of_others():
    assert rank_correlation([1, 2, 3], [10, 20, 21]) == pytest.approx(1)
    assert rank_correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)


def test_what_is_written_is_read_again(tmp_path):
    every = [
        line(Key("fashion", "evolution", "search", 1), likeliest=250_000, entropy=0.25, losses=(1.5, 2.0)),
        line(Key("fashion", "dmasking", "search", 0), sliced=0.5, tuned=0.75),
        line(Key("signals", "random", "pick", number=3, recipe="own", training=2)),
    ]
    write(tmp_path / "runs.csv", {one.key: one for one in every})
    assert read(tmp_path / "runs.csv") == {one.key: one for one in every}
    assert read(tmp_path / "none.csv") == {}


@pytest.mark.parametrize("one", SETS.values(), ids=SETS)
def test_random_networks_and_templates_come_near_to_the_bound(one):
    (bound,) = one.space().settings.objective.bounds
    for pool, number in product(POOLS, range(3)):
        assert 0.92 * bound.limit <= one.space().costs.at(pooled(one, number, pool))["macs"] <= bound.limit
    scaled = [one.at(template.file, dict(widest(one, name))) for name, template in one.templates.items()]
    macs = [space.costs.at({})["macs"] for space in scaled]
    assert 0.85 * bound.limit <= max(macs) <= bound.limit  # whole channels are wide steps of the smallest ones


@pytest.mark.parametrize(
    ("name", "epochs"), [("fashion", [6, 9]), ("signals", [6, 9]), ("photographs24", [24, 24]), ("fashion12k", [8, 12])]
)
def test_a_data_set_has_short_trainings_or_long_ones_by_two_recipes(name, epochs):
    one = SETS[name]
    made = [recipe(one.space(), changes).settings.train for changes in one.recipes.values()]
    assert [settings.epochs for settings in made] == epochs
    assert [settings.weights.name for settings in made] == ["adam", "sgd"]


def test_the_runs_are_of_the_sets_as_they_are():
    """A set that becomes another one has another name: what was run of it is not done again."""
    numbers = (0, 17, 39)
    for key, line in read(FILE).items():
        one = SETS[key.set]
        if key.contender in POOLS and key.number in numbers:
            assert line.parameters == one.parameters
            assert line.choices == pooled(one, key.number, key.contender)
        if key.what == "search":
            assert line.parameters == one.parameters
            assert one.at(line.file, line.parameters).costs.at(line.choices)["macs"] == line.macs


def test_the_documents_have_the_tables_of_the_runs():
    told = (Path(__file__).parents[1] / "docs" / "results.md").read_text(encoding="utf-8")
    lines = read(FILE)
    assert len(lines) > 100
    made = tables(lines)
    for one in made.splitlines():
        assert one in told
    for one in told.splitlines():
        if ", macs <= " in one.partition(";")[0] or one.startswith(tuple(f"| {name} |" for name in STRATEGIES)):
            assert one in made
    # A run more or less is another table.
    key = next(key for key in lines if key.what == "train" and key.contender == "evolution")
    changed = {**lines, key: replace(lines[key], accuracy=0.0)}
    assert tables(changed) != tables(lines)
