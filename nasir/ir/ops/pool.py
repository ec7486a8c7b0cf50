"""Pooling."""

from nasir.ir.dims import DimTable
from nasir.ir.graph import Type
from nasir.ir.ops.base import (
    Argument,
    Attribute,
    Call,
    Contract,
    Op,
    Parameter,
    Support,
    Tensors,
    elements,
    require_map,
)
from nasir.ir.ops.window import strided
from nasir.ir.sizes import Number, Sizing


class MaxPool(Op):
    """`max_pool(kernel, stride=1)`: padded by `kernel // 2`."""

    name = "max_pool"
    parameters = (Parameter("kernel", "odd"), Parameter("stride", "count", 1))
    contract = Contract.CHANNELWISE

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        require_map(it, self.name)
        return Type(it.x.channels, strided(it, dims))

    def call(self, it: Tensors) -> Call:
        return Call(
            "function",
            f"{self.name}{it.x.rank}d",
            (
                Argument("kernel_size", Attribute("kernel"), positional=True),
                Argument("stride", Attribute("stride")),  # torch's default is the kernel's size
                Argument("padding", Attribute("kernel", halved=True), default=0),
            ),
        )


class AvgPool(MaxPool):
    """`avg_pool(kernel, stride=1)`: padded by `kernel // 2`; the padding counts, as torch's default has it."""

    name = "avg_pool"


class GlobalAvgPool(Op):
    """`global_avg_pool`: the mean of each channel's map, [C, 1, 1]."""

    name = "global_avg_pool"
    contract = Contract.CHANNELWISE

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        require_map(it, self.name)
        return Type(it.x.channels, (1,) * it.x.rank)

    def pooled(self, it: Tensors, size: Sizing) -> Number:
        return elements(it.x, size)

    def call(self, it: Tensors) -> Call:
        return Call("function", f"adaptive_avg_pool{it.x.rank}d", (Argument("output_size", 1, positional=True),))


offered = (MaxPool, AvgPool, GlobalAvgPool)
