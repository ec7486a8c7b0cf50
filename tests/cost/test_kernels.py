"""Kernels: of a space under conditions, of its networks, as text, as modules."""

from collections import Counter

import pytest
import torch

import nasir
from nasir.cost.kernels import kernels, usual_fusions
from nasir.cost.masses import kernel_masses
from nasir.cost.model import CostModel
from nasir.cost.written import NoKernel, parts_of, read_kernel
from nasir.ir.activity import holds
from nasir.ir.sizes import evaluate
from nasir.profiling.module import KernelModule
from tests.conftest import each_searched_space, each_space, load_small
from tests.spaces import RESIDUAL

FUSIONS = usual_fusions("add")


def of(space: nasir.Space) -> list[str]:
    """The kernels of a network, as text, in order."""
    return [kernel.text({}) for kernel in kernels(space.graph, space.costs.distributions, FUSIONS)]


@each_searched_space
def test_a_network_has_the_kernels_whose_conditions_hold(path):
    space = load_small(path)
    found = kernels(space.graph, space.costs.distributions, FUSIONS)
    for seed in range(3):
        choices = space.sample(seed)
        known = evaluate(space.graph, choices)
        assert Counter(k.text(known) for k in found if holds(k.condition, known)) == Counter(of(space.at(choices)))


def test_the_kernels_of_a_network(compiled):
    space = compiled(RESIDUAL)
    network = space.at(space.choices({"trunk.0.block": "block", "trunk.1.block": "skip"}, space.largest()))
    assert of(network) == [
        "2x6x6 -> conv(kernel=3, width=16) -> bn -> relu",
        "16x6x6 -> conv(kernel=1, width=24) -> bn -> hswish",
        "24x6x6 -> dwconv(kernel=3) -> bn -> hswish",
        "24x6x6 -> global_avg_pool",
        "24x1x1 -> conv(kernel=1, width=8, bias=true) -> hswish",
        "8x1x1 -> conv(kernel=1, width=24, bias=true) -> hsigmoid",
        "24x6x6, 24x1x1 -> mul",
        "24x6x6 -> conv(kernel=1, width=16) -> bn -> add(16x6x6)",
        "16x6x6 -> global_avg_pool",
        "16x1x1 -> linear(width=3)",
    ]


def test_ops_that_others_read_too_do_not_fuse(compiled):
    space = compiled(
        "space two(w = 4) { x = image(2, size=4)\n y = x -> conv(1, w)\n z = y -> relu\n return y * z -> conv(1, 2) }"
    )
    assert of(space) == [
        "2x4x4 -> conv(kernel=1, width=4)",
        "4x4x4 -> relu",
        "4x4x4, 4x4x4 -> mul",
        "4x4x4 -> conv(kernel=1, width=2)",
    ]


@each_space
def test_each_kernel_is_a_module_that_its_text_says(path):
    space = load_small(path)
    network = space.at(space.sample(1)) if space.decisions else space
    found = kernels(network.graph, network.costs.distributions, FUSIONS)
    for kernel in found:
        written = read_kernel(kernel.text({}))
        assert written.ops == kernel.ops
        assert [read_kernel(part).ops for part in parts_of(kernel.text({}))] == [(op,) for op in kernel.ops]
        if written.numbers() < 20_000 and not written.out.parts:
            module = KernelModule(written).eval()
            with torch.no_grad():
                made = module(module.example).shape[1:]
            assert list(made) == [sum(written.out.channels), *written.out.sizes]
    macs = sum(read_kernel(kernel.text({})).macs() for kernel in found)
    assert macs == network.costs.at({})["macs"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no op"),
        ("3x8x8", "no op"),
        ("3x8x8 -> nothing", "no op"),
        ("3x8 x8 -> relu", "no shape"),
        ("3x8x8 -> linear(width=2", "no op"),
        ("3x8x8, 4x8x8 -> add", "shape"),
    ],
)
def test_what_is_no_kernel_is_told(text, why):
    with pytest.raises(NoKernel, match=why):
        read_kernel(text)


def test_masses_say_how_often_networks_have_a_kernel(compiled):
    space = compiled(RESIDUAL)
    masses = kernel_masses(CostModel(space.graph), FUSIONS)
    counted: Counter[str] = Counter()
    networks = [dict(zip([d.name for d in space.decisions], options, strict=True)) for options in _all(space)]
    for choices in networks:
        counted.update(of(space.at(choices)))
    assert masses.keys() == counted.keys()
    for text, mass in masses.items():
        assert mass == pytest.approx(counted[text] / len(networks), rel=1e-12)


def _all(space):
    from itertools import product

    return product(*(d.options for d in space.decisions))
