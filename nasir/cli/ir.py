"""`nasir ir`."""

from collections.abc import Callable
from typing import Annotated

import typer

from nasir.api import compile_source
from nasir.cli import mistakes
from nasir.cli.choosing import Choosing, with_choice
from nasir.cli.options import File, With, parameters
from nasir.ir.graph import Choices as Chosen
from nasir.ir.graph import Graph
from nasir.ir.printer import print_graph
from nasir.lang.imports import find
from nasir.passes.base import OutOfOrder, Pass
from nasir.passes.base import run as run_passes
from nasir.passes.pipeline import CHECKED, ELABORATED, all_passes, derivation, supernet
from nasir.passes.specialise import Specialise

NAME = "ir"


@with_choice
def command(
    file: File,
    *,
    given: With = None,
    after: Annotated[str | None, typer.Option("--after", metavar="PASS", help="The IR after this pass.")] = None,
    passes: Annotated[
        str | None,
        typer.Option("--passes", metavar="A,B,...", help="Run these passes on the elaborated program, in this order."),
    ] = None,
    each: Annotated[bool, typer.Option("--each", help="The IR after each pass.")] = False,
    choosing: Choosing,
) -> None:
    """Print the graph IR: after the front end, after PASS, after each pass, or after passes of your own choice.

    Passes: elaborate, infer-shapes, canonicalise, prune-dead, then place-masks and fold-masks on the way to a
    supernet, or, with choices, specialise, canonicalise, prune-dead, flatten-scopes on the way to a network.
    """
    stages: list[tuple[str, Graph]] = []
    space = compile_source(find(file), lambda name, graph: stages.append((name, graph)), parameters(given))
    chosen = choosing.of(space)
    front = len(stages)
    start, held = space.graph, CHECKED
    if passes is not None:
        steps = tuple(_named(name.strip(), chosen) for name in passes.split(",") if name.strip())
        stages, front = stages[:1], 0
        (_, start), held = stages[0], ELABORATED
    else:
        steps = derivation(chosen) if chosen else supernet()
    try:
        run_passes(start, steps, held, lambda name, graph: stages.append((name, graph)))
    except OutOfOrder as error:
        raise mistakes.pass_too_early(error.step.name, [fact.value for fact in error.missing]) from None
    notes = {step.name: step.note for step in steps}
    if each:
        for name, graph in stages:
            print(f"# after {name}\n{_printed(graph, notes.get(name))}")
        return
    if after is None:
        _, graph = stages[-1] if chosen or not front else stages[front - 1]
        print(print_graph(graph), end="")
        return
    # A pass may run twice, in the front end and in derivation: the last one is what choices ask for.
    found = [graph for name, graph in stages if name == after]
    if not found:
        raise mistakes.unknown_pass(after, list(dict.fromkeys(name for name, _ in stages)))
    print(_printed(found[-1], notes.get(after)), end="")


def _named(name: str, chosen: Chosen | None) -> Pass:
    """A pass by its name; `specialise` takes the choices of the command line."""
    known = all_passes()
    if name not in known:
        raise mistakes.unknown_pass(name, list(known))
    return Specialise(chosen or {}) if name == Specialise.name else known[name]()


def _printed(graph: Graph, note: Callable[[Graph], str] | None) -> str:
    line = note(graph) if note else ""
    return (f"# {line}\n" if line else "") + print_graph(graph)
