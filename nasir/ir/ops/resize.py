"""Larger maps: by a factor, or of another map's size."""

from fractions import Fraction

from nasir.ir.dims import DimTable
from nasir.ir.graph import SIZE_NAMES, Type
from nasir.ir.ops import mistakes
from nasir.ir.ops.base import Argument, Attribute, Call, Contract, Op, Support, Tensors, require_map
from nasir.ir.ops.parameters import Parameter
from nasir.ir.ops.window import axes
from nasir.ir.values import Scalar, Word

_MODE = Parameter("mode", "mode", "nearest")


class Upsample(Op):
    """`upsample(factor=2, mode=nearest)`: each pixel `factor` times in height and in width; `bilinear` goes in between
    (of a sequence, linearly)."""

    name = "upsample"
    parameters = (Parameter("factor", "window", 2), _MODE)
    contract = Contract.CHANNELWISE

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        require_map(it, self.name)
        return Type(
            it.x.channels,
            tuple(
                dims.apply("mul", size, factor, hint=f"{it.node.name}.{name}") if factor > 1 else size
                for name, size, factor in zip(SIZE_NAMES[it.x.rank], it.x.sizes, axes(it, "factor"), strict=True)
            ),
        )

    def strides(self, it: Tensors) -> tuple[Fraction, ...]:
        return tuple(Fraction(1, factor) for factor in axes(it, "factor"))

    def call(self, it: Tensors) -> Call:
        factor = Argument("scale_factor", Attribute("factor", real=True))
        return Call("function", "interpolate", (factor, _mode(it)))


class Resize(Op):
    """`resize(like=y, mode=nearest)`: the map at the size of y."""

    name = "resize"
    operands = ("x", "like")
    parameters = (_MODE,)
    contract = Contract.CHANNELWISE

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        require_map(it, self.name)
        like = it.operands["like"]
        if like.rank != it.x.rank:
            raise mistakes.shapes_differ("`resize` needs two maps, or two sequences", it.x, like)
        return Type(it.x.channels, like.sizes)

    def strides(self, it: Tensors) -> tuple[Fraction, ...]:
        pairs = zip(it.x.sizes, it.operands["like"].sizes, strict=True)
        return tuple(Fraction(int(size), int(like)) for size, like in pairs)  # pyright: ignore[reportArgumentType]

    def call(self, it: Tensors) -> Call:
        return Call("function", "interpolate", (_mode(it),), like=True)


def _mode(it: Tensors) -> Argument:
    mode: Attribute | Scalar = Attribute("mode")
    if it["mode"] == "bilinear" and it.x.rank == 1:
        mode = Word("linear")
    return Argument("mode", mode, default=Word("nearest"))


offered = (Upsample, Resize)
