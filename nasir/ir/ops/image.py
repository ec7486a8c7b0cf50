"""The network's input."""

from nasir.ir.dims import DimTable
from nasir.ir.graph import Type
from nasir.ir.ops.base import Op, Parameter, Placement, Support, Tensors


class Image(Op):
    """`image(channels, size)`: a batch of square images, [channels, size, size] each."""

    name = "image"
    operands = ()
    parameters = (Parameter("channels", "count"), Parameter("size", "count"))
    placement = Placement.SOURCE

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        return Type((it["channels"],), it["size"], it["size"])
