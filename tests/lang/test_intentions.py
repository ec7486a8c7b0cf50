"""The commonest slips of people who come from other languages get the sentence that mends them."""

import re

import pytest

from nasir.api import check
from nasir.ir.ops import OPS
from nasir.lang.evaluate import builtin_names
from nasir.lang.intentions import FOREIGN

HEAD, TAIL = (
    "space s(classes = 10) {\n  x = image(3, size=8)\n",
    "\n  return y -> global_avg_pool -> linear(classes)\n}\n",
)

SLIPS = {
    "y = x -> conv([3, 5], 8)": "braces: `{3, 5}`",
    "// a comment\n  y = x -> conv(3, 8)": "begins with `#`",
    "y = x => conv(3, 8)": "written with `->`",
    "y = x -> relu if true": "`f when condition`",
    "y = x -> conv(3, 8..16)": "`8..16 by 8`",
    "y = x -> conv(3, 8);": "statements need no end",
    "y := x -> conv(3, 8)": "bound with `=`",
    "y = x -> conv(3, 2**3)": "no power here",
    "y = x -> conv((3, 1), 8)": "a pair is written `3x1`",
    "y = x -> conv(3 x 1, 8)": "without blanks: `3x1`",
    "for i in 3 { y = x -> conv(3, 8) }": "column `depth`",
    "y = x -> relu when true && false": "`and`, `or`, `not`",
    "(y, z) = x -> conv(3, 8) -> split(2)": "`a, b = ...`",
    "y = x -> conv(3, 8, bias=True)": "write `true`",
    "y = x -> conv(3, 8) -> ReLU": "write `relu`",
    "y = x -> conv(3, 8) -> batch_norm": "write `bn`",
    "y = x -> Conv2d(3, 8)": "write `conv(kernel, width)`",
    "y = x -> conv(3, 8) -> cat": "write `concat(a, b)`",
    "y = x -> conv(3, 8)\n  z = image(3, 49, 10)": "one argument: `size=49x10`",
}
FILES = {
    "space s {\n  x = image(3, size=8)\n  return x -> global_avg_pool -> linear(10)\n}\n": "`space name(classes = 10)",
    'import "lib/mobile.nas"\n' + HEAD + "  y = x -> conv(3, 8)" + TAIL: "by their names: `from",
    "choice c {\n  a: relu,\n  b: hswish\n}\n" + HEAD + "  y = x -> conv(3, 8) -> c" + TAIL: "without commas",
    "def f(x):\n  return x\n" + HEAD + "  y = x" + TAIL: "`block name(width, stride = 1)",
    HEAD + "  y = x" + TAIL + "objective { minimize cross_entropy subject to macs <= 10ms }\n": "has no unit",
    HEAD + "  y = x -> conv(3, 8)\n}\n": "end its body with `return`",
}


@pytest.mark.parametrize(
    ("program", "says"),
    [*((HEAD + "  " + slip + TAIL, says) for slip, says in SLIPS.items()), *FILES.items()],
    ids=[*SLIPS, *FILES.values()],
)
def test_a_slip_gets_the_sentence_that_mends_it(tmp_path, program, says):
    path = tmp_path / "net.nas"
    path.write_text(program, encoding="utf-8")
    hints = [hint for diagnostic in check(path) for hint in diagnostic.hints]
    assert any(says in hint for hint in hints), hints


def test_foreign_names_lead_to_names_of_ours():
    names = {*OPS, *builtin_names(), "true", "false"}
    for foreign, known in FOREIGN.items():
        assert foreign not in names
        assert names & set(re.findall(r"\w+", known)) or "squeeze_excite" in known or known.startswith("nothing"), known


def test_a_rule_of_markdown_may_stand_below_a_header(compiled):
    rule = "    |-------|:------:|-----:|\n"
    table = "  y = x -> stages {\n    | block | kernel | width |\n{}    | conv  | 3      | 8     |\n  }"
    programs = (HEAD + table.replace("{}", text) + TAIL for text in ("", rule, rule.replace("-|", "- |")))
    graphs = [compiled(program).graph for program in programs]
    assert graphs[0] == graphs[1] == graphs[2]
