"""A derived program is the derived graph, written in the language."""

import pytest

import nasir
from nasir.api import weights
from tests.conftest import each_space, load_small, seeds


@each_space
def test_the_derived_program_loads_to_the_derived_network(path, tmp_path):
    space = load_small(path)
    for seed in seeds(space):
        choices = space.sample(seed)
        network = space.at(choices)
        arch = tmp_path / "arch.nas"
        arch.write_text(network.source.text, encoding="utf-8")
        loaded = nasir.load(arch)
        assert not loaded.decisions
        assert weights(loaded.graph) == weights(network.graph)
        assert loaded.costs.at({}) == network.costs.at({})
        if path.stem != "nasbench201":  # a space's cost has what only `zero` reads; its networks do not
            assert network.costs.at({}) == space.costs.at(choices)


@each_space
def test_a_derived_program_derives_to_itself(path, tmp_path):
    space = load_small(path)
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


def test_what_is_not_written_as_the_network_is_a_diagnostic(compiled, monkeypatch):
    """A derived text is compiled and compared before it is a result: here with that of another network."""
    space = compiled("space s(classes = 3) { x = image(3, size=8)\n return x -> conv({1, 3}, 4) -> global_avg_pool }")
    (kernel,) = (decision.name for decision in space.decisions)
    other = space.derived({kernel: 1})
    monkeypatch.setattr("nasir.api.print_file", lambda tree: other)
    with pytest.raises(nasir.CompileError) as caught:
        space.arch({kernel: 3})
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


EDGE = "choice edge { a: conv(1, 8)  b: conv(3, 8) -> bn }\nblock pair() { return x -> conv({1, 3}, 8) }\n"
WRITTEN = {
    "names of flows in flows": ("", "k = (edge -> relu)\nkk = (k -> k)\nreturn x -> kk"),
    "lets of lets": ("let op = edge\nlet k = (op -> op)\nlet kk = (k -> k)\n", "return x -> kk -> op"),
    "a let within a block": (
        "let op = edge\nblock b(w) { return x -> conv(3, w) -> op }\n",
        "return x -> b(8) -> b(8)",
    ),
    "a let of a block within a block": ("let e = pair\nblock b() { return x -> e -> e }\n", "return x -> b -> b"),
    "names within a block": ("block b() { z = edge\n return x -> z -> z }\n", "z = b\nreturn x -> z -> z"),
    "an argument": ("block b(f, w) { return x -> f -> conv(1, w) -> f }\n", "return x -> b(edge, 8) -> b(w=8, f=pair)"),
    "an argument of a flow": ("block b(f) { return x -> f -> f }\n", "return x -> b(f=(edge -> pair))"),
    "an argument handed on": (
        "block c(g) { return x -> g }\nblock b(f) { return x -> c(g=f) }\n",
        "return x -> b(edge)",
    ),
    "a default": ("block b(f = edge) { return x -> f -> f }\n", "return x -> b -> b(f=relu)"),
    "an argument within a named flow": (
        "block b(f) { return x -> f }\n",
        "big = (b(f=edge) -> relu)\nreturn x -> big -> big",
    ),
    "an argument in a table": (
        "block b(f) { return x -> f }\n",
        "return x -> stages {\n| block | f | depth |\n| b | edge | 2 |\n| b | pair | {1, 2} |\n}",
    ),
    "an argument of an alternative": (
        "block b(f) { return x -> f }\nchoice lay { k: b(f=edge)  p: b(f=pair)  i: conv(1, 8) }\n",
        "return x -> lay -> lay",
    ),
    "what a guard leaves out": (
        "block d(w) { y = x -> conv(1, 8, groups=5)\n z = y + x\n return z -> edge -> conv(1, y.channels * w) }\n",
        "return x -> conv(1, {4, 8}) -> d({1, 2}) when x.channels == 99",
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_whatever_decides_is_written_out_where_it_is_used(compiled, name):
    """`arch` compiles what it wrote, and compares it with the network."""
    before, body = WRITTEN[name]
    space = compiled(f"{EDGE}{before}space s(classes = 3) {{\nx = image(8, size=6)\ny = x -> relu\n{body}\n}}")
    for seed in range(6):
        text = space.arch(space.sample(seed))
        assert "edge" not in text


LEFT_OUT = {
    "a choice": ("", "edge"),
    "a choice in a block": ("block b() { y = x -> edge\n return y -> pair -> edge }\n", "b"),
    "a choice as an argument": ("let e = edge\nblock b(f) { return x -> f -> e }\n", "b(f=edge)"),
    "a table": (
        "block b(w) { return x -> stages {\n| block | width | depth |\n| conv(1) | w | {1, 2} |\n} }\n",
        "b(4)",
    ),
    "a table of choices": ("block b() { return x -> stages {\n| block | depth |\n| edge | {1, 2} |\n} }\n", "b"),
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_a_guard_leaves_out_for_every_choice_is_written_all_the_same(compiled, name):
    """It takes its names, and what follows keeps its own."""
    before, step = LEFT_OUT[name]
    space = compiled(
        f"{EDGE}{before}space s(c = 3) {{\nx = image(8, size=6)\nreturn x -> {step} when false -> pair -> edge\n}}"
    )
    for seed in range(4):
        space.arch(space.sample(seed))


def test_a_parameter_of_the_space_may_be_a_choice(compiled):
    space = compiled(
        EDGE + "space s(classes = 3, f = edge) { x = image(8, size=6)\n return x -> f -> conv(3, 8) -> f }"
    )
    for seed in range(4):
        space.arch(space.sample(seed))
