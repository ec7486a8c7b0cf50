"""Emitted networks compute what they always did, by outputs recorded of the emitter that wrote a class for each variant
of a block; weights and images are made by a formula. Weights keep their names and shapes."""

import json
import math
from pathlib import Path

import pytest
import torch

import nasir
from nasir.execution import network_class
from tests.conftest import CASES

RECORDED = json.loads((CASES / "emitted" / "outputs.json").read_text(encoding="utf-8"))
LARGEST = 64  # pixels


def by_formula(shape: torch.Size, phase: float) -> torch.Tensor:
    numbers = torch.arange(math.prod(shape), dtype=torch.float64)
    return torch.sin(12.9898 * numbers + phase).reshape(shape)


def outputs(network: torch.nn.Module, shape: tuple[int, ...]) -> list[float]:
    """The first outputs of a network in evaluation, in float64."""
    state = network.double().eval().state_dict()
    for place, (name, tensor) in enumerate(sorted(state.items())):
        if tensor.is_floating_point():
            values = by_formula(tensor.shape, place)
            tensor.copy_(1 + values / 2 if name.endswith("running_var") else values / 4)
    images = by_formula(torch.Size((2, shape[0], *(min(size, LARGEST) for size in shape[1:]))), 0.5)
    with torch.no_grad():
        return network(images).flatten()[:3].tolist()


@pytest.mark.parametrize("case", sorted(RECORDED))
def test_outputs_are_the_recorded_ones(case):
    path, _, seed = case.partition("#")
    space = nasir.load(path)
    derived = space.at(space.sample(int(seed)))
    network = network_class(Path("model.py"), nasir.emit(derived))()
    shape = tuple(int(size) for size in derived.graph.input.shape.values())
    expected = RECORDED[case]
    assert sum(tensor.numel() for tensor in network.state_dict().values()) == expected["state"]
    torch.testing.assert_close(outputs(network, shape), expected["outputs"], rtol=1e-7, atol=1e-12)
