"""Concatenation of channels."""

from nasir.ir.dims import DimTable
from nasir.ir.graph import Type, layout_of
from nasir.ir.ops import mistakes
from nasir.ir.ops.base import Argument, Call, Contract, Op, Support, Tensors

MOST_SEGMENTS = 256


class Concat(Op):
    """`concat(a, b, ...)`: the operands' channel segments one after another."""

    name = "concat"
    operands = ("...",)
    contract = Contract.SUM

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        first, *others = it.operands.values()
        for other in others:
            if other.sizes != first.sizes:
                raise mistakes.shapes_differ("`concat` needs maps of one size", first, other)
        channels = layout_of(segment for operand in it.operands.values() for segment in operand.channels)
        if len(channels) > MOST_SEGMENTS:
            message = f"the channels are joined of {len(channels):,} undecided parts; the limit is {MOST_SEGMENTS:,}"
            raise mistakes.too_large(message, "put a convolution between, which makes one part of them")
        return Type(channels, first.sizes)

    def call(self, it: Tensors) -> Call:
        return Call("sequence", "cat", (Argument("dim", 1),))


offered = (Concat,)
