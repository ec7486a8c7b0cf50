"""One constructor for each mistake of a program that a pass finds."""

from nasir.diagnostics import CompileError, Diagnostic, Span


def not_computable(span: Span | None, reason: str) -> Diagnostic:
    return Diagnostic("E0305", f"a size cannot be computed for some choices: {reason}", span)


def several_widths(span: Span | None) -> CompileError:
    return CompileError(Diagnostic("E0411", "explicit copies need one width, and this value has several", span))
