"""Dims as numbers: exact scalars at one assignment of the decisions, or effective sizes (Eq. 5 and 6)."""

from collections.abc import Callable, Mapping

from nasir.ir.circuit import Polynomial
from nasir.ir.dims import FUNCTIONS, SELECT
from nasir.ir.graph import Choices, Graph
from nasir.ir.values import Ref, Scalar, Value

Number = int | float | Polynomial
"""What a cost formula works on: exact integers for a network, polynomials in the gates for a supernet."""

Sizing = Callable[[Value], Number]


def evaluate(graph: Graph, choices: Choices) -> Mapping[str, Scalar]:
    """The value of every decision and every dim under `choices` (dims that need a dropped decision are left out)."""
    known: dict[str, Scalar] = dict(choices)
    for dim in graph.dims:
        if dim.function == SELECT:
            selector, *cases = dim.args
            picked = dict(zip(dim.keys, cases, strict=True))[resolve(selector, known)]
            known[dim.name] = resolve(picked, known)
        else:
            known[dim.name] = FUNCTIONS[dim.function](*(resolve(a, known) for a in dim.args))
    return known


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
