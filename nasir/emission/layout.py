"""Lines of Python in the layout that `ruff format` gives them, so that an emitted file needs no formatter."""

from collections.abc import Sequence

from nasir.ir.ops import Call

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


def padded(value: str, call: Call) -> str:
    """A value with the padding around it that its call needs."""
    filler = "" if call.filler == 0 else f', value=float("{call.filler}")'
    return f"F.pad({value}, {call.pad}{filler})"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Calls in rows, each a head and its arguments: arguments that stand in the same place of every row of one head
    begin in one column. Without a trailing comma."""
    by_head: dict[str, list[Sequence[str]]] = {}
    for head, *arguments in rows:
        by_head.setdefault(head, []).append(arguments)
    widths = {head: _columns(own) for head, own in by_head.items()}
    found: list[str] = []
    for head, *arguments in rows:
        columns = widths[head]
        cells = [
            f"{argument + ',':<{columns[i] + 1}}" if i < len(columns) and i + 1 < len(arguments) else f"{argument},"
            for i, argument in enumerate(arguments)
        ]
        found.append(f"{head}({' '.join(cells).rstrip().removesuffix(',')})")
    return found


def _columns(rows: Sequence[Sequence[str]]) -> list[int]:
    """The widths of those leading arguments that every row has, by their keywords."""
    widths: list[int] = []
    for arguments in zip(*rows, strict=False):
        keywords = {argument.partition("=")[0] if "=" in argument else "" for argument in arguments}
        if len(keywords) > 1:
            break
        widths.append(max(map(len, arguments)))
    return widths
