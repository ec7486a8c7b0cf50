"""`set name(parameter = value)`: what a file gives where a use gives nothing."""

import pytest

from nasir.diagnostics import CompileError

PROGRAM = """{defaults}
block unit(width, act = relu) {{
  return x -> conv(3, width) -> bn -> act
}}
space s(classes = 2) {{
  x = image(2, size=8)
  y = x -> unit(4) -> unit(8, act=hswish) -> bn(eps=0.5) -> conv(1, 4, bias=false)
  return y -> global_avg_pool -> linear(classes)
}}"""


def attributes(space, op: str, name: str) -> list[object]:
    return [node[name] for node in space.graph.nodes if node.op == op]


def test_a_use_that_gives_nothing_has_it(compiled):
    space = compiled(PROGRAM.format(defaults="set bn(eps = 1e-3)\nset conv(bias = true)\nset unit(act = relu6)"))
    assert attributes(space, "bn", "eps") == [1e-3, 1e-3, 0.5]
    assert attributes(space, "conv", "bias") == [True, True, False]
    assert [node.op for node in space.graph.nodes if node.op in {"relu", "relu6", "hswish"}] == ["relu6", "hswish"]


def test_it_stays_in_its_file(compiled):
    space = compiled(
        'from "lib/mobile.nas" import ir\nset bn(eps = 1e-3)\nspace s(classes = 2) {\n  x = image(4, size=8)\n'
        "  return x -> bn -> ir(4) -> bn -> global_avg_pool -> linear(classes)\n}"
    )
    assert sorted(set(attributes(space, "bn", "eps"))) == [1e-5, 1e-3]


def test_a_derived_program_gives_it_at_each_use(compiled):
    space = compiled(
        PROGRAM.format(defaults="set bn(eps = 1e-3)\nset unit(act = relu6)").replace("unit(4)", "unit({4, 8})")
    )
    for seed in range(2):
        text = space.arch(space.sample(seed))
        assert "set " not in text
        assert "bn(eps=1e-3)" in text
        assert "act=relu6" in text


@pytest.mark.parametrize(
    ("defaults", "code"),
    [
        ("set bn(epsilon = 1e-3)", "E0351"),
        ("set bn(1e-3)", "E0351"),
        ("set unit(act = {relu, hswish})", "E0351"),
        ("set bn(eps = 1e-3)\nset bn(eps = 1e-4)", "E0202"),
        ("set nothing(eps = 1e-3)", "E0201"),
        ("set bn(eps = 0)", "E0307"),
    ],
)
def test_defaults_that_mean_nothing_are_refused(compiled, defaults, code):
    with pytest.raises(CompileError, match=code):
        compiled(PROGRAM.format(defaults=defaults))
