"""`require a <= b`: decisions that a condition ties are one joint decision among the combinations that it allows.

Counts, samples and gradients stay exact, and no combination is ever refused after it was drawn: the decisions become
selections by the joint one, and everything that reads them stays as it is.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from nasir.diagnostics import Span
from nasir.ir.dims import SELECT, SHAPE_FUNCTIONS, Decision, Dim, DimTable
from nasir.ir.path import fresh
from nasir.ir.sizes import value_of
from nasir.ir.values import Ref, Scalar, key
from nasir.lang import composition, mistakes

MOST_COMBINATIONS = 1_000
MOST_CANDIDATES = 1_000_000


@dataclass(frozen=True)
class Requirement:
    """A condition that every network must meet, and where it is written."""

    condition: Ref
    span: Span


def join_decisions(table: DimTable, requirements: Sequence[Requirement]) -> None:
    """Make each group of decisions that requirements tie one decision, in place.

    Raises:
        Mistake: where a requirement reads shapes, allows nothing, or too many combinations.
    """
    for group, tied in _groups(table, requirements):
        _join(table, [d for d in table.decisions.values() if d.name in tied], group)


def _groups(table: DimTable, requirements: Sequence[Requirement]) -> Iterator[tuple[list[Requirement], set[str]]]:
    """Requirements with the decisions that they tie; those that share a decision are one group."""
    groups: list[tuple[list[Requirement], set[str]]] = []
    for requirement in requirements:
        mine, names = [requirement], _decisions(table, requirement)
        apart: list[tuple[list[Requirement], set[str]]] = []
        for others, known in groups:
            if known & names:
                mine, names = [*others, *mine], known | names
            else:
                apart.append((others, known))
        groups = [*apart, (mine, names)]
    yield from groups


def _decisions(table: DimTable, requirement: Requirement) -> set[str]:
    """The decisions that a requirement depends on."""
    found: set[str] = set()
    waiting = [requirement.condition.name]
    while waiting:
        name = waiting.pop()
        if name in table.decisions:
            found.add(name)
            continue
        dim = table.dims[name]
        if dim.function in SHAPE_FUNCTIONS:
            raise composition.requirement_of_shapes(requirement.span, dim.function)
        waiting += [a.name for a in dim.args if isinstance(a, Ref)]
    return found


def _join(table: DimTable, decisions: Sequence[Decision], requirements: Sequence[Requirement]) -> None:
    span = requirements[0].span
    if (count := math.prod(len(d.options) for d in decisions)) > MOST_CANDIDATES:
        raise mistakes.too_large(span, f"`require` ties decisions of {count:,} combinations", MOST_CANDIDATES)
    allowed = [
        options
        for options in product(*(d.options for d in decisions))
        if _meets(table, decisions, options, requirements)
    ]
    if not allowed:
        raise composition.nothing_allowed(span)
    if len(allowed) > MOST_COMBINATIONS:
        message = f"`require` allows {len(allowed):,} combinations of the decisions that it ties"
        raise mistakes.too_large(span, message, MOST_COMBINATIONS)
    name = fresh("_".join(d.name.replace(".", "_") for d in decisions), {*table.decisions, *table.dims})
    keys = tuple("_".join(map(key, options)) for options in allowed)
    chosen = {
        d.name: Dim(d.name, SELECT, (Ref(name), *(options[i] for options in allowed)), keys)
        for i, d in enumerate(decisions)
    }
    table.replace(Decision(name, keys, span), chosen)


def _meets(
    table: DimTable, decisions: Sequence[Decision], options: Sequence[Scalar], requirements: Sequence[Requirement]
) -> bool:
    known: dict[str, Scalar] = {d.name: option for d, option in zip(decisions, options, strict=True)}
    return all(_value(table, requirement.condition.name, known) is True for requirement in requirements)


def _value(table: DimTable, name: str, known: dict[str, Scalar]) -> Scalar:
    """The value of a dim; what it is computed from is kept in `known`."""
    if name not in known:
        dim = table.dims[name]
        for argument in dim.args:
            if isinstance(argument, Ref):
                _value(table, argument.name, known)
        known[name] = value_of(dim, known)
    return known[name]


def requirement_of(value: object, span: Span) -> Requirement | None:
    """What a `require` asks for; nothing where it holds for every network.

    Raises:
        Mistake: where it is no condition, or holds for none.
    """
    match value:
        case True:
            return None
        case False:
            raise composition.nothing_allowed(span)
        case Ref():
            return Requirement(value, span)
        case _:
            raise mistakes.not_a_value(span, "a number or a string", "a condition")
