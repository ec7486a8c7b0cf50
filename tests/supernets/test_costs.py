"""Effective costs: exact at one-hot gates, differentiable elsewhere."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import nasir
from tests.conftest import each_space, load_small, seeds
from tests.spaces import RESIDUAL


@each_space
def test_costs_at_one_hot_gates_are_those_of_the_emitted_module(path, emitted):
    space = load_small(path)
    supernet = nasir.supernet(space)
    for seed in seeds(space)[:6]:
        choices = space.sample(seed)
        network = space.at(choices)
        images = torch.zeros(1, *network.graph.input.shape.values())
        module = emitted(network).eval()
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            module(images)
        exact = {"macs": counter.get_total_flops() / 2, "params": sum(p.numel() for p in module.parameters())}
        effective = {name: float(cost) for name, cost in supernet.cost(choices).items() if name in exact}
        assert effective == exact == network.costs.at({})
        assert space.costs.at(choices) == exact


@each_space
def test_cost_gradients_agree_with_finite_differences(path):
    torch.manual_seed(1)
    space = load_small(path)
    supernet = nasir.supernet(space)
    (logits,) = supernet.architecture()
    logits.data.normal_()
    for name in ("macs", "params"):
        gradient = torch.autograd.grad(supernet.cost()[name], logits)[0]
        step = 1e-4
        # Every logit of a small space; of a large one those of an evenly spaced hundred.
        for i in range(0, len(logits), 1 + len(logits) // 100):
            with torch.no_grad():
                logits[i] += step
                above = supernet.cost()[name]
                logits[i] -= 2 * step
                below = supernet.cost()[name]
                logits[i] += step
            assert float(gradient[i]) == pytest.approx(float(above - below) / (2 * step), rel=1e-5, abs=1e-4)


@each_space
def test_every_decision_whose_options_differ_in_cost_gets_a_gradient(path):
    torch.manual_seed(2)
    space = load_small(path)
    supernet = nasir.supernet(space)
    (logits,) = supernet.architecture()
    logits.data.normal_()
    gradient = torch.autograd.grad(supernet.cost()["macs"], logits)[0]
    first = 0
    for decision in space.decisions:
        part = gradient[first : first + len(decision.options)]
        first += len(decision.options)
        if any(_differs(space, decision, seed) for seed in range(10)):
            assert float(part.abs().max()) > 0, decision.name


def _differs(space, decision, seed):
    choices = space.sample(seed)
    return len({space.costs.at({**choices, decision.name: option})["macs"] for option in decision.options}) > 1


def test_cost_uses_the_sample_that_the_forward_pass_uses(compiled):
    supernet = nasir.supernet(compiled(RESIDUAL)).train()
    noise = torch.randn(supernet.gate_count(), dtype=torch.float64)
    images = torch.randn(2, 2, 6, 6)
    first, again = supernet(images, noise=noise), supernet(images, noise=noise)
    assert first.cost == again.cost
    assert torch.equal(first.logits, again.logits)
    other = supernet(images, noise=-noise)
    assert other.cost != first.cost


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_gates_and_costs_stay_in_double_precision(dtype):
    space = nasir.load("digits")
    supernet = nasir.supernet(space)
    exact = {name: float(cost) for name, cost in supernet.cost(space.largest()).items()}
    cast = supernet.to(dtype)
    assert cast.stem.conv.weight.dtype == dtype
    (logits,) = cast.architecture()
    assert logits.dtype == cast.temperature.dtype == torch.float64
    assert {name: float(cost) for name, cost in cast.cost(space.largest()).items()} == exact
    out = cast.train()(torch.randn(4, 1, 8, 8, dtype=dtype))
    assert out.logits.dtype == dtype
    assert out.cost["macs"].dtype == torch.float64
