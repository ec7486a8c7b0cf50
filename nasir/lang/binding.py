"""What can be seen without running a program: names that nothing defines, rows that do not fit their header.

Found in every definition of a file, whether a space uses it or not.
"""

from collections.abc import Iterator

from nasir.diagnostics import Diagnostic
from nasir.lang import mistakes
from nasir.lang import syntax as s
from nasir.lang.evaluate import builtin_names
from nasir.lang.imports import Module


def binding_mistakes(module: Module) -> Iterator[Diagnostic]:
    """A diagnostic for each such mistake in the module's definitions."""
    known = {*builtin_names(), *module.names}
    for item in module.tree.items:
        match item:
            case s.Block():
                yield from _body(item.parameters, item.body, known | {"x"})
            case s.Space():
                yield from _body(item.parameters, item.body, known)
            case s.Choice():
                for alternative in item.alternatives:  # a guard sees the columns of whatever row uses the choice
                    yield from _expr(alternative.value, known | {"x"})
            case s.Let():
                yield from _expr(item.value, known | {p.name.text for p in item.parameters})
            case s.Defaults() if item.name.text not in known:
                yield mistakes.unknown_name(item.name.span, item.name.text, known).diagnostic
            case _:
                pass


def _body(parameters: tuple[s.Parameter, ...], body: tuple[s.Statement, ...], known: set[str]) -> Iterator[Diagnostic]:
    known = set(known)
    first: dict[str, s.Identifier] = {}
    for parameter in parameters:
        name = parameter.name
        if name.text in first:
            yield mistakes.defined_twice(name.span, name.text, first[name.text].span).diagnostic
        first.setdefault(name.text, name)
        if parameter.default is not None:
            yield from _expr(parameter.default, known)
        known.add(parameter.name.text)
    for statement in body:
        own = statement.parameters if isinstance(statement, s.Let) else ()
        yield from _expr(statement.value, known | {p.name.text for p in own})
        if not isinstance(statement, s.Return):
            known.update(name.text for name in statement.names)


def _expr(expr: s.Expr, known: set[str]) -> Iterator[Diagnostic]:
    naming: set[int] = set()
    for tree in s.walk(expr):
        match tree:
            case s.Name() if tree.text not in known and id(tree) not in naming:
                yield mistakes.unknown_name(tree.span, tree.text, known).diagnostic
            case s.Stages():
                naming.update(map(id, tree.named()))
                for row in tree.rows:
                    if len(row.cells) != len(tree.header):
                        yield mistakes.cell_count(row.span, len(row.cells), len(tree.header)).diagnostic
            case _:
                pass
