"""Choices as users give them."""

from collections.abc import Mapping, Sequence

from nasir.diagnostics import CompileError, Diagnostic
from nasir.ir import mistakes
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
    wrong: list[Diagnostic] = []
    for name, value in given.items():
        if name not in known:
            wrong.append(mistakes.no_decision(name, known))
            continue
        options = {key(option): option for option in known[name].options}
        written = key(value) if isinstance(value, (int, float, str)) else str(value)
        if written not in options:
            wrong.append(mistakes.no_option(name, written, options))
            continue
        found[name] = options[written]
    if not wrong and (missing := [name for name in known if name not in found]):
        wrong.append(mistakes.left_open(missing))
    if wrong:
        raise CompileError(wrong)
    return {name: found[name] for name in known}
