"""What a program means and most likely should not: names that nothing uses, decisions that change nothing."""

from collections.abc import Collection, Iterator, Sequence

from nasir.diagnostics import Diagnostic, Span
from nasir.ir.graph import Graph, is_decided
from nasir.lang import mistakes
from nasir.lang import syntax as s
from nasir.lang.imports import Module
from nasir.lang.objectives import LOSS
from nasir.lang.settings import Settings


def warnings(
    module: Module, elaborated: Graph | None, checked: Graph | None, settings: Settings
) -> Iterator[Diagnostic]:
    """The warnings about a file without mistakes: its graph as elaborated and as checked, where it has a space."""
    unused = list(_unused(module))
    for _, name in unused:
        yield mistakes.unused_binding(name.span, name.text)
    if elaborated is not None and checked is not None:
        yield from _dead_decisions(elaborated, checked, [statement.span for statement, _ in unused])
        searched = {settings.search.loss} if checked.decisions else set[str]()
        yield from _useless_output(checked, searched | {settings.train.loss})


def _unused(module: Module) -> Iterator[tuple[s.Let | s.Bind, s.Identifier]]:
    """Statements that bind a name which nothing reads, in the bodies of a file; of several, one must be read."""
    for item in module.tree.items:
        if not isinstance(item, (s.Block, s.Space)):
            continue
        read = {tree.text for statement in item.body for tree in s.walk(statement.value) if isinstance(tree, s.Name)}
        for statement in item.body:
            if isinstance(statement, (s.Let, s.Bind)) and not any(name.text in read for name in statement.names):
                yield statement, statement.name


def _dead_decisions(elaborated: Graph, checked: Graph, said: Sequence[Span]) -> Iterator[Diagnostic]:
    """Decisions that no network depends on, outside the places that are said already."""
    kept = {(d.span.source, d.span.start) for d in checked.decisions if d.span}
    for decision in elaborated.decisions:
        span = decision.span
        if span is None or (span.source, span.start) in kept or any(_is_in(span, place) for place in said):
            continue
        yield mistakes.idle_decision(span, decision.name)


def _useless_output(graph: Graph, losses: Collection[str]) -> Iterator[Diagnostic]:
    """A space whose output no training can use: cross-entropy tells the class of each input by a vector, or of each
    pixel by a map of the input's sizes; other losses take numbers of any shape that is decided."""
    node = graph.by_name[graph.output]
    if node.shape.parts:  # for a use of its own
        return
    if not all(map(is_decided, node.shape.channels)):
        yield mistakes.useless_output(node.span, "of undecided width")
    elif LOSS in losses and not node.shape.is_pooled and node.shape.sizes != graph.input.shape.sizes:
        yield mistakes.useless_output(node.span, "a map of other sizes than the input's")


def _is_in(span: Span, place: Span) -> bool:
    return span.source is place.source and place.start <= span.start and span.end <= place.end
