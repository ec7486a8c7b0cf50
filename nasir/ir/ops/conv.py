"""Convolution."""

from collections.abc import Sequence

from nasir.ir.dims import DimTable
from nasir.ir.graph import Type
from nasir.ir.ops.base import (
    Argument,
    Attribute,
    Call,
    Channels,
    Op,
    OpError,
    Parameter,
    Placement,
    Support,
    Tensors,
    layout_size,
    per_group,
    require_map,
)
from nasir.ir.sizes import Number, Sizing
from nasir.ir.values import Value, text


class Conv(Op):
    """`conv(kernel, width, stride=1, bias=false, groups=1)`, padded by `kernel // 2`: stride 1 keeps the map's size."""

    name = "conv"
    parameters = (
        Parameter("kernel", "odd"),
        Parameter("width", "count"),
        Parameter("stride", "count", 1),
        Parameter("bias", "flag", False),
        Parameter("groups", "count", 1),
    )
    placement = Placement.MIXES
    weights = {"weight": ("out", "x", "-", "-"), "bias": ("out",)}

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        require_map(it, self.name)
        require_groups(it, (*it.x.channels, it["width"]))
        return Type((it["width"],), *strided(it, dims))

    def macs(self, it: Tensors, size: Sizing) -> Number:
        out = it.out
        assert out.height is not None
        assert out.width is not None
        return self.weight_count(it, size) * size(out.height) * size(out.width)

    def params(self, it: Tensors, size: Sizing) -> Number:
        weights = self.weight_count(it, size)
        return weights + layout_size(it.out.channels, size) if it["bias"] else weights

    def weight_count(self, it: Tensors, size: Sizing) -> Number:
        kernel = size(it["kernel"])
        weights = kernel * kernel * layout_size(it.x.channels, size) * layout_size(it.out.channels, size)
        return per_group(weights, it["groups"])

    def call(self, it: Tensors) -> Call:
        return Call(
            "module",
            "Conv2d",
            (
                Argument("in_channels", Channels("x"), positional=True),
                Argument("out_channels", Channels("out"), positional=True),
                *window_arguments(),
                Argument("groups", Attribute("groups"), default=1),
                Argument("bias", Attribute("bias"), default=True),
            ),
        )


def require_groups(it: Tensors, channels: Sequence[Value]) -> None:
    """A diagnostic unless the groups are a constant that divides decided channels."""
    groups = it["groups"]
    if groups == 1:
        return
    counts = [c for c in channels if isinstance(c, int)]
    if not isinstance(groups, int) or len(counts) < len(channels):
        raise OpError("E0408", "groups and undecided channels do not go together", "decide the widths, or use `dwconv`")
    if any(count % groups for count in counts):
        raise OpError("E0408", f"{text(groups)} groups do not divide the channels {', '.join(map(text, channels))}")


def strided(it: Tensors, dims: DimTable) -> tuple[Value, Value]:
    """Height and width of a window op's output."""
    assert it.x.height is not None
    assert it.x.width is not None
    stride = it["stride"]
    if stride == 1:
        return it.x.height, it.x.width
    scope = it.node.name
    return (
        dims.apply("conv_out", it.x.height, stride, hint=f"{scope}.height"),
        dims.apply("conv_out", it.x.width, stride, hint=f"{scope}.width"),
    )


def window_arguments() -> tuple[Argument, ...]:
    """Kernel, stride and padding of a convolution."""
    return (
        Argument("kernel_size", Attribute("kernel"), positional=True),
        Argument("stride", Attribute("stride"), default=1),
        Argument("padding", Attribute("kernel", halved=True), default=0),
    )
