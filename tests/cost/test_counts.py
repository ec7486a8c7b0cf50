"""Counts and extremes, against enumeration."""

import math
import random
from itertools import product

import pytest

import nasir
from nasir.diagnostics import CompileError
from nasir.ir.printer import print_graph
from tests.conftest import each_space, load_small
from tests.spaces import RESIDUAL


def all_choices(space):
    for values in product(*(d.options for d in space.decisions)):
        yield dict(zip((d.name for d in space.decisions), values, strict=True))


def test_networks_are_the_distinct_networks_written(compiled):
    """Two assignments are one network where they differ only in what the network does not use."""
    space = compiled(RESIDUAL)
    choices = list(all_choices(space))
    assert space.assignments() == len(choices)
    assert space.size() == len({canonical(space, c) for c in choices})


def canonical(space, choices):
    """The choices of the decisions that the derived program still shows."""
    shown = {}
    for layer in ("trunk.0", "trunk.1"):
        names = [f"{layer}.block"]
        if choices[f"{layer}.block"] != "skip":
            names += [f"{layer}.expand", f"{layer}.width"]
        shown.update({name: choices[name] for name in names})
    return ("stem", choices["stem.width"], *sorted(shown.items()))


def test_networks_of_the_digits():
    # 28 = 3 blocks * 3 * 3 + skip; 45 = 3 * 3 * 5; 46 = 45 + skip; 27 = 3 * 3 * 3
    assert nasir.load("digits").size() == 28 * 28 * 45 * 46 * 27


def test_extremes_are_those_of_enumeration(compiled):
    space = compiled(RESIDUAL)
    for name, got in (("macs", space.macs()), ("params", space.params())):
        costs = [space.costs.at(c)[name] for c in all_choices(space)]
        assert got == (min(costs), max(costs))
    assert space.costs.at(space.largest())["macs"] == space.macs()[1]
    assert space.costs.at(space.smallest())["macs"] == space.macs()[0]


def test_the_largest_network_may_be_two_changes_away(compiled):
    """The guarded step is there where the widths differ: from two alike, one change alone makes the network smaller."""
    space = compiled(
        "space s() {\n  let a = {16, 8, 24}\n  let b = {16, 8, 24}\n  x = image(1, size=8)\n"
        "  y = x -> conv(3, a) -> bn -> relu -> (conv(1, 64) -> bn -> relu) when a != b\n"
        "  return y -> conv(1, b) -> bn -> relu -> global_avg_pool -> linear(10)\n}\n"
    )
    costs = [space.costs.at(choices)["macs"] for choices in all_choices(space)]
    assert space.macs() == (min(costs), max(costs))


def test_a_network_has_one_network(compiled):
    space = compiled(RESIDUAL)
    network = space.at(space.sample(0))
    assert (network.assignments(), network.size()) == (1, 1)
    assert "decision" not in print_graph(network.graph)


def test_counts_of_the_papers_spaces_as_written():
    counts = {name: nasir.load(name) for name in ("fbnetv2_l", "fbnetv2_l_factored", "fbnetv2_f", "fbnetv1")}
    # Without the sizes of the image, of which there are 5.
    logs = {name: (math.log10(s.assignments() / 5), math.log10(s.size() / 5)) for name, s in counts.items()}
    assert logs["fbnetv2_l"] == pytest.approx((45.05, 44.37), abs=0.005)
    assert counts["fbnetv2_l"].size() == counts["fbnetv2_l_factored"].size()
    assert counts["fbnetv2_l"].size() * 4 == counts["fbnetv2_f"].size() * 5
    assert logs["fbnetv2_l_factored"][0] == pytest.approx(48.55, abs=0.005)
    assert counts["fbnetv1"].size() == 9**16 * 8**6


# As published, but for those of Single-Path NAS and DARTS, which follow from what was.
OTHERS = {
    "mnasnet": 432**5,
    "proxylessnas": 6**6 * 7**15,
    "single_path_nas": 4**5 * 5**15,
    "nasbench201": 15_625,
    "natsbench": 32_768,
    "darts": (8**8 * 3 * 6 * 10) ** 2,  # eight of a cell's 14 edges: each node keeps two
    "ofa_mobilenetv3": 7_371**5,
}


@pytest.mark.parametrize("name", OTHERS)
def test_counts_of_other_papers_spaces(name):
    assert nasir.load(name).size() == OTHERS[name]


def test_the_extremes_of_nasbench201_are_the_published_ones():
    assert nasir.load("nasbench201").params() == (73_306, 1_531_546)


