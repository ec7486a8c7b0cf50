"""Dims as numbers: exact scalars at one assignment of the decisions, or effective sizes (Eq. 5 and 6)."""

from collections.abc import Callable, Mapping

from nasir.ir.circuit import Polynomial
from nasir.ir.dims import FUNCTIONS, SELECT, Dim
from nasir.ir.graph import Choices, Graph
from nasir.ir.values import Ref, Scalar, Value

Number = int | float | Polynomial
"""What a cost formula works on: exact integers for a network, polynomials in the gates for a supernet."""

Sizing = Callable[[Value], Number]


def evaluate(graph: Graph, choices: Choices) -> Mapping[str, Scalar]:
    """The value of every decision and every dim under `choices` (dims that need a dropped decision are left out)."""
    known: dict[str, Scalar] = dict(choices)
    for dim in graph.dims:
        known[dim.name] = value_of(dim, known)
    return known


def value_of(dim: Dim, known: Mapping[str, Scalar]) -> Scalar:
    """The value of a dim, given the values of what it depends on."""
    if dim.function == SELECT:
        selector, *cases = dim.args
        return resolve(cases[dim.keys.index(resolve(selector, known))], known)
    return FUNCTIONS[dim.function](*(resolve(a, known) for a in dim.args))


def evaluator(dim: Dim) -> Callable[[Mapping[str, Scalar]], Scalar]:
    """`value_of` for one dim and many choices."""
    if dim.function == SELECT:
        selector, *cases = dim.args
        by_option = dict(zip(dim.keys, cases, strict=True))
        assert isinstance(selector, Ref), "a decided selection is folded"

        def select(known: Mapping[str, Scalar]) -> Scalar:
            case = by_option[known[selector.name]]
            return known[case.name] if isinstance(case, Ref) else case

        return select
    function, arguments = FUNCTIONS[dim.function], dim.args
    return lambda known: function(*[known[a.name] if isinstance(a, Ref) else a for a in arguments])


def resolve(value: Value, known: Mapping[str, Scalar]) -> Scalar:
    """A value as a scalar, given the scalars of all decisions and dims."""
    return known[value.name] if isinstance(value, Ref) else value


def exact(known: Mapping[str, Scalar]) -> Sizing:
    """Sizes as exact integers."""

    def size(value: Value) -> int:
        scalar = resolve(value, known)
        assert not isinstance(scalar, str), "a size is a number"
        return int(scalar)

    return size
