"""The supernet at one-hot gates is the emitted network with the sliced weights."""

import pytest
import torch

import nasir
from tests.conftest import each_space, seeds


def image_batch(space: nasir.Space, dtype: torch.dtype, count: int = 4, full_size: bool = False) -> torch.Tensor:
    """Random images; a large space's are small ones, for what it computes does not depend on the size."""
    shape = next(node for node in space.graph.nodes if node.op == "image").shape
    size = min(int(shape.height), 48) if full_size is False else int(shape.height)
    return torch.randn(count, int(shape.channels[0]), size, size, dtype=dtype)


def randomise(module: torch.nn.Module) -> None:
    """Weights, affine parameters and running statistics away from their defaults, so that a mix-up shows."""
    for name, tensor in module.state_dict().items():
        if "running_var" in name or name.endswith("bn.weight"):
            tensor.uniform_(0.5, 1.5)
        elif "running_mean" in name or "bias" in name:
            tensor.uniform_(-0.5, 0.5)


@each_space
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-12)], ids=["float32", "float64"]
)
@pytest.mark.parametrize("mode", ["train", "eval"])
def test_one_hot_supernet_equals_emitted_module(path, dtype, tolerance, mode, emitted):
    torch.manual_seed(0)
    space = nasir.load(path)
    supernet = nasir.supernet(space).to(dtype)
    randomise(supernet)
    supernet.train(mode == "train")
    images = image_batch(space, dtype)
    for seed in seeds(space):
        choices = space.sample(seed)
        network = emitted(space.at(choices)).to(dtype)
        network.load_state_dict(supernet.state_for(choices), strict=True)
        network.train(mode == "train")
        with torch.no_grad():
            expected, got = network(images), supernet(images, choices=choices).logits
        assert float((expected - got).abs().max()) < tolerance, choices
