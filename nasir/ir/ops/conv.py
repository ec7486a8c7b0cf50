"""Convolution."""

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
    per_group,
    require_map,
)
from nasir.ir.ops.parameters import Parameter
from nasir.ir.ops.parts import parts_of
from nasir.ir.ops.shuffle import part_count
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
from nasir.ir.values import Ref, Value


class Conv(Op):
    """`conv(kernel, width, stride=1, bias=false, groups=1, padding=centred, dilation=1)`: centred, stride 1 keeps the
    map's size."""

    name = "conv"
    parameters = (
        KERNEL,
        Parameter("width", "count", sizing=True),
        STRIDE,
        Parameter("bias", "flag", False),
        Parameter("groups", "count", 1),
        PADDING,
        DILATION,
    )
    contract = Contract.MIXES
    weights = {"weight": ("out", "x", "-", "-"), "bias": ("out",)}
    carries = "x"
    mixes_by = "kernel"

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        require_map(it, self.name)
        groups = part_count(it["groups"])
        parts_of(it.x.channels, groups, dims)
        if not isinstance(it["width"], Ref):
            parts_of((it["width"],), groups, dims)
        return Type(dims.parts(it["width"], groups), strided(it, dims, support))

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
        weights = taps(it) * layout_size(it.x.channels, size) * layout_size(it.out.channels, size)
        return per_group(weights, it["groups"])

    def strides(self, it: Tensors) -> tuple[int, ...]:
        return axes(it, "stride")

    def call(self, it: Tensors) -> Call:
        return Call(
            "module",
            f"Conv{it.x.rank}d",
            (
                Argument("in_channels", Channels("x"), positional=True),
                Argument("out_channels", Channels("out"), positional=True),
                *window_arguments(it),
                Argument("groups", Attribute("groups"), default=1),
                Argument("bias", Attribute("bias"), default=True),
            ),
            pad=uneven(it),
            search=f"nasir.supernets.layers:SearchConv{it.x.rank}d",
        )


offered = (Conv,)
