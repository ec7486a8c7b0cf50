"""`pick(2, a, b, c)`: the sum of some of the tensors, one decision among all subsets of that size."""

import re
from itertools import combinations
from math import comb

from nasir.ir.values import Value
from nasir.lang import mistakes
from nasir.lang import syntax as s
from nasir.lang.building import Tensor, join
from nasir.lang.things import Context, Place

NAME = "pick"
MOST_SUBSETS = 1_000
_SUBSET = re.compile(r"[0-9]{1,4}(_[0-9]{1,4})*")


def pick(call: s.Call, place: Place, context: Context) -> Tensor:
    """The sum of the tensors that are picked. The decision is called after the place; an option names the tensors by
    their places, `0_2`. In a derived program such a name stands where the count stood.

    Raises:
        Mistake: where the count is none, or the others are no tensors.
    """
    if named := [a for a in call.arguments if a.name is not None]:
        raise mistakes.only_by_position(named[0].span, NAME)
    if len(call.arguments) < 2:
        raise mistakes.missing_argument(call.span, NAME, "tensor")
    first, *others = call.arguments
    name = place.label or NAME
    tensors = {
        str(i): context.tensor(argument.value, Place(place.frame, join(place.hint, str(i)), f"{name}.{i}"))
        for i, argument in enumerate(others)
    }
    options = _options(context.value(first.value, place.part("count")), len(tensors), first)
    subset = context.builder.decide(place.hint, options, call.span)
    context.record.sites[place.frame.path, call.span] = subset
    return context.builder.node(join(place.frame.path, name), NAME, tensors, {"subset": subset}, call.span)


def _options(count: Value, tensors: int, argument: s.Argument) -> tuple[str, ...]:
    """The subsets, each as the places of what it has."""
    if isinstance(count, str) and _SUBSET.fullmatch(count):
        places = [int(place) for place in count.split("_")]
        if places == sorted({*places} & {*range(tensors)}):
            return (count,)
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= tensors:
        raise mistakes.bad_pick(argument.span, tensors)
    if (subsets := comb(tensors, count)) > MOST_SUBSETS:
        raise mistakes.too_large(argument.span, f"there are {subsets:,} subsets to pick from", MOST_SUBSETS)
    return tuple("_".join(map(str, subset)) for subset in combinations(range(tensors), count))
