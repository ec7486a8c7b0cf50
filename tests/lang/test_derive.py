"""A derived program is the derived graph, written in the language."""

import pytest

import nasir
from nasir.api import weights
from tests.conftest import each_space, seeds


@each_space
def test_the_derived_program_loads_to_the_derived_network(path, tmp_path):
    space = nasir.load(path)
    for seed in seeds(space):
        choices = space.sample(seed)
        network = space.at(choices)
        arch = tmp_path / "arch.nas"
        arch.write_text(network.source.text, encoding="utf-8")
        loaded = nasir.load(arch)
        assert not loaded.decisions
        assert weights(loaded.graph) == weights(network.graph)
        assert loaded.costs.at({}) == network.costs.at({}) == space.costs.at(choices)


@each_space
def test_a_derived_program_derives_to_itself(path, tmp_path):
    space = nasir.load(path)
    arch = tmp_path / "arch.nas"
    arch.write_text(space.at(space.sample(1)).source.text, encoding="utf-8")
    once = nasir.load(arch).at({}).source.text
    arch.write_text(once, encoding="utf-8")
    assert nasir.load(arch).at({}).source.text == once


def test_unchosen_and_wrong_choices_are_diagnostics():
    space = nasir.load("digits")
    with pytest.raises(nasir.CompileError) as caught:
        space.at({"trunk.0.width": 9, "trunk.0.with": 8})
    assert {d.code for d in caught.value.diagnostics} == {"E0601", "E0602"}
    with pytest.raises(nasir.CompileError) as caught:
        space.at({"trunk.0.width": 8})
    assert [d.code for d in caught.value.diagnostics] == ["E0603"]


def test_what_cannot_be_written_out_is_a_diagnostic(compiled):
    space = compiled(
        """
        block pair() { return x -> conv({1, 3}, 4) }
        block twice(f) { return x -> f -> f }
        space two(classes = 3) {
          x = image(3, size=8)
          return x -> twice(f=pair) -> global_avg_pool -> linear(classes)
        }
        """
    )
    different = next(c for c in map(space.sample, range(20)) if len(set(c.values())) > 1)
    with pytest.raises(nasir.CompileError) as caught:
        space.arch(different)
    assert [d.code for d in caught.value.diagnostics] == ["E0608"]


def test_names_of_flows_that_decide_are_written_out_at_each_use(compiled):
    space = compiled(
        """
        block pair() { return x -> conv({1, 3}, 4) }
        choice c { a: pair  b: (conv(3, 4) -> pair) }
        space uses(classes = 3) {
          x = image(4, size=8)
          g = pair() -> relu
          let h = (c -> relu -> {relu, hswish})
          return x -> g -> (g -> h) -> h -> global_avg_pool -> linear(classes)
        }
        """
    )
    for seed in range(12):
        space.arch(space.sample(seed))
