"""Resolution subsampling (section 3.2) between the networks: against a reference that loops over pixels."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import nasir
from benchmarks.measure import saved_bytes
from nasir.supernets import subsampled
from nasir.supernets.resolution import Grid, Subsampled
from tests.conftest import CASES
from tests.supernets.test_equivalence import as_seen_by

PROGRAM = """
from "lib/mobile.nas" import ir

space one(classes = 3, sizes = {9, 12, 16}) {
  x     = image(2, size=sizes)
  stem  = x -> conv(3, 6, stride=2) -> bn -> relu
  trunk = stem -> stages {
    | block                               | width | depth | stride |
    | ir(kernel=3, se=true, act=hswish)   | 8     | 1     | 2      |
    | ir(kernel=3, act=relu, expand=2)    | 8     | 1     | 1      |
  }
  return trunk -> conv(1, 10) -> bn -> hswish -> global_avg_pool -> linear(classes)
}
"""
SIZES = (9, 12, 16)


def gathered(x: Tensor, size: int, largest: int) -> Tensor:
    """Pixel i of the small map is pixel floor(i * R / r), by a loop."""
    places = [int(i * largest / size) for i in range(size)]
    return torch.stack([torch.stack([x[:, :, i, j] for j in places], -1) for i in places], -2)


def scattered(x: Tensor, size: int, largest: int) -> Tensor:
    places = [int(i * largest / size) for i in range(size)]
    whole = torch.zeros(*x.shape[:2], largest, largest, dtype=x.dtype)
    for i, a in enumerate(places):
        for j, b in enumerate(places):
            whole[:, :, a, b] = x[:, :, i, j]
    return whole


def reference(supernet: nasir.supernets.Supernet, images: Tensor, gates: Tensor) -> Tensor:
    """Each part at each resolution, summed under the gates at the pixels it came from; sizes halve, rounded up."""
    value, level = images, 1
    for name, stride in (("stem", 2), ("trunk_0", 2), ("trunk_1", 1)):
        region, total = supernet.get_submodule(name).region, 0.0
        for gate, size in zip(gates, SIZES, strict=True):
            small = region(gathered(value, _down(size, level), _down(16, level)))
            total = total + scattered(gate * small, _down(size, level * stride), _down(16, level * stride))
        value, level = total, level * stride
    head = supernet.get_submodule("return_").region
    return sum(
        gate * head(gathered(value, _down(size, level), _down(16, level)))
        for gate, size in zip(gates, SIZES, strict=True)
    )


def _down(size: int, stride: int) -> int:
    return -(-size // stride)


@pytest.fixture
def supernet(compiled):
    torch.manual_seed(0)
    built = nasir.supernet(compiled(PROGRAM)).double().train()
    (logits,) = built.architecture()
    logits.data.normal_()
    return built


def test_soft_gates_sum_every_resolution_at_its_pixels(supernet):
    images = torch.randn(3, 2, 16, 16, dtype=torch.float64)
    gates = torch.tensor(list(supernet.probabilities()["sizes"].values()), dtype=torch.float64)
    got = supernet(images, noise=torch.zeros(3)).logits
    torch.testing.assert_close(got, reference(supernet, images, gates), rtol=1e-11, atol=1e-11)


def test_recomputing_changes_no_gradient(monkeypatch):
    """Of a space with masks, mixtures and sets of activations within its parts."""
    torch.manual_seed(0)
    supernet = nasir.supernet(nasir.load(CASES / "spaces" / "resolution.nas")).double().train()
    next(supernet.architecture()).data.normal_()
    images = torch.randn(3, 2, 16, 16, dtype=torch.float64)
    parameters = [*supernet.weights(), *supernet.architecture()]

    def gradients() -> list[Tensor]:
        out = supernet(images, noise=torch.zeros(supernet.gate_count()))
        return list(torch.autograd.grad(out.logits.square().sum() + out.cost["macs"], parameters))

    recomputed = gradients()
    monkeypatch.setattr("nasir.supernets.layers._recomputed", lambda function, *a: function(*a))
    for a, b in zip(recomputed, gradients(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


def test_what_is_kept_for_backward_does_not_grow_with_the_options(compiled):
    images = torch.randn(8, 2, 32, 32)
    kept = []
    for sizes in ("{16, 32}", "16..32 by 2"):
        program = PROGRAM.replace("{9, 12, 16}", sizes)
        kept.append(saved_bytes(nasir.supernet(compiled(program)).train(), images))
    plain = saved_bytes(nasir.supernet(compiled(PROGRAM.replace("{9, 12, 16}", "32"))).train(), images)
    assert kept[0] == pytest.approx(kept[1], rel=0.01)
    assert kept[1] < 0.6 * plain


def test_effective_costs_use_the_mean_height_and_width(supernet):
    gates = supernet.probabilities()["sizes"]
    down = {level: sum(p * _down(size, level) for size, p in gates.items()) for level in (2, 4)}
    # The stem and the first expansion; from the first depthwise convolution to the head's convolution.
    per_pixel = {2: 9 * 2 * 6 + 6 * 8, 4: 9 * 8 + 8 * 8 + 8 * 16 + 9 * 16 + 16 * 8 + 8 * 10}
    vectors = 8 * 8 + 8 * 8 + 10 * 3  # the squeeze, and the classifier
    expected = vectors + sum(macs * down[level] ** 2 for level, macs in per_pixel.items())
    assert float(supernet.cost()["macs"].detach()) == pytest.approx(expected, rel=1e-12)


def test_a_sampled_resolution_runs_alone_and_its_gate_gets_a_gradient(compiled):
    torch.manual_seed(0)
    space = compiled(PROGRAM)
    supernet = nasir.supernet(space, resolution="sampled").double().train()
    images = torch.randn(3, 2, 16, 16, dtype=torch.float64)
    seen = []
    supernet.stem.region.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0].shape[2]))
    for option, size in enumerate(SIZES):
        noise = torch.zeros(3, dtype=torch.float64)
        noise[option] = 1.0
        out = supernet(images, noise=noise)
        assert torch.equal(out.logits, supernet(images, choices={"sizes": size}).logits)
        (logits,) = supernet.architecture()
        gradient = torch.autograd.grad(out.logits.square().sum(), logits)[0]
        # Straight through: the soft gate's own derivative, times what the loss has by the gate of the size that ran.
        soft = (logits.detach() + noise).softmax(0)
        unit = torch.zeros(3, dtype=torch.float64)
        unit[option] = 1.0
        by_gate = _gradient_by_gate(supernet, images, noise)[option]
        torch.testing.assert_close(gradient, by_gate * soft[option] * (unit - soft))
    assert seen == [9, 9, 9, 12, 12, 12, 16, 16, 16]


def _gradient_by_gate(supernet, images: Tensor, noise: Tensor) -> Tensor:
    scale = torch.ones(3, dtype=torch.float64, requires_grad=True)
    hook = supernet.get_submodule("gates").register_forward_hook(lambda module, inputs, output: output * scale)
    loss = supernet(images, noise=noise).logits.square().sum()
    hook.remove()
    return torch.autograd.grad(loss, scale)[0]


def test_sampling_the_resolution_leaves_other_gates_soft(compiled):
    supernet = nasir.supernet(
        compiled(PROGRAM.replace("| 8     | 1     | 2", "| {4, 8} | 1    | 2")), "sampled"
    ).train()
    gates = supernet.get_submodule("gates")(None, torch.zeros(5, dtype=torch.float64))
    assert sorted(gates.tolist()) == [0.0, 0.0, 0.5, 0.5, 1.0]


def test_one_hot_gates_run_one_resolution(supernet):
    seen = []
    supernet.stem.region.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0].shape[2]))
    images = torch.randn(2, 2, 16, 16, dtype=torch.float64)
    supernet(images, choices={"sizes": 12})
    supernet.eval()(images)
    assert seen == [12, supernet.argmax()["sizes"]]


@pytest.mark.parametrize("largest", [7, 8, 224, 288])
def test_scattering_and_gathering_again_is_the_identity(largest):
    for size in range(1, largest + 1, max(1, largest // 12)):
        positions = Grid([(size, size), (largest, largest)]).positions(0)
        assert positions.unique().tolist() == positions.tolist()  # ascending, none twice
        assert positions[:size].tolist() == [i * largest // size for i in range(size)]


def test_an_unnamed_flow_is_one_region(supernet):
    assert [name for name, module in supernet.named_children() if isinstance(module, Subsampled)] == [
        "stem",
        "trunk_0",
        "trunk_1",
        "return_",
    ]


def test_images_at_a_size_are_the_pixels_kept():
    images = torch.arange(25.0).view(1, 1, 5, 5)
    assert subsampled(images, 3).flatten().tolist() == [0.0, 1.0, 3.0, 5.0, 6.0, 8.0, 15.0, 16.0, 18.0]
    assert torch.equal(F.interpolate(images, size=3, mode="nearest"), subsampled(images, 3))


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("width", ["8", "{4, 8}"])
def test_a_shortcut_whose_ends_are_equal_at_some_sizes_alone(compiled, emitted, mode, width):
    """At size 1 a stride of 2 changes no size, and the shortcut is there; at size 4 it is not."""
    torch.manual_seed(0)
    space = compiled(
        f"""
        space some(classes = 3) {{
          x = image(2, size={{1, 4}})
          a = x -> conv(3, 8) -> bn
          b = a -> conv(3, {width}, stride=2) -> bn
          y = shortcut(a, b)
          return y -> global_avg_pool -> linear(classes)
        }}
        """
    )
    supernet = nasir.supernet(space).double()
    supernet.train(mode == "train")
    images = torch.randn(4, 2, 4, 4, dtype=torch.float64)
    for seed in range(8):
        choices = space.sample(seed)
        derived = space.at(choices)
        network = emitted(derived).double()
        network.load_state_dict(supernet.state_for(choices))
        network.train(mode == "train")
        seen = as_seen_by(derived, images)
        torch.testing.assert_close(network(seen), supernet(images, choices=choices).logits, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["body", "relu", "stages", "bn_2"])
def test_a_flow_s_name_does_not_change_the_regions(compiled, name):
    space = compiled(
        f"""
        space named(classes = 3) {{
          x = image(2, size={{3, 4}})
          {name} = x -> conv(3, 8) -> {{relu, hswish}} -> bn -> {{relu, gelu}}
          return {name} -> conv(3, 8) -> bn -> global_avg_pool -> linear(classes)
        }}
        """
    )
    assert sum(isinstance(module, Subsampled) for module in nasir.supernet(space).modules()) == 2


def test_images_of_another_size_are_refused(supernet):
    for size in ((20, 20), (16, 24), (12, 12)):
        with pytest.raises(ValueError, match="takes maps of 16 x 16"):
            supernet(torch.randn(2, 2, *size, dtype=torch.float64), choices={"sizes": 12})
    with pytest.raises(ValueError, match="no size between 1 and 4"):
        subsampled(torch.randn(1, 2, 4, 4), 8)


def test_maps_of_one_size_at_every_choice_go_together(compiled):
    """Strides of 2 and 2 are one of 4; a map that is 1x1 whatever the image is a 1x1 map."""
    space = compiled(
        """
        space together(classes = 3) {
          x = image(2, size={4, 7, 8})
          a = x -> conv(3, 4, stride=2) -> conv(3, 4, stride=2)
          b = x -> conv(3, 4, stride=4)
          c = concat(a, b) -> conv(3, 8)
          d = c * (c -> conv(3, 8, stride=8))
          return d -> conv(3, 6, stride=4) -> linear(classes)
        }
        """
    )
    assert nasir.supernet(space)(torch.randn(2, 2, 8, 8)).logits.shape == (2, 3)
