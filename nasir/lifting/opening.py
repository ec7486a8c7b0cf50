"""Sets in the place of a network's values: the network becomes a space with itself in it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil

from nasir.api import Space
from nasir.ir.values import Scalar
from nasir.lang import syntax as s
from nasir.lang.parser import parse
from nasir.lifting import expressions as e
from nasir.lifting import mistakes

WIDTHS, KERNELS, DEPTH = "widths", "kernels", "depth"
KINDS = (WIDTHS, KERNELS, DEPTH)
_STEP = 8
_SHARES = (0.5, 0.75)
_KERNELS = (3, 5, 7)


@dataclass(frozen=True, eq=False)
class Site:
    """A number of the program that can become a set: where it stands, what it is called when it does not, and what it
    is a multiple of. Of a width, `tie` is what else has it; of one in a table, all layers of a row have one."""

    kind: str
    place: s.Number
    label: str
    multiple: int = 1
    tie: str = ""
    is_for_the_row: bool = False


def kinds(text: str) -> tuple[str, ...]:
    """What `--open` names.

    Raises:
        CompileError: where it names something else.
    """
    given = tuple(dict.fromkeys(one.strip() for one in text.split(",") if one.strip()))
    for one in given:
        if one not in KINDS:
            raise mistakes.no_kind(one, KINDS)
    return given


def options(site: Site) -> tuple[int, ...]:
    """The values of a set, with the network's own; one alone where there is nothing to choose."""
    own = int(site.place.value)
    match site.kind:
        case "widths":
            step = _STEP * site.multiple
            others = {round(own * share / step) * step for share in _SHARES}
            return tuple(sorted({own, *(n for n in others if 0 < n < own)}))
        case "kernels":
            return tuple(sorted({own, *_KERNELS}))
        case _:
            return (0, 1) if own == 1 else tuple(sorted({ceil(own / 2), ceil(own * 3 / 4), own}))


@dataclass(frozen=True)
class Opened:
    """A program with sets, and the network's own value of each of them, in the order of the text."""

    file: s.File
    own: tuple[Scalar, ...]


def opened(file: s.File, sites: Sequence[Site]) -> Opened:
    """The program with a set at each site; widths that are tied have one, which a `let` names."""
    groups: dict[str, list[Site]] = {}
    for site in sites:
        groups.setdefault(site.tie or f"@{len(groups)}", []).append(site)
    written: dict[int, s.Expr] = {}
    lets: list[s.Let] = []
    made: list[tuple[s.Set, Site]] = []
    for group in groups.values():
        found = _set(group[0])
        made.append((found, group[0]))
        if len(group) > 1:
            name = f"width_{len(lets) + 1}"
            lets.append(s.Let(e.SPAN, e.identifier(name), found))
            written |= {id(site.place): e.name(name) for site in group}
        else:
            site = group[0]
            written[id(site.place)] = s.OneForTheRow(e.SPAN, found) if site.is_for_the_row else found
    items = [_replaced(item, written) for item in file.items]
    items = [_with_lets(item, lets) if isinstance(item, s.Space) else item for item in items]
    own = {id(found): site.place.value for found, site in made}
    sets = (tree for tree in s.walk(tuple(items)) if isinstance(tree, s.Set))
    return Opened(replace(file, items=tuple(items)), tuple(own[id(tree)] for tree in sets))


def _set(site: Site) -> s.Set:
    return s.Set(e.SPAN, tuple(map(e.literal, options(site))))


def _with_lets(space: s.Space, lets: Sequence[s.Let]) -> s.Space:
    first, *others = space.body
    return replace(space, body=(first, *lets, *others))


def _replaced(item: s.Item, written: Mapping[int, s.Expr]) -> s.Item:
    if not isinstance(item, (s.Block, s.Space)):
        return item

    def change(expr: s.Expr) -> s.Expr:
        return written[id(expr)] if id(expr) in written else _within(expr, change)

    body = tuple(replace(statement, value=change(statement.value)) for statement in item.body)
    return replace(item, body=body)


def _within(expr: s.Expr, change: Callable[[s.Expr], s.Expr]) -> s.Expr:
    """The expression with each that it is made of changed, also in calls and tables."""
    match expr:
        case s.Call():
            arguments = tuple(replace(one, value=change(one.value)) for one in expr.arguments)
            return replace(expr, callee=change(expr.callee), arguments=arguments)
        case s.Stages():
            rows = tuple(replace(row, cells=tuple(map(change, row.cells))) for row in expr.rows)
            return replace(expr, rows=rows)
        case _:
            return s.with_parts(expr, change)


def own_choices(file: Opened, space: Space) -> dict[str, Scalar]:
    """The choices of a space that are the network itself: its decisions are the sets of the text, which stand there in
    the order of the tree that it was printed from."""
    sets = [tree for tree in s.walk(parse(space.source).items) if isinstance(tree, s.Set)]
    own = {tree.span.start: value for tree, value in zip(sets, file.own, strict=True)}
    return {decision.name: own[decision.span.start] for decision in space.decisions if decision.span is not None}
