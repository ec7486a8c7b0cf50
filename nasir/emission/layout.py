"""Lines of Python in the layout that `ruff format` gives them, so that an emitted file needs no formatter."""

from collections.abc import Sequence

WIDTH = 88


def call(head: str, arguments: Sequence[str], tail: str, indent: int) -> list[str]:
    """`head(arguments)tail`: on one line, else the arguments on one line of their own, else one a line."""
    space, inner = " " * indent, " " * (indent + 4)
    whole = f"{space}{head}({', '.join(arguments)}){tail}"
    if len(whole) <= WIDTH:
        return [whole]
    together = f"{inner}{', '.join(arguments)}"
    if len(together) <= WIDTH and len(arguments) > 0:
        return [f"{space}{head}(", together, f"{space}){tail}"]
    return [f"{space}{head}(", *(f"{inner}{a}," for a in arguments), f"{space}){tail}"]
