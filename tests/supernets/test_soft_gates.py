"""What the supernet computes between the networks: against a reference that multiplies feature maps by masks.

One-hot gates cannot see a mask that is applied twice, nor one that a batch norm divides away.
"""

import copy
import pickle
from itertools import product

import pytest
import torch
from torch.nn import functional as F

import nasir
from benchmarks.measure import saved_bytes
from nasir.ir.dims import round_to
from nasir.passes.base import run
from nasir.passes.pipeline import CHECKED
from nasir.passes.place_masks import PlaceMasks
from nasir.supernets import build
from tests.spaces import RESIDUAL


def test_soft_supernet_equals_the_paper_s_formulas(compiled):
    torch.manual_seed(0)
    space = compiled(RESIDUAL)
    supernet = nasir.supernet(space).double().train()
    (logits,) = supernet.architecture()
    logits.data.normal_()
    images = torch.randn(4, 2, 6, 6, dtype=torch.float64)
    got = supernet(images, noise=torch.zeros(supernet.gate_count())).logits
    torch.testing.assert_close(got, _Reference(supernet).logits(images), rtol=1e-10, atol=1e-10)


class _Reference:
    """Eq. 1 to 3 written out for RESIDUAL: every distribution by enumeration, every mask on its feature map."""

    def __init__(self, supernet):
        self.net = supernet
        self.p = supernet.probabilities()

    def logits(self, images):
        stem = F.relu(self.bn("stem.bn", self.conv("stem.conv", images)))
        width = self.p["stem.width"]  # {channels: probability}
        x = stem * self.mask(width, 16)
        for layer in ("trunk.0", "trunk.1"):
            x, width = self.layer(layer, x, width)
        pooled = x.mean((2, 3))
        return F.linear(pooled, self.net.return_.linear.weight, self.net.return_.linear.bias)

    def layer(self, name, x, width):
        expand, out, block = (self.p[f"{name}.{what}"] for what in ("expand", "width", "block"))
        mid = _pushed(lambda c, e: round_to(8, c * e), width, expand)
        squeeze = _pushed(lambda m: round_to(8, m * 0.25), mid)
        prefix = f"{name.replace('.', '_')}.block_"
        y = F.hardswish(self.bn(prefix + "expansion_bn", self.conv(prefix + "expansion_conv", x)))
        y = F.hardswish(self.bn(prefix + "depthwise_bn", self.conv(prefix + "depthwise_dwconv", y, groups=y.shape[1])))
        pooled = y.mean((2, 3), keepdim=True) * self.mask(mid, y.shape[1])
        s = F.hardswish(self.conv(prefix + "attention_reduce_conv", pooled))
        s = self.conv(prefix + "attention_scale_conv", s * self.mask(squeeze, s.shape[1]))
        y = y * F.hardsigmoid(s) * self.mask(mid, y.shape[1])  # once, though both factors have the layout
        y = self.bn(prefix + "project_bn", self.conv(prefix + "project_conv", y))
        equal = sum(p * q for (c, p), (d, q) in product(width.items(), out.items()) if c == d)
        y = y * self.mask(out, y.shape[1]) + equal * x
        mixed = block["block"] * y + block["skip"] * x
        sizes = sorted({*width, *out})
        return mixed, {c: block["block"] * out.get(c, 0.0) + block["skip"] * width.get(c, 0.0) for c in sizes}

    def conv(self, name, x, groups=1):
        module = self.net.get_submodule(name)
        return F.conv2d(x, module.weight, module.bias, 1, module.weight.shape[-1] // 2, 1, groups)

    def bn(self, name, x):
        module = self.net.get_submodule(name)
        return F.batch_norm(x, None, None, module.weight, module.bias, True)

    def mask(self, distribution, channels):
        entries = [sum(p for size, p in distribution.items() if size > j) for j in range(channels)]
        return torch.tensor(entries, dtype=torch.float64).view(1, -1, 1, 1)


def _pushed(function, *distributions):
    result = {}
    for combination in product(*(d.items() for d in distributions)):
        probability = 1.0
        for _, p in combination:
            probability *= p
        value = function(*(v for v, _ in combination))
        result[value] = result.get(value, 0.0) + probability
    return result


@pytest.mark.parametrize("small", [0.1, 0.01])
def test_a_mask_survives_every_batch_norm(compiled, small):
    """Where P(width = 16) is small, channels 8 to 15 of the layer's output shrink by just that factor."""
    space = compiled(
        """
        space one(classes = 3) {
          x = image(2, size=6)
          y = x -> conv(3, {8, 16}) -> bn -> hswish -> dwconv(3) -> bn -> hswish
          return y -> conv(1, 4) -> global_avg_pool -> linear(classes)
        }
        """
    )
    supernet = build(space.graph, fold=False).double().train()
    (logits,) = supernet.architecture()
    images = torch.randn(8, 2, 6, 6, dtype=torch.float64)
    seen = []
    supernet.return_.conv.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    for wide in (0.5, small):
        logits.data = torch.tensor([1 - wide, wide], dtype=torch.float64).log()
        supernet(images, noise=torch.zeros(2))
    half, little = seen
    torch.testing.assert_close(little[:, 8:], half[:, 8:] * (small / 0.5))
    torch.testing.assert_close(little[:, :8], half[:, :8])


@pytest.mark.parametrize("step", ["{relu, hswish}", "dwconv({3, 5})", "relu when {true, false}", "(bn -> relu)"])
def test_a_mask_moves_past_a_mixture_of_one_layout(compiled, step):
    """Sets at an op mix values of one layout: the mask is due after them, once, as after a single op."""
    space = compiled(
        f"""
        space one(classes = 3) {{
          x = image(2, size=6)
          y = x -> conv({{1, 3}}, {{8, 16}}) -> bn -> {step} -> dwconv(3) -> bn -> relu
          return y -> conv(1, 4) -> global_avg_pool -> linear(classes)
        }}
        """
    )
    masked = run(space.graph, (PlaceMasks(),), CHECKED)
    assert [node.op for node in masked.nodes if dict(node.operands).get("x", "").endswith(".mask")] == ["conv"]
    supernet = build(space.graph, fold=False).double().train()
    (logits,) = supernet.architecture()
    images = torch.randn(8, 2, 6, 6, dtype=torch.float64)
    seen = []
    supernet.return_.conv.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    names = [d.name for d in space.decisions for _ in d.options]
    wide = torch.tensor([name.endswith("width") for name in names])
    for share in (0.5, 0.003):
        logits.data = torch.zeros(len(names), dtype=torch.float64)
        logits.data[wide] = torch.tensor([1 - share, share], dtype=torch.float64).log()
        supernet(images, noise=torch.zeros(len(names)))
    half, little = seen
    torch.testing.assert_close(little[:, 8:], half[:, 8:] * (0.003 / 0.5))


def test_training_leaves_running_statistics_alone_and_reestimation_writes_them(compiled):
    torch.manual_seed(0)
    space = compiled(RESIDUAL)
    supernet = nasir.supernet(space).train()
    before = supernet.stem.bn.running_mean.clone()
    images = torch.randn(16, 2, 6, 6) + 3.0
    supernet(images)
    assert torch.equal(supernet.stem.bn.running_mean, before)
    supernet.reestimate_batch_norms(space.sample(0), [images[:8], images[8:]])
    expected = torch.stack([supernet.stem.conv(part).mean((0, 2, 3)) for part in (images[:8], images[8:])]).mean(0)
    torch.testing.assert_close(supernet.stem.bn.running_mean, expected)
    assert supernet.training


def test_the_generated_forward_names_the_program(compiled):
    supernet = nasir.supernet(compiled(RESIDUAL))
    assert "self.trunk_0(" in supernet.code
    assert "self.block_project_conv(" in supernet.trunk_0.code
    (node,) = (n for n in supernet.stem.graph.nodes if n.name == "bn")
    assert 'space.nas", line 11' in node.meta["stack_trace"]


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))], ids=["copy", "pickle"])
def test_a_copy_of_a_supernet_is_one(compiled, copied, training):
    supernet = nasir.supernet(compiled(RESIDUAL)).train(training)
    supernet.stem.train(not training)
    twin = copied(supernet)
    for one, other in zip(supernet.modules(), twin.modules(), strict=True):
        assert (type(one).__name__, one.training) == (type(other).__name__, other.training)
    twin.train(training)
    supernet.train(training)
    assert twin.code == supernet.code
    assert twin.trunk_0.code == supernet.trunk_0.code
    images, noise = torch.randn(2, 2, 6, 6), torch.randn(supernet.gate_count()).double() if training else None
    before = supernet(images, noise=noise)
    assert torch.equal(twin(images, noise=noise).logits, before.logits)
    choices = twin.argmax()
    assert twin.state_for(choices).keys() == supernet.state_for(choices).keys()
    with torch.no_grad():
        next(twin.architecture()).add_(torch.randn(twin.gate_count()))
        for weight in twin.weights():
            weight.add_(1.0)
    assert torch.equal(supernet(images, noise=noise).logits, before.logits)  # it shares nothing


