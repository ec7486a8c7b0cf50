"""Convolution."""

from collections.abc import Sequence

from nasir.ir.dims import DimTable
from nasir.ir.graph import Node, Type
from nasir.ir.ops import mistakes
from nasir.ir.ops.base import (
    Argument,
    Attribute,
    Call,
    Channels,
    Contract,
    Op,
    Parameter,
    Support,
    Tensors,
    area,
    layout_size,
    per_group,
    require_map,
)
from nasir.ir.ops.window import (
    DILATION,
    KERNEL,
    PADDING,
    STRIDE,
    kernel_mixed_as,
    settled_padding,
    strided,
    taps,
    uneven,
    window_arguments,
)
from nasir.ir.sizes import Number, Sizing
from nasir.ir.values import Value


class Conv(Op):
    """`conv(kernel, width, stride=1, bias=false, groups=1, padding=centred, dilation=1)`: centred, stride 1 keeps the
    map's size."""

    name = "conv"
    parameters = (
        KERNEL,
        Parameter("width", "count", sizing=True),
        STRIDE,
        Parameter("bias", "flag", False),
        Parameter("groups", "count", 1, sizing=True),
        PADDING,
        DILATION,
    )
    contract = Contract.MIXES
    weights = {"weight": ("out", "x", "-", "-"), "bias": ("out",)}
    carries = "x"
    mixes_by = "kernel"

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        require_map(it, self.name)
        require_groups(it, (*it.x.channels, it["width"]))
        return Type((it["width"],), strided(it, dims, support))

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


def require_groups(it: Tensors, channels: Sequence[Value]) -> None:
    """A diagnostic unless the groups are a constant that divides decided channels."""
    groups = it["groups"]
    if groups == 1:
        return
    counts = [c for c in channels if isinstance(c, int)]
    if not isinstance(groups, int) or len(counts) < len(channels):
        message = "groups and undecided channels do not go together"
        raise mistakes.undecided_groups(message, "decide the widths, or use `dwconv`")
    if any(count % groups for count in counts):
        raise mistakes.groups_do_not_divide(groups, channels)


offered = (Conv,)
