"""A network of a supernet, run as it is emitted, is the supernet at its gates, and so are its gradients."""

import pytest
import torch
from torch import Tensor

from nasir import resources
from nasir.data import input_of
from nasir.searching.landing import Standing, near
from nasir.searching.prices import targets
from nasir.searching.subnets import Subnet
from nasir.supernets import build
from tests.conftest import load_small

SPACES = ("digits", "edge", "keywords", "nasbench201", "resnets", "sensors", "shapes", "signals", "tabular", "unets")


def summed(outputs):
    """One number of all outputs."""
    parts = [outputs] if isinstance(outputs, Tensor) else outputs.values()
    return sum((one * torch.arange(one.numel(), dtype=one.dtype).view_as(one)).sum() for one in parts)


@pytest.mark.parametrize("name", SPACES)
def test_a_network_as_it_is_emitted_is_the_supernet_at_its_gates(name):
    torch.manual_seed(0)
    space = load_small(resources.folder("spaces") / f"{name}.nas")
    supernet = build(space.graph).double().train()
    images = torch.randn(3, *input_of(space.graph).shape, dtype=torch.float64)
    weights = [weight for weight in supernet.weights() if weight.requires_grad]
    for seed in range(2):
        choices = space.sample(seed)
        network = Subnet(space, supernet, choices)
        network.train()
        mine, whole = network(images), supernet(images, choices=choices).logits
        torch.testing.assert_close(mine, whole, rtol=1e-8, atol=1e-10)
        gradients = [torch.autograd.grad(summed(one), weights, allow_unused=True) for one in (mine, whole)]
        for found, wanted in zip(*gradients, strict=True):
            if found is None or wanted is None:
                assert not any(one is not None and one.abs().max() > 1e-10 for one in (found, wanted))
            else:
                torch.testing.assert_close(found, wanted, rtol=1e-6, atol=1e-7)
        batches = [torch.randn_like(images) for _ in range(2)]
        network.estimate(batches)
        supernet.reestimate_batch_norms(choices, batches)
        with torch.no_grad():
            torch.testing.assert_close(
                network(images), supernet.eval()(images, choices=choices).logits, rtol=1e-5, atol=1e-7
            )
        supernet.train()


def test_a_random_walk_that_leads_nowhere_ends_soon(monkeypatch):
    """Near a bound most changes lead over it: what cannot be reached is not tried for ever."""
    space = load_small(resources.folder("spaces") / "digits.nas")
    goal = targets(space.settings.objective, space.costs)
    taken, take = [], Standing.take
    monkeypatch.setattr(Standing, "take", lambda self, *changes: (taken.append(1), take(self, *changes)))
    near(_standing(space, goal, 0), {one.name: one.options for one in space.decisions}, 2.0, 0)
    assert len(taken) < 1_000  # of 2,000 tries, each there and back


@pytest.mark.parametrize("name", ["digits", "edge", "tabular"])
def test_a_random_walk_ends_within_the_bounds_and_uses_them(name):
    space = load_small(resources.folder("spaces") / f"{name}.nas")
    goal = targets(space.settings.objective, space.costs)
    options = {one.name: one.options for one in space.decisions}
    for least in (0.5, 0.9):
        found = [near(_standing(space, goal, seed), options, least, seed) for seed in range(8)]
        for choices in found:
            standing = Standing(space.costs, choices, goal.bounds, goal.spent)
            assert standing.now.excess == 0
            assert standing.now.use >= (least if name != "tabular" else 0.5)
        assert len({tuple(choices.values()) for choices in found}) > 4
        assert found[0] == near(_standing(space, goal, 0), options, least, 0)


def _standing(space, goal, seed):
    return Standing(space.costs, space.sample(seed), goal.bounds, goal.spent)
