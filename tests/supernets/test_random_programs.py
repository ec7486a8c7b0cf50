"""Laws of the supernet on random programs (`tests/programs.py`); `python -m benchmarks.fuzz` tries thousands."""

import pytest

from nasir.diagnostics import CompileError
from nasir.supernets import build
from tests.programs import NAMES, program
from tests.supernets.laws import assert_folding_changes_no_result, assert_networks_are_emitted


@pytest.mark.parametrize("first", range(0, 60, 10))
def test_folding_changes_no_result_and_networks_are_what_is_emitted(compiled, tmp_path, first):
    refused = 0
    for seed in range(first, first + 10):
        try:
            space = compiled(program(seed))
        except CompileError:
            refused += 1
            continue
        assert_folding_changes_no_result(space, seed)
        assert_networks_are_emitted(space, range(2), tmp_path / f"model_{seed}.py")
        space.arch(space.sample(seed))
    assert refused <= 2, "the generator writes programs that compile"


EVERYWHERE = """
let {0} = {{2, 4}}
block {1}({2}, {3} = relu, {4} = 1) {{
  {5} = x -> conv(3, {2}, stride={4}) -> bn -> {3}
  {6} = {5} -> max_pool({4} * 2 - 1) -> global_avg_pool
  return {5} * {6}
}}
choice {7} {{
  {8}: {1}
  {9}: dwconv(3) -> bn
}}
space {10}({11} = 2) {{
  {12} = image(1, size=6)
  {13} = {12} -> conv(3, {0}) -> bn
  {14} = {13} -> max_pool(3) -> {1}({{2, 4}}, {3}={{hswish, gelu}}) -> {1}(4, {4}=2)
  {15} = {14} -> stages {{
    | block | width |
    | {7}   | 4     |
  }}
  {16} = concat({15}, {14}) + concat({14}, {14})
  return {16} -> global_avg_pool -> linear({11})
}}
"""
PLACES = 17


@pytest.mark.parametrize("first", range(0, len(NAMES), 5 * PLACES))
def test_any_name_of_python_or_torch_works_in_every_place(compiled, tmp_path, first):
    for start in range(first, first + 5 * PLACES, PLACES):
        names = [NAMES[(start + i) % len(NAMES)] for i in range(PLACES)]
        for turn in range(0, PLACES, 6):
            turned = [*names[turn:], *names[:turn]]
            space = compiled(EVERYWHERE.replace("width", turned[2]).format(*turned))
            assert_networks_are_emitted(space, range(1), tmp_path / f"model_{start}_{turn}.py")


@pytest.mark.parametrize("name", ["torch", "operator", "nasir", "math", "device", "inf", "getattr", "torch_nn"])
def test_an_input_of_a_part_hides_nothing_that_generated_code_uses(compiled, tmp_path, name):
    """What a part takes is a parameter of its function, whose code calls functions of torch by their full names."""
    space = compiled(
        f"space s(classes = 3) {{\n  x = image(1, size=8)\n  {name} = x -> conv(3, {{4, 8}})\n"
        f"  y = {name} * ({name} -> global_avg_pool -> sigmoid) -> avg_pool(3)\n"
        "  return y -> global_avg_pool -> linear(classes)\n}"
    )
    assert_networks_are_emitted(space, range(1), tmp_path / "model.py")


def test_a_copy_for_each_width_is_made_or_refused(compiled, tmp_path):
    """The explicit form, a baseline, has a value of every width, and each network's weights are those of its copies;
    what cannot have copies is refused."""
    made = 0
    for seed in range(100, 150):
        try:
            space = compiled(program(seed))
            build(space.graph, strategy="explicit")
        except CompileError:
            continue
        assert_networks_are_emitted(space, range(2), tmp_path / f"model_{seed}.py", "explicit")
        made += 1
    assert made >= 30
