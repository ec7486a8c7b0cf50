"""What is wrong with a user's file, as data: places, codes, messages, hints. Imports of nasir its resources alone."""

from nasir.diagnostics.diagnostic import MOST_MISTAKES, CompileError, Diagnostic, closest, distinct
from nasir.diagnostics.plain import plain
from nasir.diagnostics.render import render, render_all
from nasir.diagnostics.source import Source, Span

__all__ = [
    "MOST_MISTAKES",
    "CompileError",
    "Diagnostic",
    "Source",
    "Span",
    "closest",
    "distinct",
    "plain",
    "render",
    "render_all",
]
