"""Emitted networks as backbones: features, the maps that `feature_info` names, and heads of other tasks on them."""

import inspect

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import nasir
from tests.conftest import each_space, load_small, seeds

WITHOUT = {"autoencoder", "features", "fpn", "resolution", "shapes", "tabular_mlp", "unet", "unets"}
"""Programs whose networks pool no map into a head: of vectors, of maps, of two maps that are pooled apart."""


def maps(network, images):
    """The maps that `feature_info` names, and the features."""
    found, taken = {}, []
    for info in network.feature_info:
        keep = lambda module, given, output, name=info["module"]: found.update({name: output})  # noqa: E731
        taken.append(network.get_submodule(info["module"]).register_forward_hook(keep))
    features = network.forward_features(images)
    for hook in taken:
        hook.remove()
    return [found[info["module"]] for info in network.feature_info], features


def per_axis(reduction, rank):
    return reduction if isinstance(reduction, tuple) else (reduction,) * rank


@each_space
def test_every_map_that_is_named_has_its_channels_and_stride(path, emitted):
    """Where the input grows by a multiple of the stride, the map grows by that multiple, whatever the padding."""
    space = load_small(path)
    for seed in seeds(space)[:2]:
        network = emitted(space.at(space.sample(seed))).eval()
        assert hasattr(network, "forward_features") == (path.stem not in WITHOUT)
        if not hasattr(network, "feature_info"):
            continue
        channels, *sizes = space.graph.input.shape.values()
        rank = len(sizes)
        largest = max(max(per_axis(info["reduction"], rank)) for info in network.feature_info)
        size = max(16, 2 * largest)
        with torch.no_grad():
            small, _ = maps(network, torch.zeros(1, channels, *[size] * rank))
            large, features = maps(network, torch.zeros(1, channels, *[size + largest] * rank))
        assert features.shape[1] == network.num_features
        for info, one, other in zip(network.feature_info, small, large, strict=True):
            assert one.shape[1] == info["num_chs"]
            grown = [b - a for a, b in zip(one.shape[2:], other.shape[2:], strict=True)]
            assert grown == [largest // stride for stride in per_axis(info["reduction"], rank)], info
        strides = [per_axis(info["reduction"], rank) for info in network.feature_info]
        assert strides == sorted(set(strides))


@each_space
def test_a_classifier_takes_the_number_of_its_classes(path, emitted):
    space = load_small(path)
    network = emitted(space.at(space.sample(1)))
    if not hasattr(network, "forward_features"):
        return
    assert "classes" in inspect.signature(type(network)).parameters
    other = type(network)(classes=7).eval()
    before, after = network.state_dict(), other.state_dict()
    assert before.keys() == after.keys()
    assert 1 <= sum(before[name].shape != after[name].shape for name in before) <= 2  # a weight, and a bias


BODY = """
space s(classes = 3) {{
  x    = image(3, size={size})
  stem = x -> conv(3, 8, stride=2) -> bn -> relu
  {rest}
}}
block cell(width, stride = 1) {{ return x -> conv(3, width, stride=stride) -> bn -> relu }}
block pooled(width) {{ return x -> conv(1, width) -> relu -> global_avg_pool -> conv(1, 24) -> relu }}
"""


def network_of(compiled, emitted, rest, size=32):
    return emitted(compiled(BODY.format(rest=rest, size=size))).eval()


def test_a_block_that_pools_is_of_the_head(compiled, emitted):
    rest = "last = stem -> cell(12, stride=2) -> pooled(16)\n return last -> global_avg_pool -> linear(classes)"
    network = network_of(compiled, emitted, rest)
    assert network.num_features == 12
    assert network.forward_features(torch.zeros(1, 3, 32, 32)).shape == (1, 12, 8, 8)
    assert [info["module"] for info in network.feature_info] == ["stem_bn", "last_block"]


def test_a_classifier_before_the_pooling_is_of_the_head(compiled, emitted):
    rest = "last = stem -> cell(12) -> dropout -> conv(1, classes) -> relu\n return last -> global_avg_pool -> flatten"
    network = network_of(compiled, emitted, rest)
    assert network.num_features == 12
    assert type(network)(classes=7)(torch.zeros(2, 3, 32, 32)).shape == (2, 7)


def test_a_width_without_a_name_is_that_of_the_classes(compiled, emitted):
    network = network_of(compiled, emitted, "return stem -> global_avg_pool -> linear(10)")
    assert type(network)(classes=7)(torch.zeros(2, 3, 32, 32)).shape == (2, 7)


def test_a_map_of_one_pixel_is_a_map_still(compiled, emitted):
    rest = "return stem -> cell(12, stride=2) -> global_avg_pool -> linear(classes)"
    network = network_of(compiled, emitted, rest, size=4)
    assert network.forward_features(torch.zeros(1, 3, 4, 4)).shape == (1, 12, 1, 1)
    assert network.feature_info[-1]["reduction"] == 4


def test_one_pooling_serves_two_heads(compiled, emitted):
    rest = "v = stem -> global_avg_pool\n return { kind: v -> linear(classes), angle: v -> linear(1) }"
    network = network_of(compiled, emitted, rest)
    assert network.forward_features(torch.zeros(1, 3, 32, 32)).shape == (1, 8, 16, 16)
    assert {name: one.shape[1] for name, one in network(torch.zeros(1, 3, 32, 32)).items()} == {"kind": 3, "angle": 1}


@pytest.mark.parametrize(
    "rest",
    [
        "return stem -> conv(1, classes)",
        "return concat(stem -> global_avg_pool, x -> global_avg_pool) -> linear(classes)",
        "return stem * (stem -> global_avg_pool -> conv(1, 8)) -> conv(1, classes)",
        "return x -> pooled(8) -> linear(classes)",
        "return x -> relu -> global_avg_pool -> linear(classes)",
        "return stem -> stages {\n | block | width |\n | pooled | 8 |\n } -> linear(classes)",
    ],
    ids=["map", "two", "gate", "block", "no layer", "table"],
)
def test_without_a_map_that_is_pooled_into_a_head_there_are_no_features(compiled, emitted, rest):
    network = network_of(compiled, emitted, rest)
    assert not hasattr(network, "forward_features")
    assert not hasattr(network, "feature_info")


def test_flows_may_be_called_as_the_features_are(compiled, emitted):
    rest = "num_features = stem -> cell(8)\n forward_features = num_features -> cell(8)\n"
    rest += "features = forward_features -> global_avg_pool\n return features -> linear(classes)"
    network = network_of(compiled, emitted, rest)
    assert network(torch.zeros(1, 3, 32, 32)).shape == (1, 3)


def test_it_compiles_and_exports_as_a_whole(emitted):
    space = nasir.load("digits")
    network, images = emitted(space.at(space.sample(4))).eval(), torch.randn(2, 1, 8, 8)
    exported = torch.export.export(network, (images,)).module()
    for other in (torch.compile(network, fullgraph=True, backend="eager"), exported):
        assert torch.equal(other(images), network(images))


class Detector(nn.Module):
    """Boxes of one kind from an emitted network's maps: a pyramid, and at each pixel of each level whether the middle
    of a box is there, and its sides, [N, 3, h, w]."""

    def __init__(self, backbone, levels, width=16):
        super().__init__()
        self.backbone, self.infos = backbone, backbone.feature_info[-levels:]
        self.lateral = nn.ModuleList(nn.Conv2d(info["num_chs"], width, 1) for info in self.infos)
        self.head = nn.Conv2d(width, 3, 3, padding=1)
        self.found = {}
        for info in self.infos:
            name = info["module"]
            keep = lambda module, given, output, name=name: self.found.update({name: output})  # noqa: E731
            backbone.get_submodule(name).register_forward_hook(keep)

    def forward(self, images):
        self.backbone.forward_features(images)
        levels, above = [], None
        for info, lateral in reversed(list(zip(self.infos, self.lateral, strict=True))):
            level = lateral(self.found[info["module"]])
            above = level if above is None else level + F.interpolate(above, size=level.shape[2:])
            levels.append(self.head(above))
        return levels


def boxes_of(count, size):
    """Images with a bright box each, and the boxes: middle and sides, in pixels."""
    generator = torch.Generator().manual_seed(0)
    middles = torch.randint(8, size - 8, (count, 2), generator=generator)
    sides = torch.randint(2, 8, (count, 2), generator=generator)
    images = 0.1 * torch.randn(count, 3, size, size, generator=generator)
    for image, (y, x), (h, w) in zip(images, middles.tolist(), sides.tolist(), strict=True):
        image[:, y - h : y + h, x - w : x + w] += 1
    return images, middles, sides


def detection_loss(levels, infos, middles, sides):
    loss = torch.zeros(())
    for level, info in zip(levels, reversed(infos), strict=True):
        places = middles // info["reduction"]
        at = (torch.arange(len(level)), slice(None), places[:, 0], places[:, 1])
        target = torch.zeros_like(level[:, 0])
        target[at[0], at[2], at[3]] = 1
        loss = loss + F.binary_cross_entropy_with_logits(level[:, 0], target, pos_weight=torch.tensor(20.0))
        loss = loss + F.smooth_l1_loss(level[at][:, 1:], sides / 8)
    return loss


@pytest.mark.parametrize("name", ["zoo/fbnetv2_f0", "zoo/resnet18"])
def test_a_detector_learns_on_an_emitted_network(emitted, name):
    torch.manual_seed(0)
    detector = Detector(emitted(nasir.load(name)), levels=3)
    images, middles, sides = boxes_of(8, 64)
    optimizer = torch.optim.AdamW(detector.parameters(), lr=3e-3)
    losses = []
    for _ in range(12):
        loss = detection_loss(detector(images), detector.infos, middles, sides)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-3:]) < 0.7 * sum(losses[:3])
