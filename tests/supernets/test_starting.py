"""A supernet that starts from a trained network: the same function at its size, the best channels in narrower ones."""

import pytest
import torch

import nasir
from nasir.supernets.ordering import axes_of
from nasir.supernets.starting import Given, fitting_choices, start_anywhere, start_from
from tests.conftest import each_searched_space, load_small, tensors_of
from tests.spaces import RESIDUAL


def trained_like(module):
    """The module with weights and statistics as a training leaves them: no two channels alike."""
    torch.manual_seed(3)
    for one in module.modules():
        if getattr(one, "running_mean", None) is not None:
            one.running_mean.normal_(0, 0.1)
            one.running_var.uniform_(0.5, 2)
            torch.nn.init.normal_(one.weight, 1, 0.2)
            torch.nn.init.normal_(one.bias, 0, 0.2)
    return module.eval()


@each_searched_space
def test_the_network_whose_weights_they_are_is_the_same_function(path, emitted):
    space = load_small(path)
    if len(space.graph.nodes) > 700:
        pytest.skip("one of the larger spaces' kind is enough")
    choices = space.largest("params")
    network = trained_like(emitted(space.at(choices)))
    supernet = nasir.supernet(space)
    started = start_from(supernet, network.state_dict(), choices)
    assert not started.unused
    assert not started.missing
    again = emitted(space.at(choices))
    again.load_state_dict(supernet.state_for(choices))
    images = torch.randn(2, *space.at(choices).graph.input.shape.values())
    with torch.no_grad():
        for one, other in zip(tensors_of(network(images)), tensors_of(again.eval()(images)), strict=True):
            assert float((one - other).abs().max()) <= 1e-5 * max(1.0, float(one.abs().max()))


def test_narrower_networks_keep_the_channels_with_the_largest_weights(compiled, emitted):
    space = compiled(
        "space two(w = {4, 8}) { x = image(2, size=4)\n y = x -> conv(3, w) -> bn -> relu\n"
        " return y -> conv(1, {3, 6}) -> bn -> relu -> global_avg_pool -> linear(2) }"
    )
    choices = space.largest()
    network = trained_like(emitted(space.at(choices)))
    names = [name for name, value in network.state_dict().items() if value.dim() == 4]
    strongest = [6, 1, 4, 3]
    with torch.no_grad():
        for place, channel in enumerate(strongest):
            network.state_dict()[names[0]][channel] = 1000.0 / 2**place
    supernet = nasir.supernet(space)
    start_from(supernet, network.state_dict(), choices)
    narrow = space.choices({"w": 4}, choices)
    kept = supernet.state_for(narrow)
    wide = network.state_dict()[names[0]]
    assert torch.equal(kept[names[0]], wide[strongest])
    assert kept[names[1]].shape[1] == 4


def test_what_has_no_place_and_what_is_missing_are_told(compiled, emitted):
    space = compiled(RESIDUAL)
    choices = space.largest("params")
    state = emitted(space.at(choices)).state_dict()
    name = next(name for name in state if name.endswith("linear.weight"))
    state[name] = torch.zeros(7, 5)
    state["another.weight"] = torch.zeros(3)
    started = start_from(nasir.supernet(space), state, choices)
    assert started.unused == tuple(sorted(("another.weight", name)))
    assert started.missing == (name,)
    assert set(started.used) == set(state) - {"another.weight", name}


def test_another_kernel_has_the_trained_one_in_its_middle(compiled, emitted):
    space = compiled(
        "choice layer { k3: conv(3, 4) -> bn\n k5: conv(5, 4) -> bn }\n"
        "space kernels(c = 2) { x = image(4, size=6)\n return x -> layer -> global_avg_pool -> linear(c) }"
    )
    (decision,) = space.decisions
    network = trained_like(emitted(space.at({decision.name: "k3"})))
    supernet = nasir.supernet(space)
    start_from(supernet, network.state_dict(), {decision.name: "k3"})
    larger = emitted(space.at({decision.name: "k5"}))
    larger.load_state_dict(supernet.state_for({decision.name: "k5"}))
    images = torch.randn(2, 4, 6, 6)
    with torch.no_grad():
        assert torch.allclose(network(images), larger.eval()(images), atol=1e-6)


def test_every_weight_of_a_width_is_turned():
    space = nasir.load("digits")
    supernet = nasir.supernet(space)
    weights = {
        name: dict(supernet.get_submodule(path).named_parameters()) for name, path in supernet.modules_by_node.items()
    }
    found = axes_of(space.graph, weights)
    assert found
    for axes in found.values():
        assert len({axis.length for axis in axes}) == 1


def test_the_network_that_weights_fit_is_found(compiled, emitted):
    space = compiled(RESIDUAL)
    for seed in range(4):
        choices = space.sample(seed)
        state = emitted(space.at(choices)).state_dict()
        found = fitting_choices(nasir.supernet(space), state)
        again = emitted(space.at(found)).state_dict()
        assert {name: value.shape for name, value in again.items()} == {n: v.shape for n, v in state.items()}


def test_what_a_file_says_of_its_network_is_taken(compiled, emitted):
    space = compiled(
        "choice layer { relu: (conv(3, 4) -> relu)\n tanh: (conv(3, 4) -> tanh) }\n"
        "space same(c = 2) { x = image(4, size=6)\n return x -> layer -> global_avg_pool -> linear(c) }"
    )
    (decision,) = space.decisions
    state = trained_like(emitted(space.at({decision.name: "tanh"}))).state_dict()
    supernet = nasir.supernet(space)
    start_anywhere(supernet, Given(state, {decision.name: "tanh"}))
    kept = supernet.state_for({decision.name: "tanh"})
    assert all(torch.equal(kept[name], state[name]) for name in state)
    stale = start_anywhere(nasir.supernet(space), Given(state, {"another": 3}))  # found by its shapes
    assert not stale.unused


def test_groups_are_of_neighbours_and_stay(compiled, emitted):
    space = compiled(
        "space grouped(c = 2) { x = image(2, size=6)\n y = x -> conv(3, {8, 16}) -> bn -> relu\n"
        " z = y -> conv(3, 16, groups=4) -> bn -> relu -> shuffle(2)\n"
        " return z -> conv(1, {4, 8}) -> global_avg_pool -> linear(c) }"
    )
    choices = space.largest("params")
    network = trained_like(emitted(space.at(choices)))
    supernet = nasir.supernet(space)
    start_from(supernet, network.state_dict(), choices)
    again = emitted(space.at(choices))
    again.load_state_dict(supernet.state_for(choices))
    images = torch.randn(2, 2, 6, 6)
    with torch.no_grad():
        assert torch.allclose(network(images), again.eval()(images), atol=1e-6)
