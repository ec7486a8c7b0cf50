"""Dims: named random variables over decisions.

A dim is a channel count, a spatial size or a condition. Its definition is one function of decisions, constants and
other dims, all by name: definitions stand in one flat table, because nested ones hash in exponential time along
chains of shortcuts.
"""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from nasir.diagnostics import Span
from nasir.ir.path import fresh
from nasir.ir.values import Pair, Ref, Scalar, Value

SHAPE_FUNCTIONS = ("channels", "height", "width", "length")
SELECT = "select"
LARGEST = 2**53
"""Sizes and costs stay exact in float64."""


@dataclass(frozen=True)
class Decision:
    """One thing the search decides: a name and the ordered options it decides among."""

    name: str
    options: tuple[Scalar, ...]
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Dim:
    """`name = function(args)`.

    `select` reads its selector from `args[0]` and yields `args[1 + i]` where the selector equals `keys[i]`.
    A shape function (`channels`, `height`, `width`, `length`) reads the type of the node named `of`; `infer-shapes`
    resolves it.
    """

    name: str
    function: str
    args: tuple[Value, ...] = ()
    keys: tuple[Scalar, ...] = ()
    of: str | None = None


def round_to(step: Scalar, value: Scalar, keep: Scalar = 0.95) -> int:
    """The field's divisible rounding: half up to a multiple of `step`, at least `step`, and one step more where the
    result falls under `keep` times `value` (0.95 in the released FBNetV2 code, 0.9 in MobileNets)."""
    if isinstance(step, str) or isinstance(value, str) or isinstance(keep, str):
        raise TypeError("`round_to` works on numbers")
    step = int(step)
    rounded = max(step, int(value + step / 2) // step * step)
    return rounded + step if rounded < keep * value else rounded


def window(size: Scalar, stride: Scalar, excess: Scalar = 0) -> int:
    """How often a window fits into `size`, moved by `stride`. `excess` is the padding of both sides less what the
    window has beside its first pixel: 0 for every odd kernel that is padded by `kernel // 2`, and then the result is
    `size / stride`, rounded up."""
    return (int(size) + int(excess) - 1) // int(stride) + 1


def window_ceil(size: Scalar, stride: Scalar, excess: Scalar, before: Scalar) -> int:
    """As `window`, with a last window that may reach past the padded end, where it begins in the map or in the padding
    `before` it (torch's `ceil_mode`)."""
    count = -(-(int(size) + int(excess) - 1) // int(stride)) + 1
    return count - 1 if (count - 1) * int(stride) >= int(size) + int(before) else count


def first(size: Scalar) -> int:
    """The height of a pair, the size itself of a number."""
    return size.numbers[0] if isinstance(size, Pair) else int(size)


def second(size: Scalar) -> int:
    """The width of a pair, the size itself of a number."""
    return size.numbers[1] if isinstance(size, Pair) else int(size)


def _arithmetic(operation: Callable[[float, float], float]) -> Callable[..., Scalar]:
    def apply(a: Scalar, b: Scalar) -> Scalar:
        if isinstance(a, str) or isinstance(b, str):
            raise TypeError("arithmetic works on numbers")
        result = operation(a, b)
        if math.isnan(result) or abs(result) > LARGEST:
            raise ValueError("the result is too large")
        return result

    return apply


def _product(a: float, b: float) -> float:
    """a * b, whole where a whole number times a fraction is: a width may be `1.5 * 96`."""
    product = a * b
    mixed = isinstance(a, int) != isinstance(b, int)
    return int(product) if mixed and math.isfinite(product) and product == int(product) else product


def _quotient(a: float, b: float) -> float:
    """a / b, whole where it is: a width may be `x.channels / 2`."""
    whole = isinstance(a, int) and isinstance(b, int) and b != 0 and a % b == 0
    return a // b if whole else a / b


def _smaller(a: float, b: float) -> float:
    return min(a, b)


def _larger(a: float, b: float) -> float:
    return max(a, b)


def _both(a: Scalar, b: Scalar) -> bool:
    return _truth(a) and _truth(b)


def _either(a: Scalar, b: Scalar) -> bool:
    return _truth(a) or _truth(b)


def _negation(a: Scalar) -> bool:
    return not _truth(a)


def _truth(a: Scalar) -> bool:
    if not isinstance(a, bool):
        raise TypeError("`and`, `or` and `not` work on true and false")
    return a


FUNCTIONS: Mapping[str, Callable[..., Scalar]] = {
    "add": _arithmetic(operator.add),
    "sub": _arithmetic(operator.sub),
    "mul": _arithmetic(_product),
    "div": _arithmetic(_quotient),
    "min": _arithmetic(_smaller),
    "max": _arithmetic(_larger),
    "round_to": round_to,
    "window": window,
    "window_ceil": window_ceil,
    "first": first,
    "second": second,
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "and": _both,
    "or": _either,
    "not": _negation,
}

_REFLEXIVE = {"eq": True, "le": True, "ge": True, "ne": False, "lt": False, "gt": False}

_SHIFTS = {"add": 1, "sub": -1}

_ABSORBING = {"or": True, "and": False}


class DimTable:
    """Builds dims: folds constants, gives equal definitions one name, keeps operands before their users."""

    def __init__(self, decisions: Sequence[Decision] = ()) -> None:
        self.decisions = {d.name: d for d in decisions}
        self.dims: dict[str, Dim] = {}
        self._known: dict[object, str] = {}
        self._taken = set(self.decisions)

    def apply(self, function: str, *args: Value, hint: str) -> Value:
        """`function(*args)`: a constant where all arguments are, else a reference to the dim that holds it."""
        scalars = [a for a in args if not isinstance(a, Ref)]
        if len(scalars) == len(args):
            return FUNCTIONS[function](*scalars)
        if function == "window" and len(args) == 2 and isinstance(args[0], Ref) and args[0].name in self.dims:
            inner = self.dims[args[0].name]
            if inner.function == "window" and len(inner.args) == 2:
                steps = [int(n) for n in (inner.args[1], args[1]) if isinstance(n, int)]
                if len(steps) == 2:
                    return self.apply("window", inner.args[0], steps[0] * steps[1], hint=hint)  # rounded up once
        if function in _SHIFTS and (shifted := self._shifted(function, args)) is not None:
            inner, amount = shifted
            if amount == 0:
                return inner
            return self.define(Dim(hint, "add" if amount > 0 else "sub", (inner, abs(amount))))
        if function in _REFLEXIVE and args[0] == args[1]:
            return _REFLEXIVE[function]
        if function in _ABSORBING and scalars:
            (other,) = (a for a in args if isinstance(a, Ref))
            return bool(scalars[0]) if bool(scalars[0]) is _ABSORBING[function] else other
        return self.define(Dim(hint, function, args))

    def _shifted(self, function: str, args: Sequence[Value]) -> tuple[Ref, int] | None:
        """`x + 3 - 1` as x and 2: what is left of whole numbers that are added to an undecided one by turns."""
        value, amount = args
        if not isinstance(value, Ref) or type(amount) is not int or value.name not in self.dims:
            return None
        inner = self.dims[value.name]
        if inner.function not in _SHIFTS or not isinstance(inner.args[0], Ref) or type(inner.args[1]) is not int:
            return None
        return inner.args[0], _SHIFTS[inner.function] * inner.args[1] + _SHIFTS[function] * amount

    def select(self, selector: Value, cases: Mapping[Scalar, Value], *, hint: str) -> Value:
        """The case that `selector` picks."""
        if not isinstance(selector, Ref):
            return cases[selector]
        values = list(cases.values())
        if all(_identity(v) == _identity(values[0]) for v in values):
            return values[0]
        return self.define(Dim(hint, SELECT, (selector, *values), tuple(cases)))

    def total(self, layout: Sequence[Value], *, hint: str) -> Value:
        """The channel count of a layout: the sum of its segments."""
        if (whole := self.whole(layout)) is not None:
            return whole
        count: Value = layout[0]
        for segment in layout[1:]:
            count = self.apply("add", count, segment, hint=hint)
        return count

    def whole(self, layout: Sequence[Value]) -> Ref | None:
        """The one undecided value that a layout is, or is equal parts of; None where it is none."""
        first = layout[0]
        if not isinstance(first, Ref) or any(segment != first for segment in layout):
            return None
        base, divisor = self.base(first)
        if len(layout) == 1 or divisor == len(layout):
            return first if len(layout) == 1 else base
        if divisor % len(layout):
            return None
        whole = self.apply("div", base, divisor // len(layout), hint=f"{base.name}.part")
        return whole if isinstance(whole, Ref) else None

    def base(self, value: Ref) -> tuple[Ref, int]:
        """What a value is a part of, and the how-manieth: itself where it is none."""
        dim = self.dims.get(value.name)
        if dim is not None and dim.function == "div":
            whole, divisor = dim.args
            if isinstance(whole, Ref) and isinstance(divisor, int) and not isinstance(divisor, bool) and divisor > 1:
                return whole, divisor
        return value, 1

    def parts(self, value: Value, count: int) -> tuple[Value, ...]:
        """A width as `count` equal parts."""
        if count == 1 or not isinstance(value, Ref):
            return (value,)
        base, divisor = self.base(value)
        return (self.apply("div", base, divisor * count, hint=f"{base.name}.part"),) * count

    def define(self, dim: Dim) -> Ref:
        """The dim's one entry: an earlier equal definition if there is one, else this one under a free name."""
        content = (dim.function, tuple(map(_identity, dim.args)), tuple(map(_identity, dim.keys)), dim.of)
        if content not in self._known:
            name = fresh(dim.name, self._taken)
            self._taken.add(name)
            self._known[content] = name
            self.dims[name] = Dim(name, dim.function, dim.args, dim.keys, dim.of)
        return Ref(self._known[content])

    def replace(self, decision: Decision, dims: Mapping[str, Dim]) -> None:
        """Put a decision in the place of others, which become `dims`, selections by it."""
        self.decisions = {
            **{name: one for name, one in self.decisions.items() if name not in dims},
            decision.name: decision,
        }
        self.dims = {**dims, **self.dims}
        self._taken.add(decision.name)

    def decide(self, decision: Decision) -> Value:
        """A new decision under a free name; a constant where it has one option only."""
        if len(decision.options) == 1:
            return decision.options[0]
        name = fresh(decision.name, self._taken)
        self._taken.add(name)
        self.decisions[name] = Decision(name, decision.options, decision.span)
        return Ref(name)


def _identity(value: Value) -> tuple[str, Value]:
    # 1, 1.0 and true are equal in Python and are different values of the language.
    return type(value).__name__, value
