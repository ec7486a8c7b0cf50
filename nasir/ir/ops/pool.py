"""Pooling."""

import math

from nasir.ir.dims import DimTable
from nasir.ir.graph import Type
from nasir.ir.ops import mistakes
from nasir.ir.ops.base import Argument, Attribute, Call, Contract, Op, Support, Tensors, elements, require_map
from nasir.ir.ops.parameters import Parameter
from nasir.ir.ops.window import (
    KERNEL,
    PADDING,
    STRIDE,
    axes,
    require_half,
    settled_padding,
    strided,
    uneven,
    window_arguments,
)
from nasir.ir.sizes import Number, Sizing
from nasir.ir.values import Value

_CEIL = Parameter("ceil", "flag", False)


class MaxPool(Op):
    """`max_pool(kernel, stride=1, padding=centred, ceil=false)`: what is padded is never the largest."""

    name = "max_pool"
    parameters = (KERNEL, STRIDE, PADDING, _CEIL)
    contract = Contract.CHANNELWISE
    filler = -math.inf

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        require_map(it, self.name)
        sizes = strided(it, dims, support)
        require_half(it)
        return Type(it.x.channels, sizes)

    def settled(self, it: Tensors, dims: DimTable, support: Support) -> tuple[tuple[str, Value], ...]:
        return settled_padding(it, support)

    def strides(self, it: Tensors) -> tuple[int, ...]:
        return axes(it, "stride")

    def closes(self, it: Tensors) -> bool:
        return it.out.is_pooled and not it.x.is_pooled

    def call(self, it: Tensors) -> Call:
        # torch's default stride is the kernel's size
        arguments = (
            *window_arguments(it, stride_default=None),
            Argument("ceil_mode", Attribute("ceil"), default=False),
        )
        return Call("function", f"{self.name}{it.x.rank}d", arguments, pad=uneven(it), filler=self.filler)


class AvgPool(MaxPool):
    """`avg_pool(kernel, stride=1, padding=centred, ceil=false, count_padding=true)`: padding counts as zeros, as
    torch's default has it, or is left out of the mean."""

    name = "avg_pool"
    parameters = (*MaxPool.parameters, Parameter("count_padding", "flag", True))
    filler = 0.0

    def settled(self, it: Tensors, dims: DimTable, support: Support) -> tuple[tuple[str, Value], ...]:
        settled = settled_padding(it, support)
        if it["count_padding"] is False and ":" in str(dict(settled)["padding"]):
            raise mistakes.uneven_average()
        return settled

    def call(self, it: Tensors) -> Call:
        plain = super().call(it)
        counts = Argument("count_include_pad", Attribute("count_padding"), default=True)
        return Call(plain.kind, plain.target, (*plain.arguments, counts), pad=plain.pad, filler=plain.filler)


class GlobalAvgPool(Op):
    """`global_avg_pool`: the mean of each channel's map, [C, 1, 1]."""

    name = "global_avg_pool"
    contract = Contract.CHANNELWISE

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        require_map(it, self.name)
        return Type(it.x.channels, (1,) * it.x.rank)

    def pooled(self, it: Tensors, size: Sizing) -> Number:
        return elements(it.x, size)

    def closes(self, it: Tensors) -> bool:
        return True

    def call(self, it: Tensors) -> Call:
        return Call("function", f"adaptive_avg_pool{it.x.rank}d", (Argument("output_size", 1, positional=True),))


class GlobalMaxPool(Op):
    """`global_max_pool`: the largest of each channel's map, [C, 1, 1]."""

    name = "global_max_pool"
    contract = Contract.CHANNELWISE

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        require_map(it, self.name)
        return Type(it.x.channels, (1,) * it.x.rank)

    def closes(self, it: Tensors) -> bool:
        return True

    def call(self, it: Tensors) -> Call:
        return Call("function", f"adaptive_max_pool{it.x.rank}d", (Argument("output_size", 1, positional=True),))


offered = (MaxPool, AvgPool, GlobalAvgPool, GlobalMaxPool)
