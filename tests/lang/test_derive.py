"""A derived program is the derived graph, written in the language."""

import nasir
from nasir.ir.naming import module_paths
from nasir.ir.ops import OPS
from tests.conftest import each_space, seeds


def weights(network: nasir.Space) -> dict[str, tuple[object, ...]]:
    """Each node with weights by its place in the emitted module."""
    paths = module_paths(network.graph)
    return {paths[n.name]: (n.op, n.attributes, n.type) for n in network.graph.nodes if OPS[n.op].weights}


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
        assert weights(loaded) == weights(network)
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
    import pytest

    space = nasir.load("digits")
    with pytest.raises(nasir.CompileError) as caught:
        space.at({"trunk.0.width": 9, "trunk.0.with": 8})
    assert {d.code for d in caught.value.diagnostics} == {"E0601", "E0602"}
    with pytest.raises(nasir.CompileError) as caught:
        space.at({"trunk.0.width": 8})
    assert [d.code for d in caught.value.diagnostics] == ["E0603"]
