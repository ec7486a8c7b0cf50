"""Costs as classes: expectations against enumeration, and a cost of another's."""

import math
from itertools import product

import pytest
import torch

import nasir
from nasir.cost.base import Cost
from nasir.cost.registry import COSTS, STANDARD
from nasir.diagnostics import CompileError
from nasir.ir.circuit import Polynomial
from nasir.ir.ops import OPS, elements
from nasir.lang.settings import override, with_bounds
from nasir.supernets import build

ENTANGLED = """
choice layer {
  wide: (conv(3, 4) -> bn)
  skip: identity
}
space entangled(classes = 2, size = {6, 8}) {
  let w = {2, 3, 6}
  x = image(1, size=size)
  y = x -> conv(1, w) -> bn -> conv(3, w) -> relu
  z = y -> layer -> layer -> dwconv(3) when w > 2
  return z -> global_avg_pool -> conv(1, w * 2) -> linear(classes)
}
"""


@pytest.fixture
def entangled(compiled):
    return compiled(ENTANGLED)


def gates_of(space, seed):
    """Random distributions of the decisions: as a flat vector, and by decision."""
    draw = torch.Generator().manual_seed(seed)
    parts = [torch.rand(len(d.options), generator=draw, dtype=torch.float64).softmax(0) for d in space.decisions]
    return torch.cat(parts), parts


def test_the_exact_expectation_is_the_mean_over_all_networks(entangled):
    space = entangled
    names = ("macs", "macs(exact)")
    sizes = build(space.graph, costs=tuple(COSTS[name] for name in names)).get_submodule("sizes")
    for seed in range(3):
        gates, parts = gates_of(space, seed)
        mean = 0.0
        for numbers in product(*(range(len(d.options)) for d in space.decisions)):
            choices = {d.name: d.options[i] for d, i in zip(space.decisions, numbers, strict=True)}
            share = math.prod(float(part[i]) for part, i in zip(parts, numbers, strict=True))
            mean += share * space.costs.at(choices, names)["macs(exact)"]
        costs = sizes(gates).costs
        assert float(costs["macs(exact)"]) == pytest.approx(mean, rel=1e-12)
        assert float(costs["macs"]) != pytest.approx(mean, rel=1e-3)  # means are multiplied, as Eq. 10 does


def test_every_cost_is_exact_at_one_hot_gates(entangled):
    supernet = build(entangled.graph, costs=tuple(COSTS.values()))
    for seed in range(8):
        choices = entangled.sample(seed)
        found = {name: float(cost) for name, cost in supernet.cost(choices).items()}
        assert found == entangled.costs.at(choices, tuple(COSTS))
        assert found["macs"] == found["macs(exact)"]


def test_activations_are_what_convolutions_and_linear_layers_make(emitted):
    space = nasir.load("digits")
    network = space.at(space.sample(4))
    module, made = emitted(network).eval(), []
    for one in module.modules():
        if isinstance(one, (torch.nn.Conv2d, torch.nn.Linear)):
            one.register_forward_hook(lambda _, __, result: made.append(result.numel()))
    module(torch.zeros(1, 1, 8, 8))
    assert network.costs.at({}, ("activations",)) == {"activations": sum(made)}


class Widest(Cost):
    """The largest map that a convolution makes: no sum. Between the networks a bound is all it gives: 0."""

    name = quantity = "widest"
    unit, title, words = "elements", "Widest map", "elements of the largest map"

    def at(self, network):
        shapes = [it.out for it in network.nodes() if OPS[it.node.op].multiplies]
        return max(int(elements(shape, network.size)) for shape in shapes)

    def expected(self, model):
        return Polynomial()


def test_a_cost_that_there_is_not_is_told(entangled):
    for ask in (entangled.range, entangled.largest, entangled.smallest):
        with pytest.raises(CompileError) as raised:
            ask("mac")
        (told,) = raised.value.diagnostics
        assert (told.code, told.hints) == ("E0614", ("did you mean `macs`?",))


def test_a_cost_that_is_no_sum_is_bounded_and_shown_as_any_other(entangled, monkeypatch):
    monkeypatch.setitem(COSTS, "widest", Widest())
    least, most = entangled.range("widest")
    every = [entangled.costs.at(entangled.sample(seed), ("widest",))["widest"] for seed in range(200)]
    assert (least, most) == (min(every), max(every)) == (2 * 36, 6 * 64)
    walk = entangled.costs.walk("widest", entangled.largest("widest"))
    assert (walk.after([("size", 6)]), walk.total) == (6 * 36, most)
    walk.change("size", 6)
    assert walk.total == 6 * 36


def test_an_objective_s_costs_are_those_that_a_search_has(entangled):
    from dataclasses import replace

    bounded = with_bounds(entangled.settings, ["activations <= 70%", "macs(exact) <= 90%"])
    space = replace(entangled, settings=override(bounded, []))
    assert space.cost_names == (*STANDARD, "activations", "macs(exact)")
    supernet = nasir.supernet(space)
    bounds = nasir.Bounds(space, steps=2)
    out = supernet.train()(torch.randn(2, 1, 8, 8))
    bounds.loss(out.logits.mean(), out.cost).backward()
    bounds.update(supernet, out.cost)
    costs = space.costs.at(bounds.land(supernet), space.cost_names)
    assert costs["activations"] <= 0.7 * space.range("activations")[1]
    assert set(out.cost) == set(space.cost_names)