@pytest.mark.parametrize("op", ["conv({1, 3, 5}, {4, 8}, stride=2, bias=true)", "dwconv({3, 5}, bias=true)"])
def test_a_set_of_kernels_mixes_as_one_convolution(compiled, op):
    """sum of g_k * pad(w_k), one convolution: the gated sum of the convolutions, and half the saved memory."""
    space = compiled(
        f"""
        space kernels(classes = 3) {{
          x = image(2, size=7)
          y = x -> {op}
          return y -> global_avg_pool -> linear(classes)
        }}
        """
    )
    torch.manual_seed(0)
    supernet = build(space.graph, fold=False).double()
    (logits,) = supernet.architecture()
    logits.data.normal_()
    images = torch.randn(3, 2, 7, 7, dtype=torch.float64)
    seen = []
    supernet.return_.linear.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    supernet(images, noise=torch.zeros(len(logits)))
    gates = supernet.probabilities()["y.kernel"]
    stride, groups = (2, 1) if "stride" in op else (1, 2)
    total = 0.0
    for kernel, gate in gates.items():
        module = supernet.get_submodule(f"y.kernel_{kernel}")
        total += gate * F.conv2d(images, module.weight, module.bias, stride, kernel // 2, 1, groups).mean((2, 3))
    if "y.width" in supernet.probabilities():
        total = total * torch.tensor([1.0] * 4 + [supernet.probabilities()["y.width"][8]] * 4)
    torch.testing.assert_close(seen[0], total)


def test_a_set_of_activations_keeps_the_pre_activation_alone(compiled):
    """The gated sum of the activations, and no more kept for backward than one of them keeps."""

    def built(step):
        torch.manual_seed(0)
        return nasir.supernet(
            compiled(
                f"""
                space activations(classes = 3) {{
                  x = image(2, size=7)
                  y = x -> conv(3, 4) -> bn -> {step}
                  return y -> conv(1, 4) -> global_avg_pool -> linear(classes)
                }}
                """
            )
        ).double()

    mixed, images = built("{relu, hswish, gelu}"), torch.randn(3, 2, 7, 7, dtype=torch.float64)
    logits = torch.tensor([0.5, -0.3, 0.1], dtype=torch.float64)
    next(mixed.architecture()).data = logits
    seen = {}
    mixed.y.bn.register_forward_hook(lambda module, inputs, output: seen.update(x=output))
    mixed.return_.conv.register_forward_hook(lambda module, inputs, output: seen.update(y=inputs[0]))
    mixed(images, noise=torch.zeros(3))
    functions = (F.relu, F.hardswish, F.gelu)
    expected = sum(g * f(seen["x"]) for g, f in zip(logits.softmax(0), functions, strict=True))
    torch.testing.assert_close(seen["y"], expected)
    gradient = torch.autograd.grad(seen["y"].square().sum(), seen["x"], retain_graph=True)[0]
    torch.testing.assert_close(gradient, torch.autograd.grad(expected.square().sum(), seen["x"])[0])
    maps = 3 * 4 * 7 * 7 * 8
    assert saved_bytes(mixed, images) < saved_bytes(built("gelu"), images) + 0.5 * maps
