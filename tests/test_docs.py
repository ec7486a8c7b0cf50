"""What the documents say is so: their programs compile, their code runs, their commands are those that CI runs."""

import ast
import math
import re
from pathlib import Path

import pytest

import nasir
from nasir.api import check
from nasir.diagnostics import Source, render_all
from nasir.lang.reformat import formatted
from nasir.lang.settings import SearchSettings, TrainSettings
from nasir.passes.base import Pass
from nasir.passes.pipeline import all_passes
from nasir.runs.request import options_of

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def fenced(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_programs_compile(page, tmp_path):
    for i, text in enumerate(fenced(page, "nas")):
        path = tmp_path / f"example_{i}.nas"
        path.write_text(text, encoding="utf-8")
        found = check(path)
        assert not found, render_all(found)


@pytest.mark.parametrize("page", [*PAGES, *sorted((ROOT / "docs" / "errors").glob("*.md"))], ids=lambda p: p.stem)
def test_programs_are_in_the_layout(page):
    """As far as they parse: an item with a syntax error has no layout."""
    for text in fenced(page, "nas(?:ir)?"):
        assert formatted(Source(page.name, text)).text == text


@pytest.mark.parametrize("folder", ["spaces", "tests/cases/spaces"])
def test_spaces_are_in_the_layout(folder):
    for path in sorted((ROOT / folder).rglob("*.nas")):
        text = path.read_text(encoding="utf-8")
        assert formatted(Source(path.name, text)).text == text, path


@pytest.mark.parametrize("page", [page for page in PAGES if fenced(page, "python")], ids=lambda p: p.stem)
def test_python_runs_and_gives_what_its_comments_say(page, tmp_path, monkeypatch):
    """Each block runs, and says something that can be false: an assertion, or the value of an expression as a comment
    behind it."""
    monkeypatch.chdir(tmp_path)
    for text in fenced(page, "python"):
        names: dict[str, object] = {}
        said = 0
        for statement in ast.parse(text).body:
            code = ast.get_source_segment(text, statement)
            said += isinstance(statement, ast.Assert)
            if isinstance(statement, ast.Expr) and (value := literal(text.splitlines()[statement.end_lineno - 1])):
                assert eval(code, names) == ast.literal_eval(value), code
                said += 1
            else:
                exec(compile(code, str(page), "exec", dont_inherit=True), names)
        assert said, text


def literal(line: str) -> str:
    """The comment of a line, where it is a value."""
    comment = line.partition("  # ")[2].strip()
    try:
        ast.literal_eval(comment)
    except (SyntaxError, ValueError):
        return ""
    return comment


def test_the_commands_of_the_readme_are_the_ones_ci_runs():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    promised = set(re.findall(r"^make (\w+)", readme, re.MULTILINE))
    assert promised >= {"demo", "test"}
    assert promised <= set(re.findall(r"^make (\w+)", ci, re.MULTILINE))
    (command,) = re.findall(r"^(nasir search .*)$", readme, re.MULTILINE)
    assert command in makefile


def test_the_settings_of_the_language_page_are_all_there_are_with_their_defaults():
    page = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
    sections = {"search": SearchSettings(), "train": TrainSettings()}
    documented: set[tuple[str, str]] = set()
    for name, of, cell in re.findall(r"^\| `(\w+)` \| (both|search|train) \| (.*) \|$", page, re.MULTILINE):
        for section in sections if of == "both" else (of,):
            documented.add((section, name))
            default = getattr(sections[section], name)
            if isinstance(default, str):
                assert f"`{default}`" in cell or not default, name
            elif isinstance(default, int | float):
                assert re.search(rf"(?<![\d.]){default:g}(?![\d.]\d)", cell), name
    assert documented == {(section, name) for section, of in sections.items() for name in of.__dataclass_fields__}


def test_the_passes_of_the_compiler_page_are_all_there_are_with_what_they_need_and_give():
    told = rows(ROOT / "docs" / "compiler.md")
    ours = {name: kind for name, kind in all_passes().items() if kind.__module__.startswith("nasir.")}
    for name, kind in ours.items():
        needs, gives = told[f"`{name}`"][1:]
        assert needs == (", ".join(sorted(fact.value for fact in kind.needs)) or "-")
        if kind.given is Pass.given:
            assert gives == (", ".join(sorted(fact.value for fact in kind.gives)) or "-")
        assert not kind.drops


def test_the_options_of_a_search_in_python_are_named_where_it_is_described():
    told = set(re.findall(r"`(\w+)`", nasir.search.__doc__))
    names = {"loss" if one.name == "loss_named" else one.name for one in options_of("search")}
    assert names <= told | {"data", "out"}


def test_every_op_of_the_language_is_documented():
    from nasir.lang.evaluate import VALUE_FUNCTIONS, builtin_names

    page = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
    for name in (*builtin_names(), *VALUE_FUNCTIONS):
        assert re.search(rf"`{name}\b", page), name


SPACES = sorted(path for path in (ROOT / "spaces").rglob("*.nas") if path.parent.name != "lib")
RELEASED = re.compile(r"fbnet(v2)?_\w+")


def rows(page: Path) -> dict[str, list[str]]:
    """The rows of a page's tables by their first cell; of two, the later one."""
    lines = re.findall(r"^\| (`.*) \|$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {cells[0]: cells[1:] for cells in (line.split(" | ") for line in lines)}


def number(value: int) -> str:
    """As the tables have it: exactly, or by its power of ten."""
    return f"{value:,}" if value < 10**9 else f"10^{math.log10(value):.2f}"


@pytest.mark.parametrize("path", [path for path in SPACES if path.parent.name != "zoo"], ids=lambda path: path.stem)
def test_the_table_of_spaces_says_what_they_are(path):
    space = nasir.load(path)
    ranges = [" to ".join(f"{value:,}" for value in found) for found in (space.macs(), space.params())]
    expected = [str(len(space.decisions)), number(space.assignments()), number(space.size()), *ranges]
    assert rows(ROOT / "docs" / "spaces.md")[f"`{path.stem}`"][: len(expected)] == expected


def test_the_table_of_networks_says_what_they_are():
    """Every program of the zoo is in it, but for the releases that have a table of their own."""
    told: set[str] = set()
    for name, cells in rows(ROOT / "docs" / "spaces.md").items():
        program, _, settings = name.strip("`").partition(" --with ")
        if not (ROOT / "spaces" / "zoo" / f"{program}.nas").exists():
            continue
        network = nasir.load(f"zoo/{program}", **dict([settings.split("=")] if settings else []))
        costs = network.costs.at({})
        shape = " x ".join(map(str, network.graph.input.shape.values()))
        assert cells[-3:] == [shape, f"{costs['macs']:,}", f"{costs['params']:,}"], name
        told.add(program)
    assert told == {path.stem for path in SPACES if path.parent.name == "zoo" and not RELEASED.fullmatch(path.stem)}