def test_both_forms_of_the_micro_space_have_the_same_networks():
    """A network chosen in one form, chosen in the other: the same multiply-adds and parameters."""
    plain, factored = nasir.load("fbnetv2_l"), nasir.load("fbnetv2_l_factored")
    for seed in range(10):
        choices = plain.sample(seed)
        other = factored.sample(seed)
        for name, value in choices.items():
            if not name.endswith(".block"):
                other[name] = value
                continue
            layer = name.removesuffix(".block")
            if name in other:
                other[name] = "skip" if value == "skip" else "ir"
            inner = f"{layer}:ir" if f"{layer}:ir.kernel" in other else layer
            other[f"{inner}.kernel"] = 5 if "k5" in str(value) else 3
            other[f"{inner}.act"] = "hswish" if str(value).endswith("_hs") else "relu"
            other[f"{inner}.se"] = "_se" in str(value)
        assert factored.costs.at(other) == plain.costs.at(choices)


@each_space
def test_a_walk_prices_what_the_whole_formula_prices(path):
    """What changes would lead to, asked again and again, and steps: each against the cost of the whole network."""
    space = load_small(path)
    walk = space.costs.walk("macs", space.sample(0))
    draw = random.Random(0)
    for _ in range(30 if space.decisions else 0):
        changes = [(d.name, draw.choice(d.options)) for d in draw.choices(space.decisions, k=draw.randrange(1, 3))]
        here = walk.choices
        assert walk.after(changes) == space.costs.at({**here, **dict(changes)})["macs"]
        assert (walk.choices, walk.total) == (here, space.costs.at(here)["macs"])
        if draw.random() < 0.5:
            walk.change(*changes[0])
            assert walk.total == space.costs.at(walk.choices)["macs"]


def test_a_walk_along_a_row_of_skips_prices_what_the_whole_formula_prices(compiled):
    """Every width follows from the one before: outcomes are kept, and forgotten where a step makes them others."""
    space = compiled(
        """choice layer { conv: conv(3) -> bn -> relu  pair: conv(1, 8) -> conv(3)  skip: identity }
        space s(classes = 3) {
          x = image(3, size=8)
          y = x -> conv(1, 8) -> stages {
            | block | width      | depth |
            | layer | {4, 8, 16} | 12    |
          }
          return y -> global_avg_pool -> linear(classes)
        }"""
    )
    walk = space.costs.walk("params", space.smallest("params"))
    draw = random.Random(0)
    for _ in range(12):
        for decision in space.decisions:
            for option in decision.options:
                network = {**walk.choices, decision.name: option}
                assert walk.after([(decision.name, option)]) == space.costs.at(network)["params"]
        decision = draw.choice(space.decisions)
        walk.change(decision.name, draw.choice(decision.options))


def test_costs_of_few_networks_are_those_of_all(compiled):
    """Four flags must change together, so that changes of one or two lead nowhere."""
    space = compiled(
        """space s(classes = 3) {
          let a = {true, false}
          let b = {true, false}
          let c = {true, false}
          let d = {true, false}
          x = image(2, size=8)
          y = x -> (conv(3, 64) -> conv(1, 2)) when not a and not b and not c and d
          return y -> max_pool(3) -> conv(1, 4) -> global_avg_pool -> linear(classes)
        }"""
    )
    every = [space.at({"a": a, "b": b, "c": c, "d": d}) for a, b, c, d in product((True, False), repeat=4)]
    assert space.macs() == (min(n.macs()[0] for n in every), max(n.macs()[0] for n in every)) == (524, 82_444)
    assert space.at(space.largest()).macs()[0] == 82_444


def test_what_nothing_reads_may_have_a_distribution_that_is_too_long(compiled):
    """The ends of this shortcut are of one layout, so nothing asks how many channels they have in all."""
    flows = "".join(f"  y{i} = x -> conv(1, 1..64 by 1)\n" for i in range(60))
    joined = f"  z = concat({', '.join(f'y{i}' for i in range(60))})\n"
    text = f"space s(classes = 4) {{\n  x = image(3, size=2)\n{flows}{joined}"
    space = compiled(text + "  return shortcut(z, z -> relu) -> conv(1, classes) -> global_avg_pool\n}\n")
    assert space.size() == 64**60
    with pytest.raises(CompileError) as refused:
        compiled(text + "  return z -> conv(1, z.channels) -> global_avg_pool -> linear(classes)\n}\n")
    (mistake,) = refused.value.diagnostics
    assert mistake.code == "E0406"
    assert "1,000,000 entries together" in mistake.message
