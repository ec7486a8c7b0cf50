"""`require`: tied decisions are one, exactly."""

from itertools import product

import pytest

from nasir.diagnostics import CompileError

PROGRAM = """space s(classes = 2) {{
  x = image(2, size=8)
  let a = {a}
  let b = {b}
  let c = {{1, 2}}
  {require}
  y = x -> conv(3, a * 4) -> bn -> relu -> conv(3, b * 4) -> bn -> conv(3, c * 4)
  return y -> global_avg_pool -> linear(classes)
}}"""


def tied(compiled, require: str, a: str = "{1, 2, 3}", b: str = "{1, 2, 3, 4}"):
    return compiled(PROGRAM.format(require=require, a=a, b=b))


@pytest.mark.parametrize(
    ("require", "allowed"),
    [
        ("require a <= b", lambda a, b, c: a <= b),
        ("require a + b < 6\n  require a != b", lambda a, b, c: a + b < 6 and a != b),
        ("require a <= b and b <= c", lambda a, b, c: a <= b <= c),
        ("require a == 1 or c == 2\n  require b > 2", lambda a, b, c: (a == 1 or c == 2) and b > 2),
        ("require not (a == b)", lambda a, b, c: a != b),
        ("require 2 < 3", lambda a, b, c: True),
    ],
)
def test_the_networks_are_those_that_meet_it(compiled, require, allowed):
    """Counted, and each of them: as many, and with the costs that the free space's networks have."""
    space, free = tied(compiled, require), tied(compiled, "")
    meeting = [o for o in product((1, 2, 3), (1, 2, 3, 4), (1, 2)) if allowed(*o)]
    assert space.size() == len(meeting)
    expected = sorted(tuple(free.costs.at(dict(zip("abc", o, strict=True))).values()) for o in meeting)
    every = [
        dict(zip((d.name for d in space.decisions), options, strict=True))
        for options in product(*(d.options for d in space.decisions))
    ]
    assert sorted(tuple(space.costs.at(choices).values()) for choices in every) == expected


def test_what_is_not_tied_stays_apart(compiled):
    space = tied(compiled, "require a <= b")
    assert [d.name for d in space.decisions] == ["c", "a_b"]
    assert space.decisions[1].options[:3] == ("1_1", "1_2", "1_3")


def test_a_derived_program_has_the_values_and_no_requirement(compiled):
    space = tied(compiled, "require a <= b")
    text = space.arch({"a_b": "2_3", "c": 1})
    assert "let a = 2" in text
    assert "let b = 3" in text
    assert "require" not in text


def test_its_supernet_has_a_gradient_for_every_combination(compiled):
    import torch

    import nasir

    space = tied(compiled, "require a <= b")
    supernet = nasir.supernet(space).train()
    supernet(torch.randn(2, 2, 8, 8)).cost["macs"].backward()
    gradient = supernet.gates.logits.grad
    assert gradient.shape == (2 + 9,)
    assert (gradient != 0).sum() >= 10


@pytest.mark.parametrize(
    ("require", "code"),
    [
        ("require a > 3", "E0349"),
        ("require 3 < 2", "E0349"),
        ("require a", "E0349"),
        ("require 3", "E0301"),
        ("require x.channels > a", "E0348"),
        ("require a <= unknown", "E0201"),
    ],
)
def test_requirements_that_mean_nothing_are_refused(compiled, require, code):
    with pytest.raises(CompileError, match=code):
        tied(compiled, require)


def test_too_many_combinations_are_refused_by_the_limit(compiled):
    with pytest.raises(CompileError, match=r"allows 2,\d\d\d combinations .* the limit is 1,000"):
        tied(compiled, "require a <= b", a="1..70 by 1", b="1..70 by 1")
    with pytest.raises(CompileError, match=r"4,000,000 combinations; the limit is 1,000,000"):
        tied(compiled, "require a <= b", a="1..2000 by 1", b="1..2000 by 1")
