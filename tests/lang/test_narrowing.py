"""Spaces that build on a library's, and functions of values."""

import pytest

import nasir
from nasir.diagnostics import CompileError

HEAD = 'from "digits.nas" import digits\n\n'


def test_it_is_the_space_with_fewer_options(compiled):
    whole, mine = nasir.load("digits"), compiled(HEAD + "space mine = digits() with trunk.block = {ir_k3, skip}")
    assert mine.name == "mine"
    kept = {d.name: d.options for d in mine.decisions}
    for one in whole.decisions:
        options = tuple(o for o in one.options if not one.name.endswith(".block") or o in {"ir_k3", "skip"})
        assert kept.get(one.name, options) == options
        assert (one.name in kept) == (len(options) > 1)
    choices = {**mine.sample(3), **{d.name: "ir_k3" for d in whole.decisions if d.name not in kept}}
    own = {name: option for name, option in choices.items() if name in kept}
    assert mine.costs.at(own) == whole.costs.at(choices)
    assert nasir.emit(mine.at(own)).replace("Mine", "Digits") == nasir.emit(whole.at(choices)).replace(
        "digits:", "mine:"
    )


def test_one_option_decides_and_parameters_change(compiled):
    mine = compiled(HEAD + "space mine = digits(classes = 4) with trunk.block = ir_k3, trunk.0.width = 16..24 by 8")
    assert not any(d.name.endswith(".block") for d in mine.decisions)
    assert next(d.options for d in mine.decisions if d.name == "trunk.0.width") == (16, 24)
    assert mine.graph.by_name[mine.graph.output].shape.channels == (4,)


def test_values_from_outside_are_arguments_of_the_base(tmp_path):
    path = tmp_path / "mine.nas"
    path.write_text(HEAD + "space mine = digits(classes = 4) with trunk.block = {ir_k3, skip}\n", encoding="utf-8")
    assert nasir.load(path, classes=3).graph.by_name[nasir.load(path, classes=3).graph.output].shape.channels == (3,)
    path.write_text(HEAD + "space mine = digits()\n", encoding="utf-8")
    assert nasir.load(path, classes=3).graph.by_name[nasir.load(path).graph.output].shape.channels == (3,)


def test_its_derived_programs_stand_alone(compiled):
    mine = compiled(HEAD + "space mine = digits(classes = 4) with trunk.block = {ir_k3, skip}")
    for seed in range(3):
        text = mine.arch(mine.sample(seed))
        assert "from" not in text.split()
        assert "space mine(classes = 4)" in text


@pytest.mark.parametrize(
    ("space", "code", "says"),
    [
        ("digits() with trunk.block = {ir_k3, ir_k9}", "E0347", "`ir_k9` is no option at `trunk.block`"),
        ("digits() with trunk.blok = {ir_k3}", "E0347", "nothing is decided at `trunk.blok`"),
        ("digits() with trunk.width = {20}", "E0347", "nothing is left to decide at `trunk.width`"),
        ("digits() with trunk.width = relu(3)", "E0347", "this is no option"),
        ("digits(4)", "E0346", "given by their names"),
        ("digits(depth = 4)", "E0303", "depth"),
        ("other()", "E0346", "no space is named `other`"),
    ],
)
def test_what_is_not_there_is_told(compiled, space, code, says):
    with pytest.raises(CompileError) as error:
        compiled(HEAD + f"space mine = {space}")
    assert code in str(error.value)
    assert says in str(error.value)


def test_a_space_is_no_step(compiled):
    with pytest.raises(CompileError, match="E0346"):
        compiled(HEAD + "space mine(classes = 2) {\n x = image(1, size=8)\n return x -> digits\n}")


VALUES = """let twice(c) = c * 2
let ch(c, m = twice(1)) = round_to(4, c * m)
space s(classes = 2) {{
  x = image(2, size=8)
  let w = 3
  let mine(c, k = w) = ch(c) + k
  y = x -> conv(3, {}) -> bn
  return y -> global_avg_pool -> linear(classes)
}}"""


@pytest.mark.parametrize(
    ("call", "width"),
    [("ch(4)", 8), ("ch(4, m=3)", 12), ("ch(c=5)", 12), ("mine(4)", 11), ("mine(4, k=1)", 9), ("twice(twice(2))", 8)],
)
def test_a_call_is_its_expression(compiled, call, width):
    space = compiled(VALUES.format(call))
    assert space.graph.by_name["y.conv"].shape.channels == (width,)


def test_sets_in_its_arguments_are_the_caller_s(compiled):
    space = compiled(VALUES.format("ch({2, 3, 4})"))
    assert space.size() == 3
    assert {space.at(space.sample(seed)).graph.by_name["y.conv"].shape.channels for seed in range(20)} == {(4,), (8,)}
    for seed in range(4):
        space.arch(space.sample(seed))


@pytest.mark.parametrize(
    ("program", "code"),
    [
        (VALUES.format("ch()"), "E0302"),
        (VALUES.format("ch(1, 2, 3)"), "E0329"),
        (VALUES.format("ch(4, width=2)"), "E0303"),
        (VALUES.format("3) -> ch(4"), "E0308"),
        (VALUES.format("ch(4)").replace("c * 2", "c * {1, 2}"), "E0345"),
        (VALUES.format("ch(4)").replace("c * 2", "twice(c)"), "E0317"),
    ],
    ids=["nothing", "too many", "another name", "as a step", "a set", "itself"],
)
def test_functions_of_values_that_mean_nothing_are_refused(compiled, program, code):
    with pytest.raises(CompileError, match=code):
        compiled(program)


def test_what_grows_without_end_is_refused_by_its_limit(compiled):
    twice = "".join(f"let f{i}(c) = f{i - 1}(f{i - 1}(c))\n" for i in range(1, 36))
    with pytest.raises(CompileError, match=r"called too often; the limit is 20,000"):
        compiled("let f0(c) = c + 1\n" + twice + VALUES.format("f35(1)"))
    with pytest.raises(CompileError, match=r"the range has [\d,]+ options; the limit is 4,096"):
        compiled(HEAD + "space mine = digits() with trunk.width = 0..1e9 by 1e-9")
    with pytest.raises(CompileError, match=r"more than 10\^299 subsets to pick from; the limit is 1,000"):
        compiled(VALUES.format("4").replace("let w = 3", "let w = 3\n  let s = subsets(500, 1000)"))
