"""Sets and ranges: each time one is evaluated it makes a decision among its options."""

import math

from nasir.ir.values import Pair, Ref, Scalar, Value, text
from nasir.lang import mistakes
from nasir.lang import syntax as s
from nasir.lang.building import Tensor
from nasir.lang.functions.one_of import one_of
from nasir.lang.things import Context, Function, Place, Thing, describe

MOST_OPTIONS = 4_096


def decision(expr: s.Set | s.Range, place: Place, context: Context) -> Thing:
    """The value that is decided, or a function where the options are functions.

    Raises:
        Mistake: where the options are not of one kind, or too many, or one is there twice.
    """
    if isinstance(expr, s.Range):
        return _decide(expr, _range_options(expr, place, context), place, context)
    items = [context.evaluate(item, place.part()) for item in expr.items]
    functions = [item for item in items if isinstance(item, Function)]
    if len(functions) == len(items):
        return one_of(expr, functions, place, context)
    return _decide(expr, _set_options(expr, items), place, context)


def _decide(expr: s.Set | s.Range, options: tuple[Scalar, ...], place: Place, context: Context) -> Value:
    value = context.builder.decide(place.hint, options, expr.span)
    context.record.sites[place.frame.path, expr.span] = value
    return value


def _set_options(expr: s.Set, items: list[Thing]) -> tuple[Scalar, ...]:
    options: list[Scalar] = []
    for item, place in zip(items, expr.items, strict=True):
        if isinstance(item, (Tensor, Function)):
            raise mistakes.mixed_set(expr.span)
        if isinstance(item, Ref):
            raise mistakes.not_a_value(place.span, describe(item), "a constant")
        is_text = isinstance(item, str) and not isinstance(item, Pair)
        if is_text or (options and isinstance(item, bool) != isinstance(options[0], bool)):
            raise mistakes.mixed_set(expr.span)
        if item in options:
            raise mistakes.repeated_option(place.span, text(item))
        options.append(item)
    if len(options) > MOST_OPTIONS:
        raise mistakes.too_large(expr.span, f"the set has {len(options):,} options", MOST_OPTIONS)
    return tuple(options)


def _range_options(expr: s.Range, place: Place, context: Context) -> tuple[Scalar, ...]:
    low, high, step = (_constant(e, place.part(), context) for e in (expr.low, expr.high, expr.step))
    if step <= 0 or high < low:
        raise mistakes.bad_range(expr.span, "the range is empty")
    count = (high - low) / step
    if count > MOST_OPTIONS:
        raise mistakes.too_large(expr.span, f"the range has {count + 1:,.0f} options", MOST_OPTIONS)
    whole = round(count)
    if not math.isclose(count, whole, abs_tol=1e-9):
        below = math.floor(count)
        ends = (_tidy(low + below * step), _tidy(low + (below + 1) * step))
        raise mistakes.bad_step(expr.high.span, text(low), text(high), text(step), (text(ends[0]), text(ends[1])))
    return tuple(_tidy(low + i * step) for i in range(whole + 1))


def _constant(expr: s.Expr, place: Place, context: Context) -> int | float:
    value = context.value(expr, place)
    if isinstance(value, (bool, str, Ref)):
        raise mistakes.not_a_value(expr.span, describe(value), "a constant number")
    return value


def _tidy(value: float) -> int | float:
    """`value` without the noise of repeated float steps, as an int where it is whole and all its parts are."""
    rounded = round(value, 10)
    return int(rounded) if isinstance(value, int) else rounded
