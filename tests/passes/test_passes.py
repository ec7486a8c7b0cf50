"""Passes as text in, text out. Each case is a file: the graph, a line `--- PASS`, the graph after it."""

import os

import pytest

from nasir.ir.printer import print_graph
from nasir.ir.reader import read_graph
from nasir.passes.canonicalise import Canonicalise
from nasir.passes.explicit_widths import ExplicitWidths
from nasir.passes.flatten_scopes import FlattenScopes
from nasir.passes.fold_masks import FoldMasks
from nasir.passes.infer_shapes import InferShapes
from nasir.passes.place_masks import PlaceMasks
from nasir.passes.prune_dead import PruneDead
from nasir.passes.specialise import Specialise
from tests.conftest import CASES

PASSES = {
    p.name: p
    for p in (InferShapes(), Canonicalise(), PruneDead(), PlaceMasks(), ExplicitWidths(), FoldMasks(), FlattenScopes())
}
FILES = sorted((CASES / "passes").glob("*.txt"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_golden(path):
    before, header, expected = path.read_text(encoding="utf-8").partition("--- ")
    command, _, expected = expected.partition("\n")
    name, _, options = command.partition(" ")
    choices = dict(pair.split("=") for pair in options.split())
    graph = read_graph(before)
    values = {d.name: {str(o): o for o in d.options}[choices[d.name]] for d in graph.decisions if d.name in choices}
    after = print_graph((Specialise(values) if name == "specialise" else PASSES[name]).run(graph))
    if os.environ.get("NASIR_UPDATE"):
        path.write_text(before + header + command + "\n" + after, encoding="utf-8")
        expected = after
    assert after == expected


def test_every_pass_has_a_case():
    assert {p.stem.rpartition(".")[0] or p.stem for p in FILES} >= {"specialise", *PASSES}
