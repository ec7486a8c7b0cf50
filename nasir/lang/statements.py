"""Bodies of blocks and spaces: statements, one after another."""

from collections.abc import Mapping
from dataclasses import replace

from nasir.diagnostics import MOST_MISTAKES, Span
from nasir.ir.regions import RESULT, RETURNED
from nasir.lang import composition, mistakes
from nasir.lang import syntax as s
from nasir.lang.building import Tensor, join
from nasir.lang.requirements import requirement_of
from nasir.lang.things import Context, Frame, Function, Poison, Poisoned, Thing


def run(body: tuple[s.Statement, ...], frame: Frame, name: s.Identifier, context: Context) -> Tensor:
    """What the body called `name` returns; each mistake is noted and the statements after it still run.

    Raises:
        Mistake: where it returns nothing.
        Poisoned: where the result depends on a mistake.
    """
    result: Thing | Poison | None = None
    first: dict[str, Span] = dict.fromkeys(frame.names, name.span)
    for statement in body:
        if len(context.diagnostics) >= MOST_MISTAKES:
            raise Poisoned
        if result is not None:
            context.diagnostics.append(mistakes.after_return(statement.span).diagnostic)
            result = Poison() if isinstance(statement, s.Return) else result
            continue
        if isinstance(statement, s.Require):
            context.attempt(_required, statement, frame, context)
            continue
        if not frame.path:  # the space's own
            context.builder.flow = RETURNED if isinstance(statement, s.Return) else statement.name.text
        if isinstance(statement, s.Return):
            result = context.attempt(_returned, statement.value, frame, context)
            continue
        things = context.attempt(_bound, statement, frame, first, context)
        for bound in statement.names:
            if isinstance(things, Poison):
                frame.names.setdefault(bound.text, things)  # of two definitions, the first
            else:
                frame.names[bound.text] = things[bound.text]
    if result is None:
        raise mistakes.no_return(name.span, name.text)
    if not isinstance(result, Tensor):
        raise Poisoned
    return result


def _required(statement: s.Require, frame: Frame, context: Context) -> None:
    """Note what every network must meet."""
    value = context.value(statement.value, frame.place("require"))
    if (requirement := requirement_of(value, statement.span)) is not None:
        context.builder.requirements.append(requirement)


def _returned(value: s.Expr, frame: Frame, context: Context) -> Tensor:
    """The tensor that a body returns; of a space that returns several by their names, all together."""
    place = frame.place(RESULT)
    if not isinstance(value, s.Outputs):
        return context.tensor(value, place)
    if frame.path:
        raise composition.outputs_of_a_block(value.span)
    found: dict[str, Tensor] = {}
    first: dict[str, Span] = {}
    for name, one in zip(value.names, value.values, strict=True):
        if name.text in first:
            raise mistakes.defined_twice(name.span, name.text, first[name.text])
        first[name.text] = name.span
        found[name.text] = context.tensor(one, place.part(name.text))
    return context.builder.node("outputs", "outputs", found, {}, value.span)


def _bound(statement: s.Let | s.Bind, frame: Frame, first: dict[str, Span], context: Context) -> Mapping[str, Thing]:
    """What the statement binds its names to; `first` are the places of the names before it."""
    for one in statement.names:
        if one.text in first:
            raise mistakes.defined_twice(one.span, one.text, first[one.text])
        first[one.text] = one.span
    if isinstance(statement, s.Let) and statement.parameters:
        own = replace(frame, names=dict(frame.names))
        return {statement.name.text: context.value_function(statement, own)}
    names = [one.text for one in statement.names]
    label = "_".join(names)
    thing = context.evaluate(statement.value, frame.place(names[0], label))
    if len(names) == 1:
        return {names[0]: _kept(thing, statement, frame, context)}
    if not isinstance(thing, Tensor) or thing.results != len(names):
        count = thing.results if isinstance(thing, Tensor) else 1
        raise composition.other_results(statement.value.span, count, len(names))
    one = {"x": replace(thing, results=1)}
    return {
        name: context.builder.node(join(frame.path, name), "result", one, {"index": i}, statement.span)
        for i, name in enumerate(names)
    }


def _kept(thing: Thing, statement: s.Let | s.Bind, frame: Frame, context: Context) -> Thing:
    """What a statement of one name keeps of a thing."""
    name, is_let = statement.name.text, isinstance(statement, s.Let)
    if isinstance(thing, Tensor):
        if thing.results > 1:
            raise composition.several_results(statement.value.span, thing.results)
        return thing
    if not is_let and isinstance(statement.value, (s.Set, s.Range)):
        raise mistakes.set_without_let(statement.value.span, name)
    if not isinstance(thing, Function):
        return thing
    if thing.decides:
        context.record.choosing.add((frame.path, statement.span))
    return thing.shared(join(frame.path, name)) if is_let else thing
