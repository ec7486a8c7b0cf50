"""Pooling."""

from nasir.ir.dims import DimTable
from nasir.ir.graph import Type
from nasir.ir.ops.base import Argument, Attribute, Call, Op, Parameter, Support, Tensors, layout_size, require_map
from nasir.ir.ops.conv import strided
from nasir.ir.sizes import Number, Sizing


class MaxPool(Op):
    """`max_pool(kernel, stride=1)`: padded by `kernel // 2`."""

    name = "max_pool"
    function = "max_pool2d"
    parameters = (Parameter("kernel", "odd"), Parameter("stride", "count", 1))

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        require_map(it, self.name)
        return Type(it.x.channels, *strided(it, dims))

    def call(self, it: Tensors) -> Call:
        return Call(
            "function",
            self.function,
            (
                Argument("kernel_size", Attribute("kernel"), positional=True),
                Argument("stride", Attribute("stride")),  # torch's default is the kernel's size
                Argument("padding", Attribute("kernel", halved=True), default=0),
            ),
        )


class AvgPool(MaxPool):
    """`avg_pool(kernel, stride=1)`: padded by `kernel // 2`; the padding counts, as torch's default has it."""

    name = "avg_pool"
    function = "avg_pool2d"


class GlobalAvgPool(Op):
    """`global_avg_pool`: the mean of each channel's map, [C, 1, 1]."""

    name = "global_avg_pool"

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        require_map(it, self.name)
        return Type(it.x.channels, 1, 1)

    def pooled(self, it: Tensors, size: Sizing) -> Number:
        assert it.x.height is not None
        assert it.x.width is not None
        return layout_size(it.x.channels, size) * size(it.x.height) * size(it.x.width)

    def call(self, it: Tensors) -> Call:
        return Call("function", "adaptive_avg_pool2d", (Argument("output_size", 1, positional=True),))
