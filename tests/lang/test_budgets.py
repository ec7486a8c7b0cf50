"""Small files that mean far too much: each ends in an answer or in a diagnostic that names the limit, not in a hang."""

from pathlib import Path

import pytest

import nasir
from nasir.api import check

END = "\n return y -> global_avg_pool -> linear(c)\n}\n"
SPACE = "space s(c = 2) {\n x = image(1, size=8)\n y = x"


def space(flow: str, before: str = "") -> str:
    """A space whose `y` is x through `flow`."""
    return f"{before}{SPACE}{flow}{END}"


def doubled(count: int, first: str, line: str) -> str:
    """`first`, and `count` definitions each of which uses the one before twice."""
    return "\n".join([first, *(line.format(i, i - 1) for i in range(1, count))]) + "\n"


LETS = "".join(f"let s{i} = 1..500 by 1\n" for i in range(3))
FLOWS = doubled(38, "let f0 = (relu -> identity)", "let f{0} = (f{1} -> f{1})")
BLOCKS = doubled(38, "block b0() { return x -> identity }", "block b{0}() {{ return x -> b{1} -> b{1} }}")
CHOICES = doubled(38, "choice c0 { a: identity  b: relu }", "choice c{0} {{ a: c{1}  b: c{1} }}")
CONCATS = "".join(f"\n y{i} = concat({'y' if i == 0 else f'y{i - 1}'}, y)" for i in range(400))
MANY = "".join(f"\n z{i} = x -> zzz{i}" for i in range(400))

HOSTILE = {
    "flows of flows": (space(" -> f37", FLOWS), "E0320"),
    "flows of flows that a guard leaves out": (space(" -> f37 when false", FLOWS), "E0320"),
    "blocks of blocks": (space(" -> b37", BLOCKS), "E0320"),
    "choices of choices": (space(" -> c37", CHOICES), "E0320"),
    "products of large sets": (space(" -> conv(1, s0 * s1) -> conv(1, s1 * s2)", LETS), "E0406"),
    "sums without end": (space(" -> conv(1, s29)", doubled(30, "let s0 = {1, 2}", "let s{0} = s{1} + s{1}")), "E0307"),
    "joined parts": (
        f"{SPACE} -> conv(1, {{1, 2}}){CONCATS}\n return y399 -> global_avg_pool -> linear(c)\n}}",
        "E0320",
    ),
    "a power": (space(" -> relu") + "search { temperature = 1000000^1000000 }", "E0305"),
    "a power of powers": (space(" -> relu") + "search { temperature = 9^(9^(9^(9^9))) }", "E0305"),
    "weights": (space(" -> conv(3, 1000000) -> conv(3, 1000000)"), "E0320"),
    "pixels": (space(" -> relu").replace("size=8", "size=1000000"), "E0320"),
    "steps": (space(" -> relu" * 60_000), "E0320"),
    "negations": ("let a = " + "not " * 2_000 + "true", "E0105"),
    "calls": ("let a = b" + "()" * 4_000, "E0105"),
    "unknown names": (f"{SPACE} -> relu{MANY}{END}", "E0201"),
    "broken blocks": ("".join(f"block b{i}( {{\n" for i in range(2_000)), "E0101"),
    "a name": (space(" -> " + "b" * 100_000), "E0201"),
    "a file": ("#" * 5_000_000, "E0702"),
}


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", HOSTILE)
def test_what_means_too_much_is_refused_by_name(name):
    text, code = HOSTILE[name]
    Path("hostile.nas").write_text(text, encoding="utf-8")
    found = [d.code for d in check(Path("hostile.nas"))]
    assert found[0] == code
    assert set(found) == {code}
    assert len(found) <= 200


def test_chains_and_diamonds_of_imports():
    for i in range(60):
        imported = f'from "f{i + 1}.nas" import a{i + 1}\n' if i < 59 else ""
        Path(f"f{i}.nas").write_text(f"{imported}let a{i} = 1\n", encoding="utf-8")
    assert [d.code for d in check(Path("f0.nas"))] == ["E0320"]
    for i in range(30):  # each of the two of a level imports both of the next
        for side in "ab":
            both = "".join(f'from "{s}{i + 1}.nas" import {s}{i + 1}\n' for s in "ab") if i < 29 else ""
            Path(f"{side}{i}.nas").write_text(f"{both}let {side}{i} = 1\n", encoding="utf-8")
    Path("top.nas").write_text('from "a0.nas" import a0\n' + space(" -> conv(1, a0)"), encoding="utf-8")
    assert len(nasir.load("top.nas").imports) == 59


ROW = """
from "lib/mobile.nas" import ir
choice mb {{
  ir_k3: ir(kernel=3, always_expand=true)
  skip:  identity when stride == 1
}}
space s(classes = 10) {{
  x = image(3, size=16)
  y = x -> conv(3, 8) -> bn -> stages {{
    | block | expand | width      | depth |
    | {0}   | {{1, 2}} | 8..16 by 8 | {1} |
  }}
  return y -> global_avg_pool -> linear(classes)
}}
"""


@pytest.mark.parametrize(("block", "depth"), [("mb", "300"), ("ir", "1..60 by 1"), ("mb", "{40, 80}")])
def test_deep_rows_have_costs_counts_and_a_supernet(compiled, block, depth):
    """Deeper than Python's stack; the counts are those of a recurrence over the layers."""
    program = compiled(ROW.format(block, depth))
    low, high = program.macs()
    assert 0 < low < high
    assert program.at(program.largest()).macs() == (high, high)
    assert program.at(program.smallest()).macs() == (low, low)
    layer = 5 if block == "mb" else 4  # two widths of two expansions, and a skip
    depths = {"300": [300], "1..60 by 1": range(1, 61), "{40, 80}": [40, 80]}[depth]
    assert program.size() == sum(layer**d for d in depths)
    assert program.arch(program.sample(0))


def test_sets_of_a_thousand_widths_are_one_running_sum(compiled):
    """As many probabilities as widths, not as pairs of them; a shortcut between two such tells equal ones."""
    block = "block l(width) { return shortcut(x, x -> conv(1, width) -> bn) }\n"
    flow = " -> conv(1, 8) -> stages {\n | block | width | depth |\n | l | 1..1000 by 1 | 2 |\n }"
    program = compiled(space(flow, block))
    assert program.size() == 1_000_000
    supernet = nasir.supernet(program)
    sizes = supernet.get_submodule("sizes")
    assert sum(len(t) for name, t in sizes.named_buffers() if name.endswith("_target")) < 20_000
    choices = dict.fromkeys((d.name for d in program.decisions), 700)
    assert int(supernet.cost(choices)["macs"]) == program.at(choices).macs()[0]


def test_forty_nested_choices_need_no_table_of_all_of_them(compiled):
    text = "choice c0 { a: (conv(1, 8) -> bn)  b: (conv(3, 8) -> bn) }\n"
    text += "".join(f"choice c{i} {{ a: c{i - 1}  b: (conv(1, 8) -> bn) }}\n" for i in range(1, 39))
    program = compiled(space(" -> c38", text))
    assert program.size() == 40
    assert float(nasir.supernet(program).cost()["macs"].detach()) > 0
