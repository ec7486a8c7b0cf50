"""`nasir ir`."""

from collections.abc import Callable
from typing import Annotated

import typer

from nasir.api import compile_source
from nasir.cli import mistakes
from nasir.cli.options import Choices, Choose, File, Largest, Run, Sample, Smallest, With, parameters, selected
from nasir.ir.graph import Graph
from nasir.ir.printer import print_graph
from nasir.lang.modules import find
from nasir.passes.base import run as run_passes
from nasir.passes.pipeline import CHECKED, derivation, supernet

NAME = "ir"


def command(
    file: File,
    given: With = None,
    after: Annotated[str | None, typer.Option("--after", metavar="PASS", help="The IR after this pass.")] = None,
    passes: Annotated[bool, typer.Option("--passes", help="The IR after each pass.")] = False,
    largest: Largest = False,
    smallest: Smallest = False,
    sample: Sample = None,
    choose: Choose = None,
    choices: Choices = None,
    run: Run = None,
) -> None:
    """Print the graph IR: after the front end, after PASS, or after each pass.

    Passes: elaborate, infer-shapes, canonicalise, prune-dead, then place-masks and fold-masks on the way to a
    supernet, or, with choices, specialise, canonicalise, prune-dead, flatten-scopes on the way to a network.
    """
    stages: list[tuple[str, Graph]] = []
    space = compile_source(find(file), lambda name, graph: stages.append((name, graph)), parameters(given))
    chosen = selected(space, largest=largest, smallest=smallest, sample=sample, choose=choose, choices=choices, run=run)
    front = len(stages)
    rest = supernet() if not chosen else derivation(chosen)
    run_passes(space.graph, rest, CHECKED, lambda name, graph: stages.append((name, graph)))
    notes = {step.name: step.note for step in rest}
    if passes:
        for name, graph in stages:
            print(f"# after {name}\n{_printed(graph, notes.get(name))}")
        return
    if after is None:
        after_front = stages[-1] if chosen else stages[front - 1]
        print(print_graph(after_front[1]), end="")
        return
    # A pass may run twice, in the front end and in derivation: the last one is what choices ask for.
    found = [graph for name, graph in stages if name == after]
    if not found:
        names = list(dict.fromkeys(name for name, _ in stages))
        raise mistakes.unknown_pass(after, names)
    print(_printed(found[-1], notes.get(after)), end="")


def _printed(graph: Graph, note: Callable[[Graph], str] | None) -> str:
    line = note(graph) if note else ""
    return (f"# {line}\n" if line else "") + print_graph(graph)
