"""One constructor for each mistake in choices that a user gives."""

from collections.abc import Iterable, Sequence

from nasir.diagnostics import Diagnostic, closest


def no_decision(name: str, known: Iterable[str]) -> Diagnostic:
    hints = closest(name, known) or ("`nasir info FILE` lists the decisions",)
    return Diagnostic("E0601", f"no decision is named `{name}`", hints=hints)


def no_option(name: str, value: str, options: Iterable[str]) -> Diagnostic:
    return Diagnostic("E0602", f"`{value}` is no option of `{name}`", hints=(f"it is one of {', '.join(options)}",))


def left_open(names: Sequence[str]) -> Diagnostic:
    hint = "`--largest --choose NAME=VALUE` takes the rest from the largest network"
    shown = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
    return Diagnostic("E0603", f"nothing is chosen for {shown}", hints=(hint,))
