"""Passes as text in, text out. Each case is a file: the graph, a line `--- PASS`, the graph after it."""

import os
import re
from textwrap import dedent

import pytest

import nasir
from nasir.ir.facts import Fact
from nasir.ir.graph import Graph
from nasir.ir.printer import print_graph
from nasir.ir.reader import read_graph
from nasir.passes.base import Pass, run
from nasir.passes.pipeline import CHECKED, all_passes, derivation, supernet
from tests.conftest import CASES

PASSES = all_passes()
FILES = sorted((CASES / "passes").glob("*.txt"))
EXAMPLE = re.compile(r"Before(?:, with (?P<choices>.*))?::\n(?P<before>.*)After::\n(?P<after>.*)", re.DOTALL)


def made(name: str, graph: Graph, choices: dict[str, str]) -> Pass:
    """A pass with its options."""
    options = {d.name: {str(o): o for o in d.options} for d in graph.decisions}
    values = {decision: options[decision][option] for decision, option in choices.items()}
    return PASSES[name](values) if values else PASSES[name]()


def pairs(text: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in text.split())


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_golden(path):
    before, header, expected = path.read_text(encoding="utf-8").partition("--- ")
    command, _, expected = expected.partition("\n")
    name, _, choices = command.partition(" ")
    graph = read_graph(before)
    after = print_graph(made(name, graph, pairs(choices)).run(graph))
    if os.environ.get("NASIR_UPDATE"):
        path.write_text(before + header + command + "\n" + after, encoding="utf-8")
        expected = after
    assert after == expected


@pytest.mark.parametrize("name", PASSES)
def test_docstring_shows_what_a_pass_does(name):
    example = EXAMPLE.search(dedent(f"    {PASSES[name].__doc__}"))
    assert example is not None, "a pass's docstring has a graph before and after it"
    graph = read_graph(example["before"])
    after = print_graph(made(name, graph, pairs(example["choices"] or "")).run(graph))
    assert after == dedent(example["after"]).strip() + "\n"
    assert after != print_graph(graph), "it shows a change"


def test_every_pass_has_a_case():
    assert {path.stem.partition(".")[0] for path in FILES} == set(PASSES)


def test_every_pass_is_a_file_of_its_name():
    assert {cls.__module__.rpartition(".")[2].replace("_", "-") for cls in PASSES.values()} == set(PASSES)


@pytest.mark.parametrize("space", ["digits", "tests/cases/spaces/flows.nas", "tests/cases/spaces/guards.nas"])
@pytest.mark.parametrize("name", PASSES)
def test_passes_are_idempotent(name, space):
    """What a pass made, it leaves alone."""
    space = nasir.load(space)
    step = PASSES[name](space.sample(0)) if name == "specialise" else PASSES[name]()
    before = {
        frozenset((Fact.MASKED,)): supernet(fold=False),
        frozenset((Fact.CONCRETE,)): derivation(space.sample(0))[:3],
    }
    needed = next((passes for facts, passes in before.items() if facts <= step.needs), ())
    graph = run(space.graph, needed, CHECKED)
    if name == "explicit-widths" and space.name == "guards":  # explicit copies need one width
        with pytest.raises(nasir.CompileError, match="E0411"):
            step.run(graph)
        return
    once = step.run(graph)
    assert step.run(once) == once
