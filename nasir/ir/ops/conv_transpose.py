"""Transposed convolution."""

from fractions import Fraction

from nasir.ir.dims import DimTable
from nasir.ir.graph import SIZE_NAMES, Type
from nasir.ir.ops import mistakes
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
from nasir.ir.ops.parameters import CENTRED, Parameter
from nasir.ir.ops.window import KERNEL, STRIDE, axes, taps
from nasir.ir.sizes import Number, Sizing
from nasir.ir.values import Scalar, Value, pair_of


class ConvTranspose(Op):
    """`conv_transpose(kernel, width, stride=1, bias=false, padding=centred)`: the map grows by its stride, `stride`
    times its size where `padding` says nothing else."""

    name = "conv_transpose"
    parameters = (
        KERNEL,
        Parameter("width", "count", sizing=True),
        STRIDE,
        Parameter("bias", "flag", False),
        Parameter("padding", "padding", CENTRED),
    )
    internal = ("output_padding",)
    contract = Contract.MIXES
    weights = {"weight": ("x", "out", "-", "-"), "bias": ("out",)}
    carries = "x"

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        require_map(it, self.name)
        kernels, strides = axes(it, "kernel"), axes(it, "stride")
        sizes: list[Value] = []
        for name, size, kernel, stride, (padding, more) in zip(
            SIZE_NAMES[it.x.rank], it.x.sizes, kernels, strides, _padding(it), strict=True
        ):
            hint, excess = f"{it.node.name}.{name}", kernel - stride - 2 * padding + more
            grown = dims.apply("mul", size, stride, hint=hint) if stride > 1 else size
            found = dims.apply("add", grown, excess, hint=hint) if excess else grown
            if min(map(int, support(found))) < 1:
                raise mistakes.window_too_large(name, kernel, size, padding)
            sizes.append(found)
        return Type((it["width"],), tuple(sizes))

    def settled(self, it: Tensors, dims: DimTable, support: Support) -> tuple[tuple[str, Value], ...]:
        """With the paddings as the numbers that they are."""
        both = _padding(it)
        numbers: dict[str, Scalar] = {
            name: both[0][i] if it.x.rank == 1 else pair_of(both[0][i], both[1][i])
            for i, name in enumerate(("padding", "output_padding"))
        }
        return tuple({**dict(it.node.attributes), **numbers}.items())

    def macs(self, it: Tensors, size: Sizing) -> Number:
        return self.weight_count(it, size) * area(it.x, size)

    def params(self, it: Tensors, size: Sizing) -> Number:
        weights = self.weight_count(it, size)
        return weights + layout_size(it.out.channels, size) if it["bias"] else weights

    def weight_count(self, it: Tensors, size: Sizing) -> Number:
        return taps(it) * layout_size(it.x.channels, size) * layout_size(it.out.channels, size)

    def strides(self, it: Tensors) -> tuple[Fraction, ...]:
        return tuple(Fraction(1, stride) for stride in axes(it, "stride"))

    def call(self, it: Tensors) -> Call:
        return Call(
            "module",
            f"ConvTranspose{it.x.rank}d",
            (
                Argument("in_channels", Channels("x"), positional=True),
                Argument("out_channels", Channels("out"), positional=True),
                Argument("kernel_size", Attribute("kernel"), positional=True),
                Argument("stride", Attribute("stride"), default=1),
                Argument("padding", Attribute("padding"), default=0),
                Argument("output_padding", Attribute("output_padding"), default=0),
                Argument("bias", Attribute("bias"), default=True),
            ),
            search=f"nasir.supernets.layers:SearchConvTranspose{it.x.rank}d",
        )


def _padding(it: Tensors) -> list[tuple[int, int]]:
    """What is cut off on each side of each axis, and what is put behind it then."""
    kernels, strides = axes(it, "kernel"), axes(it, "stride")
    if it["padding"] != CENTRED:
        more = axes(it, "output_padding") if it.node.has("output_padding") else (0,) * it.x.rank
        if not isinstance(it["padding"], str) or "x" in str(it["padding"]):
            return list(zip(axes(it, "padding"), more, strict=True))
        raise mistakes.padding_of_growth(it.node.op)
    found: list[tuple[int, int]] = []
    for kernel, stride in zip(kernels, strides, strict=True):
        if kernel < stride:
            raise mistakes.gaps(it.node.op, kernel, stride)
        padding = -(-(kernel - stride) // 2)
        found.append((padding, 2 * padding - (kernel - stride)))
    return found


offered = (ConvTranspose,)
