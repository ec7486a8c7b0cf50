"""Values for a space's parameters from outside: the program with other defaults, complete in itself."""

from collections.abc import Mapping, Sequence

from nasir.diagnostics import CompileError, Diagnostic, Source
from nasir.lang import mistakes
from nasir.lang import syntax as s
from nasir.lang.parser import parse, parse_part


def with_parameters(source: Source, given: Mapping[str, str]) -> Source:
    """The program whose space has these texts in place of its parameters' defaults.

    Raises:
        CompileError: where a name is no parameter, or a text no expression of the language.
    """
    space = next((item for item in parse(source).items if isinstance(item, (s.Space, s.NarrowedSpace))), None)
    if isinstance(space, s.NarrowedSpace):
        return _with_arguments(source, space, given)
    parameters = {p.name.text: p for p in space.parameters} if space else {}
    found: list[Diagnostic] = []
    edits: list[tuple[int, int, str]] = []
    for name, text in given.items():
        if name not in parameters:
            found.append(mistakes.unknown_parameter(name, parameters))
            continue
        place = parameters[name].span
        edits.append((place.start, place.end, f"{name} = {_expression(name, text).span.text}"))
    if found:
        raise CompileError(found)
    return _edited(source, edits)


def _with_arguments(source: Source, space: s.NarrowedSpace, given: Mapping[str, str]) -> Source:
    """The same of a space that builds on another: the arguments that it gives to that one."""
    places = {str(argument.name): argument.span for argument in space.arguments}
    edits: list[tuple[int, int, str]] = []
    for name, text in given.items():
        written = f"{name} = {_expression(name, text).span.text}"
        if name in places:
            edits.append((places[name].start, places[name].end, written))
        else:
            opening = source.text.index("(", space.base.span.end) + 1
            edits.append((opening, opening, f"{written}{', ' if places else ''}"))
    return _edited(source, edits)


def _edited(source: Source, edits: Sequence[tuple[int, int, str]]) -> Source:
    text = source.text
    for start, end, replacement in sorted(edits, reverse=True):
        text = text[:start] + replacement + text[end:]
    return Source(source.name, text)


def _expression(name: str, text: str) -> s.Expr:
    return parse_part(Source(f"--with {name}", text), "expr")
