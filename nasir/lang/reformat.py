"""Files in the one layout: comments stay where they stand, items that do not parse as they are."""

import re
from dataclasses import dataclass
from itertools import pairwise

from nasir.diagnostics import CompileError, Diagnostic, Source
from nasir.lang import syntax as s
from nasir.lang.comments import comments, gaps
from nasir.lang.format import print_file, stand_apart
from nasir.lang.parser import LARGEST_FILE, parse
from nasir.mistakes import formatted_wrongly

_ITEM = re.compile(r"^(?:from|let|set|block|choice|space|objective|search|train)\b", re.MULTILINE)
_BLANK_LINES = re.compile(r"\A(?:[ \t]*\n)+")


@dataclass(frozen=True)
class Formatted:
    """A file's text in the one layout, but for the items that have `mistakes`."""

    text: str
    mistakes: tuple[Diagnostic, ...] = ()


def formatted(source: Source) -> Formatted:
    """The file in the one layout; an item with a syntax error is left as it is.

    Raises:
        CompileError: where the layout would change what the file means, a fault of ours.
    """
    try:
        tree = parse(source)
    except CompileError as error:
        return Formatted(_by_parts(source), error.diagnostics)
    return Formatted(_printed(source, tree))


def _printed(source: Source, tree: s.File) -> str:
    """The layout of a file that parses, which is read again and compared."""
    between = gaps(source)
    text = print_file(tree, between)
    again = Source(source.name, text)
    try:
        same = parse(again) == tree and comments(gaps(again)) == comments(between)
    except CompileError:
        same = False
    if not same:
        raise formatted_wrongly(source.name)
    return text


def _by_parts(source: Source) -> str:
    """A file that does not parse, each top-level item on its own."""
    if len(source.text) > LARGEST_FILE:
        return source.text
    parts: list[str] = []
    before: type[s.Item] | None = None
    for start, end in pairwise([0, *_starts(source.text), len(source.text)]):
        part = Source(source.name, source.text[start:end])
        if not part.text.strip():
            continue
        try:
            tree = parse(part)
        except CompileError:
            items, text = (), _BLANK_LINES.sub("", part.text).rstrip() + "\n"
        else:
            items, text = tree.items, _printed(part, tree)
        first, last = (type(items[0]), type(items[-1])) if items else (None, None)
        if parts and (not _line_above(source.text, start).strip() or stand_apart(before, first)):
            parts.append("\n")
        parts.append(text)
        before = last
    return "".join(parts)


def _starts(text: str) -> list[int]:
    """Where top-level items begin, as far as an eye sees it, each with the comments right above it."""
    found: list[int] = []
    last = 0
    for match in _ITEM.finditer(text):
        opened = text.count("{", last, match.start()) - text.count("}", last, match.start())
        if match[0] == "let" and opened > 0:  # within a body
            continue
        last = match.start()
        start = last
        while (above := _line_above(text, start)).lstrip().startswith("#"):
            start -= len(above)
        found.append(start)
    return found


def _line_above(text: str, start: int) -> str:
    """The line above the one that begins at `start`, with its end."""
    return text[text.rfind("\n", 0, max(0, start - 1)) + 1 : start]
