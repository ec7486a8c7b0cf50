"""Depthwise convolution."""

from nasir.ir.dims import DimTable
from nasir.ir.graph import Node, Type
from nasir.ir.ops.base import (
    Argument,
    Attribute,
    Call,
    Channels,
    Contract,
    Op,
    Support,
    Tensors,
    area,
    layout_size,
    require_map,
)
from nasir.ir.ops.parameters import Parameter
from nasir.ir.ops.window import (
    DILATION,
    KERNEL,
    PADDING,
    STRIDE,
    axes,
    kernel_mixed_as,
    settled_padding,
    strided,
    taps,
    uneven,
    window_arguments,
)
from nasir.ir.sizes import Number, Sizing
from nasir.ir.values import Value


class DepthwiseConv(Op):
    """`dwconv(kernel, stride=1, bias=false, padding=centred, dilation=1)`: one filter a channel.

    Its cost counts effective groups: k^2 * h * w * C, as the groups shrink with the channels (with groups fixed at the
    maximum, Eq. 10 would undercount a narrow option by the ratio of the widths).
    """

    name = "dwconv"
    parameters = (KERNEL, STRIDE, Parameter("bias", "flag", False), PADDING, DILATION)
    contract = Contract.CHANNELWISE
    weights = {"weight": ("out", "-", "-", "-"), "bias": ("out",)}
    mixes_by = "kernel"

    def fills(self, node: Node) -> bool:
        return bool(node["bias"])

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        require_map(it, self.name)
        return Type(it.x.channels, strided(it, dims, support))

    def settled(self, it: Tensors, dims: DimTable, support: Support) -> tuple[tuple[str, Value], ...]:
        return settled_padding(it, support)

    def mixed_as(self, node: Node) -> object:
        return kernel_mixed_as(node)

    def macs(self, it: Tensors, size: Sizing) -> Number:
        return self.weight_count(it, size) * area(it.out, size)

    def params(self, it: Tensors, size: Sizing) -> Number:
        weights = self.weight_count(it, size)
        return weights + layout_size(it.out.channels, size) if it["bias"] else weights

    def weight_count(self, it: Tensors, size: Sizing) -> Number:
        return taps(it) * layout_size(it.out.channels, size)

    def strides(self, it: Tensors) -> tuple[int, ...]:
        return axes(it, "stride")

    def call(self, it: Tensors) -> Call:
        return Call(
            "module",
            f"Conv{it.x.rank}d",
            (
                Argument("in_channels", Channels("out"), positional=True),
                Argument("out_channels", Channels("out"), positional=True),
                *window_arguments(it),
                Argument("groups", Channels("out")),
                Argument("bias", Attribute("bias"), default=True),
            ),
            pad=uneven(it),
            search=f"nasir.supernets.layers:SearchConv{it.x.rank}d",
        )


offered = (DepthwiseConv,)
