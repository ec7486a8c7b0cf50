"""Convolution."""

from nasir.ir.dims import DimTable
from nasir.ir.graph import Type
from nasir.ir.ops.base import (
    Argument,
    Attribute,
    Call,
    Channels,
    Op,
    Parameter,
    Placement,
    Support,
    Tensors,
    layout_size,
    require_map,
)
from nasir.ir.sizes import Number, Sizing
from nasir.ir.values import Value


class Conv(Op):
    """`conv(kernel, width, stride=1, bias=false)`: padded by `kernel // 2`, so stride 1 keeps the map's size."""

    name = "conv"
    parameters = (
        Parameter("kernel", "odd"),
        Parameter("width", "count"),
        Parameter("stride", "count", 1),
        Parameter("bias", "flag", False),
    )
    placement = Placement.MIXES
    weights = {"weight": ("out", "x", "-", "-"), "bias": ("out",)}

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        require_map(it, self.name)
        return Type((it["width"],), *strided(it, dims))

    def macs(self, it: Tensors, size: Sizing) -> Number:
        out = it.out
        assert out.height is not None
        assert out.width is not None
        return self._weights(it, size) * size(out.height) * size(out.width)

    def params(self, it: Tensors, size: Sizing) -> Number:
        weights = self._weights(it, size)
        return weights + layout_size(it.out.channels, size) if it["bias"] else weights

    def _weights(self, it: Tensors, size: Sizing) -> Number:
        kernel = size(it["kernel"])
        return kernel * kernel * layout_size(it.x.channels, size) * layout_size(it.out.channels, size)

    def call(self, it: Tensors) -> Call:
        return Call(
            "module",
            "Conv2d",
            (
                Argument("in_channels", Channels("x"), positional=True),
                Argument("out_channels", Channels("out"), positional=True),
                *window_arguments(),
                Argument("bias", Attribute("bias"), default=True),
            ),
        )


def strided(it: Tensors, dims: DimTable) -> tuple[Value, Value]:
    """Height and width of a window op's output."""
    assert it.x.height is not None
    assert it.x.width is not None
    scope = it.node.name
    window = (it["kernel"], it["stride"])
    return (
        dims.apply("conv_out", it.x.height, *window, hint=f"{scope}.height"),
        dims.apply("conv_out", it.x.width, *window, hint=f"{scope}.width"),
    )


def window_arguments() -> tuple[Argument, ...]:
    """Kernel, stride and padding of a convolution."""
    return (
        Argument("kernel_size", Attribute("kernel"), positional=True),
        Argument("stride", Attribute("stride"), default=1),
        Argument("padding", Attribute("kernel", halved=True), default=0),
    )
