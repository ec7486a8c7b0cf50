"""What nasir says about wrong files: the golden cases, and that nothing escapes as a traceback.

`NASIR_UPDATE=1 pytest tests/lang/test_diagnostics.py` writes what nasir says now into the golden cases.
"""

import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nasir.api import check
from nasir.diagnostics import render_all
from nasir.diagnostics.codes import codes, document
from nasir.lang.parser import LARGEST_FILE
from nasir.lang.trees import LARGEST_NUMBER
from nasir.resources import folder
from tests.conftest import CASES

MARK = "--- diagnostics\n"
OF_PROGRAMS = {code for code in codes() if document(code).says}
GOLDEN = sorted((CASES / "diagnostics").glob("*.txt"))


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def codes_of(text: str, name: str = "case.nas") -> list[str]:
    """The codes of what is wrong with a text, each of which can be rendered."""
    Path(name).write_text(text, encoding="utf-8")
    found = check(Path(name))
    render_all(found)
    return [d.code for d in found]


@pytest.mark.parametrize("path", GOLDEN, ids=lambda p: p.stem)
def test_golden(path):
    text, mark, expected = path.read_text(encoding="utf-8").partition(MARK)
    assert mark, f"{path.name} has no line {MARK.strip()!r}"
    Path("case.nas").write_text(text, encoding="utf-8")
    found = render_all(check(Path("case.nas"))).replace(str(folder("spaces").resolve()), "<library>") + "\n"
    assert "error[" in found or "warning[" in found
    if os.environ.get("NASIR_UPDATE"):
        path.write_text(text + MARK + found, encoding="utf-8")
    else:
        assert found == expected


def test_golden_cases_cover_every_code_of_a_text():
    seen = {
        code
        for path in GOLDEN
        for code in re.findall(r"(?:error|warning)\[([EW]\d{4})\]", path.read_text(encoding="utf-8"))
    }
    assert seen >= OF_PROGRAMS


def test_a_huge_file_is_refused():
    assert codes_of("#" * (LARGEST_FILE + 1)) == ["E0104"]


HUGE = "9" * 399
LARGEST = str(LARGEST_NUMBER)
DIGITS = (folder("spaces") / "digits.nas").read_text(encoding="utf-8")


def space(body: str, before: str = "", after: str = "") -> str:
    return f"{before}\nspace net() {{\n  x = image(3, size=8)\n  let w = {{8, 16}}\n  return x -> {body}\n}}\n{after}\n"


