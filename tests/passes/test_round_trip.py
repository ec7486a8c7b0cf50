"""The printed IR parses back, after every pass, for every space; and the passes hold to their facts."""

from dataclasses import replace

import pytest

import nasir
from nasir.api import compile_source
from nasir.ir.facts import Fact, InvalidGraph, verify
from nasir.ir.printer import WIDTH, print_graph
from nasir.ir.reader import read_graph
from nasir.passes.base import OutOfOrder, run
from nasir.passes.canonicalise import Canonicalise
from nasir.passes.flatten_scopes import FlattenScopes
from nasir.passes.fold_masks import FoldMasks
from nasir.passes.pipeline import CHECKED, ELABORATED, derivation, supernet
from tests.conftest import SMALLER, each_space, load_small


@each_space
def test_print_and_parse_are_inverse_after_every_pass(path):
    stages = []
    small = {name: str(value) for name, value in SMALLER.get(path.stem, {}).items()}
    space = compile_source(path, lambda name, graph: stages.append((name, graph)), small)
    run(space.graph, supernet(), CHECKED, lambda name, graph: stages.append((name, graph)))
    run(space.graph, derivation(space.sample(0)), CHECKED, lambda name, graph: stages.append((name, graph)))
    assert [name for name, _ in stages][:4] == ["elaborate", "infer-shapes", "canonicalise", "prune-dead"]
    for name, graph in stages:
        text = print_graph(graph)
        assert read_graph(text) == graph, name
        assert all(len(line) <= WIDTH for line in text.splitlines()), name


@each_space
def test_every_network_of_a_space_is_concrete(path):
    space = load_small(path)
    for seed in range(5):
        verify(space.at(space.sample(seed)).graph, frozenset(Fact) - {Fact.MASKED})


def test_the_verifier_sees_a_missing_mask():
    graph = nasir.load("digits").graph
    masked = run(graph, supernet(), CHECKED)
    verify(masked, frozenset((Fact.MASKED,)))
    with pytest.raises(InvalidGraph, match="before its mask"):
        verify(graph, frozenset((Fact.MASKED,)))


def test_the_verifier_sees_an_unknown_operand_and_a_missing_type():
    graph = nasir.load("digits").graph
    node = graph.nodes[1]
    for broken, message in (
        (replace(node, operands=(("x", "nowhere"),)), "before it is defined"),
        (replace(node, type=None), "has no type"),
        (replace(node, op="convolution"), "unknown op"),
    ):
        nodes = (graph.nodes[0], broken, *graph.nodes[2:])
        with pytest.raises(InvalidGraph, match=message):
            verify(replace(graph, nodes=nodes), CHECKED)


def test_a_pipeline_in_the_wrong_order_is_refused():
    graph = nasir.load("digits").graph
    with pytest.raises(OutOfOrder, match="canonicalise needs shaped"):
        run(graph, (Canonicalise(),), ELABORATED)
    with pytest.raises(OutOfOrder, match="fold-masks needs masked"):
        run(graph, (FoldMasks(),), CHECKED)
    with pytest.raises(OutOfOrder, match="flatten-scopes needs concrete"):
        run(graph, (FlattenScopes(),), CHECKED)
