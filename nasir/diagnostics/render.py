"""Diagnostics as text: the place, the line, an underline, the hints."""

from collections.abc import Iterable

from nasir.diagnostics.diagnostic import MOST_MISTAKES, Diagnostic
from nasir.diagnostics.plain import plain
from nasir.diagnostics.source import Span

_LONGEST_LINE = 160


def render(diagnostic: Diagnostic) -> str:
    """`file:line:column: error[CODE]: message` (or `warning`), the line underlined at the place, then the hints; what a
    terminal would obey is shown instead."""
    where = f"{diagnostic.span}: " if diagnostic.span else ""
    kind = "warning" if diagnostic.is_warning else "error"
    lines = [f"{where}{kind}[{diagnostic.code}]: {diagnostic.message}"]
    if diagnostic.span:
        lines += _excerpt(diagnostic.span, "^")
    for span, note in diagnostic.related:
        lines += [f"  note: {span}: {note}", *_excerpt(span, "-")]
    lines += [f"  help: {hint}" for hint in diagnostic.hints]
    return plain("\n".join(line.replace("\n", " ") for line in lines))


def render_all(diagnostics: Iterable[Diagnostic]) -> str:
    """The diagnostics, with a blank line between two; of more than `MOST_MISTAKES` the first ones."""
    every = list(diagnostics)
    shown = [render(d) for d in every[:MOST_MISTAKES]]
    if len(every) > MOST_MISTAKES:
        shown.append(f"and {len(every) - MOST_MISTAKES:,} more")
    return "\n\n".join(shown)


def _excerpt(span: Span, mark: str) -> list[str]:
    line, column = span.source.place(span.start)
    text = span.source.line(line)
    length = max(1, min(span.end - span.start, len(text) - column + 1))
    # A line of thousands of characters would bury its own underline: show a window around the place.
    first = max(0, column - 1 - _LONGEST_LINE // 2) if len(text) > _LONGEST_LINE else 0
    shown = text[first : first + _LONGEST_LINE]
    length = max(1, min(length, len(shown) - (column - 1 - first)))
    # Tabs stay tabs below the line, so that the underline stands under the place at any tab width.
    indent = "".join("\t" if c == "\t" else " " for c in text[first : column - 1])
    gutter = " " * len(str(line))
    return [f" {gutter} |", f" {line} | {shown}", f" {gutter} | {indent}{mark * length}"]
