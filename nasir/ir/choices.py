"""Choices as users give them."""

from collections.abc import Mapping, Sequence

from nasir.diagnostics import CompileError, Diagnostic, closest
from nasir.ir.dims import Decision
from nasir.ir.graph import Choices
from nasir.ir.values import Scalar, key


def check_choices(
    decisions: Sequence[Decision], given: Mapping[str, object], base: Choices | None = None
) -> dict[str, Scalar]:
    """`given` checked against the decisions; an option may be given as its text. `base` fills what is missing.

    Raises:
        CompileError: where a name is no decision, a value no option, or a decision is left open.
    """
    known = {d.name: d for d in decisions}
    found: dict[str, Scalar] = dict(base or {})
    mistakes: list[Diagnostic] = []
    for name, value in given.items():
        if name not in known:
            hints = closest(name, known) or ("`nasir info FILE` lists the decisions",)
            mistakes.append(Diagnostic("E0601", f"no decision is named `{name}`", hints=hints))
            continue
        options = {key(option): option for option in known[name].options}
        written = key(value) if isinstance(value, (int, float, str)) else str(value)
        if written not in options:
            hint = f"it is one of {', '.join(options)}"
            mistakes.append(Diagnostic("E0602", f"`{written}` is no option of `{name}`", hints=(hint,)))
            continue
        found[name] = options[written]
    if not mistakes and (missing := [name for name in known if name not in found]):
        hint = "`--largest --choose NAME=VALUE` takes the rest from the largest network"
        names = ", ".join(missing[:6]) + (", ..." if len(missing) > 6 else "")
        mistakes.append(Diagnostic("E0603", f"nothing is chosen for {names}", hints=(hint,)))
    if mistakes:
        raise CompileError(mistakes)
    return {name: found[name] for name in known}
