"""Sizes of windows: what torch makes, for every kernel, stride, padding and dilation."""

import itertools
import math

import pytest
import torch
from torch.nn import functional as F

from nasir.diagnostics import CompileError
from nasir.execution import proved
from nasir.ir.values import Pair, pair_of

PROGRAM = """space s(classes = 2) {{
  x = image(2, size={size})
  y = x -> {op}
  return y -> global_avg_pool -> linear(classes)
}}"""
KERNELS, STRIDES, PADDINGS, DILATIONS = (1, 2, 3, "4x1"), (1, 2, "3x1"), ("centred", "same", 0, 1, "2x0"), (1, 2)
SIZE = "9x7"


def numbers(value) -> tuple[int, int]:
    return Pair(value).numbers if isinstance(value, str) else (value, value)


def made(compiled, op: str):
    """The sizes of a flow; None where the compiler refuses it."""
    try:
        space = compiled(PROGRAM.format(size=SIZE, op=op))
    except CompileError as error:
        if {d.code for d in error.diagnostics} <= {"E0412", "E0413", "E0416"}:
            return None
        raise
    node = next(node for node in space.graph.nodes if node.flow == "y" and node.shape.rank == 2)
    return space, tuple(node.shape.sizes)


@pytest.mark.parametrize("kernel", KERNELS)
def test_convolutions_are_of_the_size_that_torch_makes(compiled, kernel):
    """The emitted module runs and has that size (`proved`); a padding by a number is torch's own."""
    found = 0
    for stride, padding, dilation in itertools.product(STRIDES, PADDINGS, DILATIONS):
        result = made(compiled, f"conv({kernel}, 3, stride={stride}, padding={padding}, dilation={dilation})")
        if result is None:
            continue
        found += 1
        space, sizes = result
        proved(space)
        k, s, d = numbers(kernel), numbers(stride), (dilation, dilation)
        if padding == "same":
            assert sizes == tuple(math.ceil(n / step) for n, step in zip((9, 7), s, strict=True))
        elif padding != "centred":
            image, weight = torch.zeros(1, 2, 9, 7), torch.zeros(3, 2, *k)
            assert sizes == tuple(F.conv2d(image, weight, None, s, numbers(padding), d).shape[2:])
        elif all(n % 2 for n in k):
            assert sizes == tuple(math.ceil(n / step) for n, step in zip((9, 7), s, strict=True))
    assert found >= 10


@pytest.mark.parametrize("op", ["max_pool", "avg_pool"])
def test_pools_are_of_the_size_that_torch_makes(compiled, op):
    found = 0
    torch_pool = F.max_pool2d if op == "max_pool" else F.avg_pool2d
    for kernel, stride, padding, ceil in itertools.product(KERNELS, STRIDES, (0, 1), (False, True)):
        text = f"{op}({kernel}, stride={stride}, padding={padding}, ceil={str(ceil).lower()})"
        result = made(compiled, text)
        if result is None:
            continue
        found += 1
        space, sizes = result
        proved(space)
        pooled = torch_pool(torch.zeros(1, 2, 9, 7), numbers(kernel), numbers(stride), padding, ceil_mode=ceil)
        assert sizes == tuple(pooled.shape[2:]), text
    assert found >= 20


def test_same_padding_puts_what_is_uneven_behind(compiled, emitted):
    """As TensorFlow has it: 3 in all of a kernel of 4 are 1 before the map and 2 behind it."""
    network = emitted(compiled(PROGRAM.format(size="8", op="conv(4, 3, padding=same)")))
    images = torch.randn(1, 2, 8, 8)
    expected = F.conv2d(F.pad(images, (1, 2, 1, 2)), network.y.weight)
    logits = network.linear(expected.mean((2, 3)))
    torch.testing.assert_close(network(images), logits)


def test_a_uneven_pool_never_picks_its_padding(compiled, emitted):
    network = emitted(compiled(PROGRAM.format(size="7", op="max_pool(2, stride=2, padding=same)")))
    images = -torch.rand(1, 2, 7, 7) - 1
    pooled = F.max_pool2d(images, 2, 2, ceil_mode=True)
    torch.testing.assert_close(network(images), network.linear(pooled.mean((2, 3))))


@pytest.mark.parametrize("size", ["1", "15", "16"])
def test_kernels_that_are_centred_alike_mix_as_one_convolution(compiled, size):
    """Of one size, of a pair, dilated; also where `same` pads as `centred` would. Others are mixtures."""
    import nasir

    for op, alike in (
        ("conv({3, 5}, 4)", True),
        ("conv({3x1, 1x3, 3}, 4)", True),
        ("conv({3, 5}, 4, dilation=2)", True),
        ("dwconv({3, 5}, padding=same)", True),
        ("conv({2, 3}, 4, padding=same)", False),
    ):
        supernet = nasir.supernet(compiled(PROGRAM.format(size=size, op=op)))
        calls = {node.target.__name__ for node in supernet.y.graph.nodes if callable(node.target)}
        assert ("mixed_convolution" in calls) == alike, op


def test_pairs_of_equal_numbers_are_the_number():
    assert pair_of(3, 3) == 3
    assert pair_of(3, 1) == Pair("3x1") == "3x1"
    assert Pair("3x1").numbers == (3, 1)
