"""The supernet at one-hot gates is the emitted network with the sliced weights."""

from pathlib import Path

import pytest
import torch

import nasir
from nasir.diagnostics import CompileError
from nasir.ir.values import Ref
from nasir.supernets import subsampled
from tests.conftest import each_searched_space, each_space, load_small, seeds, tensors_of


def small(path: Path, sizes: object = (48, 56, 64)) -> nasir.Space:
    """A space, of smaller images where their size is a parameter: what it computes does not depend on it."""
    space = load_small(path)
    searched = space.decisions and space.decisions[0].name == "sizes"
    return nasir.load(path, sizes=sizes) if searched and max(space.decisions[0].options) > 64 else space


def image_batch(space: nasir.Space, dtype: torch.dtype, count: int = 4) -> torch.Tensor:
    """Random images; a large space's are small ones where their size is decided. A stride of 32 leaves a network's one
    pixel, and a space's four, whose statistics are worth comparing."""
    small = 48 if space.decisions else 32
    shape = space.graph.input.shape
    largest = [space.costs.distributions.largest(size) for size in shape.sizes]
    is_decided = not any(isinstance(size, Ref) for size in shape.sizes)
    sizes = [small if size > 64 else size for size in largest] if is_decided else largest
    return torch.randn(count, int(shape.channels[0]), *sizes, dtype=dtype)


def as_seen_by(network: nasir.Space, images: torch.Tensor) -> torch.Tensor:
    """The images that a derived network gets where the supernet gets `images`: the pixels that it keeps."""
    sizes = network.graph.input.shape.sizes
    return subsampled(images, int(sizes[0])) if sizes and int(sizes[0]) < images.shape[2] else images


def randomise(module: torch.nn.Module) -> None:
    """Weights, affine parameters and running statistics away from their defaults, so that a mix-up shows."""
    for name, tensor in module.state_dict().items():
        if "running_var" in name or name.endswith("bn.weight"):
            tensor.uniform_(0.5, 1.5)
        elif "running_mean" in name or "bias" in name:
            tensor.uniform_(-0.5, 0.5)


def without_dropout(network: torch.nn.Module) -> None:
    """A supernet has none: modules that drop do as in evaluation."""
    for module in network.modules():
        if type(module).__name__ in {"Dropout", "DropPath"}:
            module.eval()


PRECISIONS = {torch.float32: 1e-4, torch.float64: 1e-12}  # thirty batch norms of 16 numbers each amplify rounding


@each_space
def test_one_hot_supernet_equals_emitted_module(path, emitted):
    """In float32 and float64, in evaluation and in training, which changes the running statistics."""
    space = small(path)
    chosen = [space.sample(seed) for seed in seeds(space)]
    networks = [(choices, derived := space.at(choices), emitted(derived)) for choices in chosen]
    torch.manual_seed(0)
    supernet = nasir.supernet(space)
    for dtype, tolerance in PRECISIONS.items():
        supernet.to(dtype)
        randomise(supernet)
        images = image_batch(space, dtype)
        for choices, derived, network in networks if dtype == torch.float64 else networks[:2]:
            network.to(dtype).load_state_dict(supernet.state_for(choices), strict=True)
            for training in (False, True):
                without_dropout(network.train(training))
                with torch.no_grad():
                    expected = network(as_seen_by(derived, images))
                    got = supernet.train(training)(images, choices=choices).logits
                for theirs, ours in zip(tensors_of(expected), tensors_of(got), strict=True):
                    assert float((theirs - ours).abs().max()) < tolerance, choices


@each_searched_space
def test_a_step_has_a_gradient_for_every_decision(path):
    """Of the loss alone: no decision is left out of what is trained."""
    space = small(path, sizes=(32, 48))
    if not space.decisions:
        return
    torch.manual_seed(0)
    supernet = nasir.supernet(space).double().train()
    logits = supernet(image_batch(space, torch.float64)).logits
    (logits * torch.randn_like(logits)).sum().backward()
    gradient = supernet.gates.logits.grad
    parts = gradient.split([len(decision.options) for decision in space.decisions])
    silent = [d.name for d, part in zip(space.decisions, parts, strict=True) if not part.abs().max() > 0]
    assert not silent


@pytest.mark.parametrize(
    ("given", "code"),
    [({}, "E0603"), ({"depht": 1}, "E0601"), ({"kernel": 4}, "E0602")],
    ids=["none", "another name", "another option"],
)
def test_choices_of_no_network_are_refused(compiled, given, code):
    """A mistake in a user's own loop is a diagnostic, not a KeyError."""
    text = """space one(classes = 2) {
  x = image(1, size=8)
  let kernel = {3, 5}
  y = x -> conv(kernel, 4) -> bn
  return y -> global_avg_pool -> linear(classes)
}
"""
    supernet = nasir.supernet(compiled(text))
    for use in (supernet.state_for, lambda choices: supernet(torch.randn(2, 1, 8, 8), choices=choices)):
        with pytest.raises(CompileError) as raised:
            use(given)
        assert [d.code for d in raised.value.diagnostics] == [code]


@pytest.mark.parametrize(
    "name", ["_", "__", "self", "self_", "__a", "__class__", "images", "torch", "gates", "forward"]
)
def test_any_name_of_the_language_is_a_name_of_the_modules(compiled, emitted, name):
    space = compiled(
        f"""
        block part(width) {{
          {name} = x -> conv(1, width) -> bn -> relu
          return {name} -> conv(3, width) -> bn
        }}
        space named(classes = 2) {{
          x = image(1, size=8)
          {name} = x -> conv(3, {{4, 8}}) -> bn -> relu -> part(4)
          return {name} -> global_avg_pool -> linear(classes)
        }}
        """
    )
    supernet = nasir.supernet(space).double().eval()
    images = torch.randn(2, 1, 8, 8, dtype=torch.float64)
    network = emitted(space.at(space.smallest())).double().eval()
    network.load_state_dict(supernet.state_for(space.smallest()), strict=True)
    torch.testing.assert_close(network(images), supernet(images, choices=space.smallest()).logits)
