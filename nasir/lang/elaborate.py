"""A program to a graph: blocks inlined, tables unrolled, sets made decisions. Shapes are still symbolic."""

from dataclasses import dataclass, field

from nasir.diagnostics import CompileError, Span
from nasir.ir.graph import SPACE, Graph, Region
from nasir.lang import mistakes
from nasir.lang import syntax as s
from nasir.lang.evaluate import Evaluator
from nasir.lang.imports import Module
from nasir.lang.mistakes import Mistake
from nasir.lang.narrowing import base_of
from nasir.lang.statements import run
from nasir.lang.things import Context, Frame, Poison, Poisoned, Record, Thing, region_values


@dataclass(frozen=True)
class Elaboration:
    """A space's graph, and what each place of its program became."""

    graph: Graph
    record: Record = field(repr=False)


def elaborate(module: Module) -> Elaboration:
    """The graph of the module's space.

    Raises:
        CompileError: with every mistake found on the way.
    """
    if module.space is None:
        raise CompileError(mistakes.no_space(module.tree.span).diagnostic)
    context = Evaluator()
    builder, diagnostics = context.builder, context.diagnostics
    try:
        space, module, builder.narrowings = base_of(module, module.space)
        frame = _parameters(space, module, context)
        context.record.inlined[""] = frame.inlined
        builder.region(space.span, Region("", SPACE, space.name.text, region_values(frame.names)))
        output = run(space.body, frame, space.name, context)
    except Mistake as mistake:
        raise CompileError([*diagnostics, mistake.diagnostic]) from None
    except Poisoned:
        raise CompileError(diagnostics) from None
    if diagnostics:
        raise CompileError(diagnostics)
    inputs = [node for node in builder.nodes.values() if not node.operands]
    if len(inputs) != 1:
        span = inputs[1].span if inputs else None
        raise CompileError(mistakes.image_count(span or space.name.span, len(inputs)).diagnostic)
    if space.doc:
        builder.docs[space.name.text] = space.doc
    try:
        return Elaboration(builder.graph(space.name.text, output), context.record)
    except Mistake as mistake:
        raise CompileError(mistake.diagnostic) from None


def _parameters(space: s.Space, module: Module, context: Context) -> Frame:
    frame = Frame(module, "")
    first: dict[str, Span] = {}
    for parameter in space.parameters:
        value = context.attempt(_default, parameter, frame, first, context)
        if not isinstance(value, Poison):
            frame.names[parameter.name.text] = value
    return frame


def _default(parameter: s.Parameter, frame: Frame, first: dict[str, Span], context: Context) -> Thing:
    name = parameter.name.text
    if name in first:
        raise mistakes.defined_twice(parameter.name.span, name, first[name])
    first[name] = parameter.name.span
    frame.names[name] = Poison()
    if parameter.default is None:
        raise mistakes.parameter_without_default(parameter.name.span, name)
    return context.evaluate(parameter.default, frame.place(name))
