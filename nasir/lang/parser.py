"""Text to syntax tree, with Lark. Every syntax error becomes a diagnostic; one a top-level item at most."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any, cast

from lark import Lark, Token, Tree, UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken

from nasir import resources
from nasir.diagnostics import MOST_MISTAKES, CompileError, Diagnostic, Source, Span
from nasir.lang import mistakes
from nasir.lang import syntax as s
from nasir.lang.intentions import meant
from nasir.lang.trees import Trees

LARGEST_FILE = 1_000_000
DEEPEST_NESTING = 60

_ITEM = re.compile(r"^(?:from|set|block|choice|space|objective|search|train)\b", re.MULTILINE)
_READABLE = {
    "NAME": "a name",
    "NUMBER": "a number",
    "PAIR": "a number",
    "STRING": "a string",
    "COMPARISON": "a comparison",
    "$END": "the end of the text",
    "RETURN": "`return`",
    "__ANON_0": "`->`",
    "__ANON_1": "`..`",
}
_STARTS = {"nas.lark": ["start", "expr", "override", "constraints"]}
_OPERATORS = {
    "PLUS",
    "MINUS",
    "STAR",
    "SLASH",
    "CARET",
    "PERCENT",
    "OR",
    "AND",
    "COMPARISON",
    "__ANON_0",
    "__ANON_1",
    "DOT",
    "WHEN",
}


@cache
def _lark(grammar: str) -> Lark:
    text = (resources.folder("grammars") / grammar).read_text(encoding="utf-8")
    starts = _STARTS.get(grammar, ["start"])
    return Lark(text, parser="lalr", start=starts, propagate_positions=True, maybe_placeholders=True)


def lark_tree(grammar: str, text: str, rule: str = "start") -> "Tree[Token]":
    """The parse tree of `text`, a `rule` of `grammars/<grammar>`."""
    return _lark(grammar).parse(text, rule)


def parse(source: Source) -> s.File:
    """The syntax tree of a file.

    Raises:
        CompileError: with a diagnostic for each top-level item that has a syntax error.
    """
    return Trees(source).file(_tree(source, "start"))


def tokens(source: Source) -> Iterator[Token]:
    """The tokens of a file that parses, comments left out."""
    yield from _lark("nas.lark").parse_interactive(source.text, "start").iter_parse()


def parse_part(source: Source, rule: str) -> Any:
    """The syntax tree of a text that is one `expr`, `override` or `constraints` of the grammar, and nothing more.

    Raises:
        CompileError: with the first syntax error.
    """
    return Trees(source).part(_tree(source, rule))


def _tree(source: Source, rule: str) -> "Tree[Token]":
    whole = Span(source, 0, min(1, len(source.text)))
    if len(source.text) > LARGEST_FILE:
        raise mistakes.too_large_file(whole, LARGEST_FILE)
    try:
        tree = lark_tree("nas.lark", source.text, rule)
    except UnexpectedInput as error:
        found = _all_errors(source) if rule == "start" else []
        raise CompileError(found or [_syntax_error(source, error, 0, len(source.text))]) from None
    _check_nesting(source, tree)
    return tree


def _all_errors(source: Source) -> list[Diagnostic]:
    """Each top-level item parsed on its own, so that a mistake in one does not hide or cause another's."""
    starts = [match.start() for match in _ITEM.finditer(source.text)]
    bounds = [0, *starts, len(source.text)]
    found: list[Diagnostic] = []
    for start, end in pairwise(bounds):
        if len(found) == MOST_MISTAKES:
            break
        try:
            lark_tree("nas.lark", source.text[start:end])
        except UnexpectedInput as error:
            found.append(_syntax_error(source, error, start, end))
    return found


def _syntax_error(source: Source, error: UnexpectedInput, first: int, limit: int) -> Diagnostic:
    """The error of a parse of the source's characters from `first` to `limit`."""
    start = first + (error.pos_in_stream or 0)
    if isinstance(error, UnexpectedCharacters):
        character = source.text[start : start + 1]
        if character == '"':
            return mistakes.endless_string(Span(source, start, start + 1))
        expected = set(cast("set[str]", error.allowed or ()))
        hints = _hints(source, start, expected)
        return mistakes.misplaced(Span(source, start, start + 1), f"the character `{character}`", hints)
    if isinstance(error, UnexpectedToken):
        token = cast(Token, error.token)
        expected = set(cast("set[str]", error.accepts or error.expected or ()))
        if token.type == "$END":
            place = _end_of_text(source, first, limit)
            return mistakes.early_end(place, _expected(expected))
        span = Span(source, first + (token.start_pos or 0), first + (token.end_pos or 0))
        return mistakes.misplaced(span, f"`{token}`", _hints(source, span.start, expected))
    assert isinstance(error, UnexpectedEOF)
    return mistakes.early_end(_end_of_text(source, first, limit))


def _hints(source: Source, at: int, expected: set[str]) -> tuple[str, ...]:
    """What somebody meant who wrote what stands there; where that is unknown, what could stand there."""
    sentence = meant(source.text, at)
    return (sentence,) if sentence else _expected(expected)


def _end_of_text(source: Source, first: int, limit: int) -> Span:
    """The last character of a part of the source that is no blank, or of what is before it."""
    end = first + len(source.text[first:limit].rstrip())
    end = end if end > first else len(source.text[:first].rstrip())
    return Span(source, max(0, end - 1), end)


def _expected(terminals: set[str]) -> tuple[str, ...]:
    # Where a name or an operand could stand, so could every operator: naming them all would tell nobody anything.
    shorter = terminals - _OPERATORS if len(terminals) > 4 else terminals
    names = sorted({_readable(t) for t in shorter or terminals})
    if not names or len(names) > 8:
        return ()
    return (f"expected {', '.join(names[:-1])} or {names[-1]}" if names[1:] else f"expected {names[0]}",)


def _readable(terminal: str) -> str:
    if terminal in _READABLE:
        return _READABLE[terminal]
    pattern = next((t.pattern.value for t in _lark("nas.lark").terminals if t.name == terminal), terminal.lower())
    return f"`{pattern}`"


def _check_nesting(source: Source, tree: "Tree[Token]") -> None:
    stack: list[tuple[Tree[Token], int]] = [(tree, 0)]
    while stack:
        node, depth = stack.pop()
        if depth > DEEPEST_NESTING:
            span = Span(source, getattr(node.meta, "start_pos", 0), getattr(node.meta, "end_pos", 1))
            raise mistakes.too_deep(span, DEEPEST_NESTING)
        for i, child in enumerate(node.children):
            if isinstance(child, Tree):
                # A long flow is a deep tree to Lark and one flat thing to its reader.
                deeper = 0 if node.data == "step" and i == 0 else 1
                stack.append((child, depth + deeper))
