"""All of a supernet moves with it to a device: on `meta`, torch says which tensor stayed behind."""

import pytest
import torch

from nasir import resources
from nasir.data import input_of
from nasir.supernets import build
from tests.conftest import load_small

SMALL = ("digits", "edge", "keywords", "nasbench201", "resnets", "sensors", "shapes", "signals", "unets")


@pytest.mark.parametrize("name", SMALL)
def test_nothing_stays_behind(name):
    space = load_small(resources.folder("spaces") / f"{name}.nas")
    network = build(space.graph, costs=tuple(space.costs.costs.values())).train().to("meta")
    out = network(torch.empty(2, *input_of(space.graph).shape, device="meta"))
    outputs = out.logits.values() if isinstance(out.logits, dict) else [out.logits]
    loss = sum(one.sum() for one in outputs) + sum(out.cost.values())
    loss.backward()
    assert loss.device.type == "meta"
    assert all(one.grad is None or one.grad.device.type == "meta" for one in network.parameters())
