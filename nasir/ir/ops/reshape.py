"""Ops that move numbers and compute none."""

from nasir.ir.dims import DimTable
from nasir.ir.graph import SIZE_NAMES, Node, Type, is_decided
from nasir.ir.ops import mistakes
from nasir.ir.ops.base import Argument, Attribute, Call, Contract, Op, Support, Tensors, require_map
from nasir.ir.ops.parameters import Parameter
from nasir.ir.ops.window import axes
from nasir.ir.values import Value


class Flatten(Op):
    """`flatten`: a map as a vector, all of a channel's pixels one after another, then the next channel's."""

    name = "flatten"
    contract = Contract.CHANNELWISE
    is_free = True

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        require_map(it, self.name)
        if not all(map(is_decided, it.x.sizes)):
            raise mistakes.undecided_sizes(self.name)
        pixels = 1
        for size in it.x.sizes:
            pixels *= int(size)  # pyright: ignore[reportArgumentType]
        hint = f"{it.node.name}.channels"
        return Type(tuple(dims.apply("mul", segment, pixels, hint=hint) for segment in it.x.channels))

    def closes(self, it: Tensors) -> bool:
        return True

    def call(self, it: Tensors) -> Call:
        return Call("torch", "flatten", (Argument("start_dim", 1, positional=True),))


_MARGINS = (Parameter("before", "margin"), Parameter("behind", "margin"))


class Pad(Op):
    """`pad(before, behind, value=0)`: a constant around a map, `before` it (above and left) and `behind` it."""

    name = "pad"
    parameters = (*_MARGINS, Parameter("value", "number", 0))
    contract = Contract.CHANNELWISE

    def fills(self, node: Node) -> bool:
        return node["value"] != 0

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        return Type(it.x.channels, _moved(it, dims, "add"))

    def call(self, it: Tensors) -> Call:
        return Call("padded", "pad", pad=_margins(it), filler=float(it["value"]))  # pyright: ignore[reportArgumentType]


class Crop(Op):
    """`crop(before, behind)`: a map without its first and last rows and columns."""

    name = "crop"
    parameters = _MARGINS
    contract = Contract.CHANNELWISE

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        sizes = _moved(it, dims, "sub")
        for name, size, left in zip(SIZE_NAMES[it.x.rank], it.x.sizes, sizes, strict=True):
            if min(map(int, support(left))) < 1:
                raise mistakes.cropped_away(name, size)
        return Type(it.x.channels, sizes)

    def call(self, it: Tensors) -> Call:
        return Call("padded", "pad", pad=tuple(-n for n in _margins(it)))


def _moved(it: Tensors, dims: DimTable, function: str) -> tuple[Value, ...]:
    require_map(it, it.node.op)
    both = [a + b for a, b in zip(axes(it, "before"), axes(it, "behind"), strict=True)]
    names = SIZE_NAMES[it.x.rank]
    return tuple(
        dims.apply(function, size, n, hint=f"{it.node.name}.{name}") if n else size
        for name, size, n in zip(names, it.x.sizes, both, strict=True)
    )


def _margins(it: Tensors) -> tuple[int, ...]:
    """As torch's `pad` takes them: the last axis first."""
    pairs = zip(axes(it, "before"), axes(it, "behind"), strict=True)
    return tuple(n for pair in reversed(list(pairs)) for n in pair)


class Slice(Op):
    """`slice(start, count)`: `count` channels from number `start` on.

    It has no contract: which channels are there must be decided.
    """

    name = "slice"
    parameters = (Parameter("start", "margin"), Parameter("count", "count", sizing=True))

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        start, count, channels = it["start"], it["count"], it.x.channels
        if not all(map(is_decided, (count, *channels))):
            raise mistakes.undecided_groups("a slice of undecided channels has no meaning", "decide the widths")
        end = int(start) + int(count)  # pyright: ignore[reportArgumentType]
        if end > int(channels[0]):  # pyright: ignore[reportArgumentType]
            raise mistakes.slice_too_long(end, channels[0])
        return Type((count,), it.x.sizes)

    def call(self, it: Tensors) -> Call:
        where = (Argument("start", Attribute("start"), positional=True),)
        length = Argument("length", Attribute("count"), positional=True)
        return Call("torch", "narrow", (Argument("dim", 1, positional=True), *where, length))


offered = (Flatten, Pad, Crop, Slice)