HOSTILE = {
    "a choice of itself": ("E0317", space("c", "choice c {\n  a: c\n}")),
    "choices of each other": ("E0317", space("c", "choice c {\n  a: d\n}\nchoice d {\n  a: c\n}")),
    "a let of itself": ("E0317", space("conv(3, a)", "let a = a")),
    "lets of each other": ("E0317", space("conv(3, a)", "let a = b + 1\nlet b = a + 1")),
    "a flow of itself": ("E0317", space("f", "let f = bn -> f")),
    "a long chain of lets": (
        "E0320",
        space("conv(3, a400)", "let a0 = 1\n" + "\n".join(f"let a{i} = a{i - 1} + 1" for i in range(1, 401))),
    ),
    "a huge product": ("E0106", space(f"conv(3, {HUGE} * 2)")),
    "a huge product with a decision": ("E0106", space(f"conv(3, {HUGE} * w)")),
    "an infinite multiple": ("E0106", space("conv(3, 1e400K)")),
    "rounding infinity": ("E0106", space("conv(3, round_to(8, 1e999))")),
    "rounding an infinite option": ("E0106", space("conv(3, round_to(8, {1e999, 8}))")),
    "an infinite range": ("E0106", space("conv(3, 1..1e999 by 1)")),
    "a range of countless steps": ("E0106", space("conv(3, 1..1e308 by 1e-300)")),
    "a range to a huge number": ("E0106", space(f"conv(3, 1..{HUGE} by 1)")),
    "an infinite setting": ("E0106", space("bn", after="search { epochs = 1e999 }")),
    "a setting that is no number": ("E0106", space("bn", after="search { epochs = 1e999 - 1e999 }")),
    "a huge setting": ("E0106", space("bn", after=f"search {{ epochs = {HUGE} / 0.5 }}")),
    "a huge quotient": ("E0106", space("bn", after=f"search {{ split = {HUGE} / 3 }}")),
    "a huge divisor in the objective": (
        "E0106",
        space("bn", after=f"objective {{ minimize cross_entropy + macs / {HUGE} }}"),
    ),
    "a null byte in a path": ("E0204", 'from "a\0b" import c\n'),
    "a path that is too long": ("E0204", f'from "{"a" * 5000}" import c\n'),
    "shortcut as a step": ("E0308", space("shortcut")),
    "concat as a step": ("E0308", space("concat")),
    "image as a step": ("E0308", space("image")),
    "a guard that is a number": ("E0301", space("bn when w")),
    "a guard that is a sum": ("E0301", space("bn when w + 1")),
    "only a byte order mark": ("E0322", "\ufeff"),
    "deep parentheses": ("W0201", space("(" * 5000 + "bn" + ")" * 5000)),
    "deep braces": ("E0105", space("{" * 5000 + "bn" + "}" * 5000)),
    "a deep minus": ("E0105", space("conv(3, " + "-" * 5000 + "1)")),
    "a long flow": ("W0201", space(" -> ".join(["relu"] * 5000))),
    "deep calls": ("E0105", space("bn" + "()" * 5000)),
    "a product beyond the largest number": ("E0305", space(f"conv(3, {LARGEST} * 2)")),
    "a product with a decision beyond the largest number": ("E0305", space(f"conv(3, {LARGEST} * w)")),
    "a quotient beyond the largest number": ("E0305", space(f"conv(3, {LARGEST} / 0.001)")),
    "rounding the largest number": ("E0307", space(f"conv(3, round_to(8, {LARGEST}))")),
    "a range of as many options as there are numbers": ("E0320", space(f"conv(3, 1..{LARGEST} by 1)")),
    "the largest number of epochs": ("E0503", space("bn", after=f"search {{ epochs = {LARGEST} }}")),
    "the largest divisor in the objective": (
        "W0201",
        space("bn", after=f"objective {{ minimize cross_entropy + macs / {LARGEST} }}"),
    ),
}


@pytest.mark.parametrize(("expected", "text"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_texts_end_in_diagnostics(expected, text):
    assert codes_of(text) == expected.split()


TOKEN = re.compile(r'"[^"\n]*"|[A-Za-z_]\w*|\d+(?:\.\d+)?(?:e\d+)?[KMG]?|->|\.\.|[<>=!]=|\s+|.')
TOKENS = TOKEN.findall(re.sub(r"#.*", "", DIGITS))
MORE_WORDS = """
block return not and or true false min max concat shortcut image add mix == != < > + - * / | { } .
0 1 2.5 1e999 x w flops width height
"""
WORDS = sorted({token for token in (*TOKENS, *TOKEN.findall(MORE_WORDS)) if not token.isspace()})
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["delete", "duplicate", "swap", "insert", "replace"]),
        st.integers(0, len(TOKENS) - 1),
        st.integers(0, len(TOKENS) - 1),
        st.sampled_from(WORDS),
    ),
    min_size=1,
    max_size=3,
)


def edited(edits) -> str:
    tokens = list(TOKENS)
    for kind, i, j, word in edits:
        i, j = i % len(tokens), j % len(tokens)
        match kind:
            case "delete":
                del tokens[i]
            case "duplicate":
                tokens.insert(i, tokens[i])
            case "swap":
                tokens[i], tokens[j] = tokens[j], tokens[i]
            case "insert":
                tokens.insert(i, f" {word} ")
            case _:
                tokens[i] = word
    return "".join(tokens)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=EDITS)
def test_no_edit_of_a_space_escapes_as_an_exception(edits):
    assert {*codes_of(edited(edits))} <= OF_PROGRAMS
