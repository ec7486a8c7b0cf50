"""Several outputs of one network."""

import pytest
import torch

import nasir
from nasir.diagnostics import CompileError

PROGRAM = """space two(classes = 3) {
  x    = image(2, size=8x6)
  let w = 4..8 by 2
  fine   = x -> conv(3, w) -> bn -> relu
  coarse = fine -> conv(3, {4, 6}, stride=2) -> bn
  return { fine: fine, coarse: coarse -> relu, classes: coarse -> global_avg_pool -> linear(classes) }
}"""


def test_each_output_is_that_of_the_network_and_zero_beyond_it(compiled, emitted):
    """A mask is due at each of them; a mask that one output has is not another's."""
    space = compiled(PROGRAM)
    torch.manual_seed(0)
    supernet = nasir.supernet(space).double().eval()
    images = torch.randn(2, 2, 8, 6, dtype=torch.float64)
    for seed in range(6):
        choices = space.sample(seed)
        network = emitted(space.at(choices)).double().eval()
        network.load_state_dict(supernet.state_for(choices))
        expected, got = network(images), supernet(images, choices=choices).logits
        assert list(expected) == list(got) == ["fine", "coarse", "classes"]
        for name, output in expected.items():
            kept = output.shape[1]
            torch.testing.assert_close(got[name][:, :kept], output)
            assert not got[name][:, kept:].any()


def test_every_output_reaches_every_decision_before_it(compiled):
    supernet = nasir.supernet(compiled(PROGRAM)).train()
    for name, reached in (("fine", {"w"}), ("coarse", {"w", "coarse.width"}), ("classes", {"w", "coarse.width"})):
        supernet.zero_grad()
        supernet(torch.randn(2, 2, 8, 6)).logits[name].square().sum().backward()
        gradient = supernet.gates.logits.grad
        parts = dict(zip(("w", "coarse.width"), gradient.split([3, 2]), strict=True))
        assert {decision for decision, part in parts.items() if part.abs().max() > 0} == reached


def test_the_derived_program_returns_the_same(compiled):
    space = compiled(PROGRAM)
    text = space.arch(space.sample(1))
    assert "    coarse: coarse -> relu,\n    classes: coarse -> global_avg_pool" in text
    derived = compiled(text)
    assert derived.graph.by_name[derived.graph.output].shape == space.at(space.sample(1)).graph.by_name["outputs"].shape


def test_a_search_needs_one_output(compiled):
    from nasir.searching.fitting import output_of

    with pytest.raises(CompileError, match="E0851"):
        output_of(compiled(PROGRAM).graph)


@pytest.mark.parametrize(
    ("program", "code"),
    [
        (PROGRAM.replace("{ fine: fine", "{ coarse: fine"), "E0202"),
        (PROGRAM.replace("fine: fine", "fine: 3"), "E0301"),
        ("block b() { return { a: x } }\n" + PROGRAM.replace("-> relu,", "-> b,"), "E0341"),
    ],
    ids=["twice", "a number", "of a block"],
)
def test_outputs_that_mean_nothing_are_refused(compiled, program, code):
    with pytest.raises(CompileError, match=code):
        compiled(program)


def test_each_output_is_that_of_its_resolution(compiled, emitted):
    """A map stands at the pixels that its size keeps; a vector is the network's."""
    from nasir.supernets.resolution import Grid

    space = compiled(PROGRAM.replace("size=8x6", "size={8, 12}"))
    torch.manual_seed(0)
    supernet = nasir.supernet(space).double().eval()
    images = torch.randn(2, 2, 12, 12, dtype=torch.float64)
    for size in (8, 12):
        choices = {**space.sample(0), "image.size": size}
        network = emitted(space.at(choices)).double().eval()
        network.load_state_dict(supernet.state_for(choices))
        small = Grid([(size, size), (12, 12)]).gather(images, 0)
        expected, got = network(small), supernet(images, choices=choices).logits
        for name, output in expected.items():
            found = got[name][:, : output.shape[1]]
            if output.dim() > 2:
                found = Grid([tuple(output.shape[2:]), tuple(found.shape[2:])]).gather(found, 0)
            torch.testing.assert_close(found, output)
