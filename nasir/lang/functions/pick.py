"""`pick(2, a, b, c)`: the sum of some of the tensors, one decision among all subsets of that size."""

import re
from itertools import combinations
from math import comb

from nasir.ir.values import Ref, Value
from nasir.lang import composition, mistakes
from nasir.lang import syntax as s
from nasir.lang.building import Tensor, join
from nasir.lang.things import Context, Place

NAME, SUBSETS = "pick", "subsets"
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
    count = context.value(first.value, place.part("count"))
    subset = _shared(count, len(tensors), first, context)
    if subset is None:
        options = _options(count, len(tensors), first)
        subset = context.builder.decide(place.hint, options, call.span)
        context.record.sites[place.frame.path, call.span] = subset
    return context.builder.node(join(place.frame.path, name), NAME, tensors, {"subset": subset}, call.span)


def _shared(count: Value, tensors: int, argument: s.Argument, context: Context) -> Value | None:
    """The decision among subsets that a `let` names, where that is what stands in the place of the count."""
    options = context.builder.options(count) if isinstance(count, Ref) else None
    if options is None:
        return None
    for option in options:
        _options(option, tensors, argument)
    return count if all(isinstance(option, str) for option in options) else None


def subsets(call: s.Call, place: Place, context: Context) -> Value:
    """`let edges = subsets(2, 4)`: one decision among the subsets of 2 of 4 places, for every `pick(edges, ...)`.

    Raises:
        Mistake: where the numbers are none, or are to be decided.
    """
    if len(call.arguments) != 2 or any(a.name is not None for a in call.arguments):
        raise mistakes.argument_count(call.span, SUBSETS, 2, 2)
    count, total = (context.value(a.value, place.part("of")) for a in call.arguments)
    if not isinstance(total, int) or isinstance(total, bool) or not 1 <= total <= MOST_SUBSETS:
        raise composition.bad_pick(call.arguments[1].span, MOST_SUBSETS)
    decided = context.builder.decide(place.hint, _options(count, total, call.arguments[0]), call.span)
    context.record.sites[place.frame.path, call.span] = decided
    return decided


def _options(count: Value, tensors: int, argument: s.Argument) -> tuple[str, ...]:
    """The subsets, each as the places of what it has."""
    if isinstance(count, str) and _SUBSET.fullmatch(count):
        places = [int(place) for place in count.split("_")]
        if places == sorted({*places} & {*range(tensors)}):
            return (count,)
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= tensors:
        raise composition.bad_pick(argument.span, tensors)
    if (subsets := comb(tensors, count)) > MOST_SUBSETS:
        told = f"{subsets:,}" if subsets < 10**15 else f"more than 10^{len(str(subsets)) - 1}"
        raise mistakes.too_large(argument.span, f"there are {told} subsets to pick from", MOST_SUBSETS)
    return tuple("_".join(map(str, subset)) for subset in combinations(range(tensors), count))
