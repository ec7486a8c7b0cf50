"""Channels in equal parts: groups, splits and shuffles.

A width that is undecided is one segment, of which a network keeps the first channels. Where an op needs it in equal
parts, a network keeps the first of each part: all values of that width are then laid out so, as many segments as there
are parts. An op asks for it by `Refinement`, and shapes are inferred anew.
"""

import math
from collections.abc import Sequence

from nasir.ir.dims import DimTable
from nasir.ir.graph import is_decided
from nasir.ir.ops import mistakes
from nasir.ir.values import Ref, Value

Layout = tuple[Value, ...]


class Refinement(Exception):
    """The width `name` is to be laid out in `count` equal parts, or a multiple of it."""

    def __init__(self, name: str, count: int) -> None:
        super().__init__(name)
        self.name = name
        self.count = count


class Relayout(Exception):
    """Values of the width `name` are to be laid out as `layout`, whose sum it is."""

    def __init__(self, name: str, layout: Layout) -> None:
        super().__init__(name)
        self.name = name
        self.layout = layout


def align(a: Layout, b: Layout, dims: DimTable) -> None:
    """Ask for one layout where one value is joined of several and the other is as wide, in one piece: a convolution
    that makes `x.channels`.

    Raises:
        Relayout: where that is so.
    """
    for joined, single in ((a, b), (b, a)):
        whole = single[0]
        if len(joined) == 1 or len(single) > 1 or not isinstance(whole, Ref):
            continue
        if dims.total(joined, hint=whole.name) == whole:
            raise Relayout(whole.name, joined)


def parts_of(layout: Sequence[Value], count: int, dims: DimTable) -> tuple[Layout, ...]:
    """A layout as `count` equal parts, one after another.

    Raises:
        OpError: where it has none.
        Refinement: where it would have, laid out otherwise.
    """
    if count == 1:
        return (tuple(layout),)
    if all(map(is_decided, layout)):
        (channels,) = layout
        if int(channels) % count:  # pyright: ignore[reportArgumentType]
            raise mistakes.groups_do_not_divide(count, layout)
        return ((int(channels) // count,),) * count  # pyright: ignore[reportArgumentType]
    size = len(layout) // count
    parts = [tuple(layout[i * size : (i + 1) * size]) for i in range(count)]
    if len(layout) % count == 0 and all(part == parts[0] for part in parts):
        return tuple(parts)
    first = layout[0]
    if not isinstance(first, Ref) or any(segment != first for segment in layout):
        raise mistakes.no_equal_parts(count, layout)
    base, divisor = dims.base(first)
    raise Refinement(base.name, divisor * count // math.gcd(count, len(layout)))
