"""A program to a graph: blocks inlined, tables unrolled, sets made decisions. Shapes are still symbolic."""

from dataclasses import dataclass, field

from nasir.diagnostics import CompileError, Diagnostic
from nasir.ir.graph import Graph
from nasir.lang import mistakes
from nasir.lang import syntax as s
from nasir.lang.application import Applier, inlined
from nasir.lang.building import Builder, Record
from nasir.lang.evaluate import Evaluator, Frame, Poison, Poisoned
from nasir.lang.mistakes import Mistake
from nasir.lang.modules import Module


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
    space = module.first(s.Space)
    if not isinstance(space, s.Space):
        raise CompileError(mistakes.no_space(module.tree.span).diagnostic)
    builder = Builder()
    evaluator = Evaluator(builder)
    applier = evaluator.applier = Applier(builder, evaluator)
    try:
        frame = _parameters(space, module, evaluator, applier.diagnostics)
        builder.record.inlined[""] = inlined(frame.names)
        output = applier.body(space.body, frame, space.name)
    except Mistake as mistake:
        raise CompileError([*applier.diagnostics, mistake.diagnostic]) from None
    except Poisoned:
        raise CompileError(applier.diagnostics) from None
    if applier.diagnostics:
        raise CompileError(applier.diagnostics)
    inputs = [node for node in builder.nodes.values() if not node.operands]
    if len(inputs) != 1:
        span = inputs[1].span if inputs else None
        raise CompileError(mistakes.image_count(span or space.name.span, len(inputs)).diagnostic)
    return Elaboration(builder.graph(space.name.text, output), builder.record)


def _parameters(space: s.Space, module: Module, evaluator: Evaluator, diagnostics: list[Diagnostic]) -> Frame:
    frame = Frame(module, "")
    for parameter in space.parameters:
        name = parameter.name.text
        try:
            if name in frame.names:
                first = next(p.name.span for p in space.parameters if p.name.text == name)
                raise mistakes.defined_twice(parameter.name.span, name, first)
            frame.names[name] = Poison()
            if parameter.default is None:
                raise mistakes.parameter_without_default(parameter.name.span, name)
            frame.names[name] = evaluator.evaluate(parameter.default, frame, name)
        except Mistake as mistake:
            diagnostics.append(mistake.diagnostic)
        except Poisoned:
            pass
    return frame
