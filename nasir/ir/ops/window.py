"""What ops have in common that move a window over a map or a sequence."""

from nasir.ir.dims import DimTable
from nasir.ir.graph import SIZE_NAMES
from nasir.ir.ops.base import Argument, Attribute, Tensors
from nasir.ir.values import Value


def strided(it: Tensors, dims: DimTable) -> tuple[Value, ...]:
    """The spatial sizes of a window op's output."""
    stride = it["stride"]
    if stride == 1:
        return it.x.sizes
    names = SIZE_NAMES[it.x.rank]
    return tuple(
        dims.apply("conv_out", size, stride, hint=f"{it.node.name}.{name}")
        for name, size in zip(names, it.x.sizes, strict=True)
    )


def window_arguments() -> tuple[Argument, ...]:
    """Kernel, stride and padding of a convolution."""
    return (
        Argument("kernel_size", Attribute("kernel"), positional=True),
        Argument("stride", Attribute("stride"), default=1),
        Argument("padding", Attribute("kernel", halved=True), default=0),
    )
