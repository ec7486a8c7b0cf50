"""The network's input."""

from nasir.ir.dims import DimTable
from nasir.ir.graph import Type
from nasir.ir.ops.base import Op, OpError, Parameter, Placement, Support, Tensors
from nasir.ir.values import Ref


class Image(Op):
    """`image(channels, size)`: a batch of square images, [channels, size, size] each."""

    name = "image"
    operands = ()
    parameters = (Parameter("channels", "count"), Parameter("size", "count"))
    placement = Placement.SOURCE

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        for parameter in self.parameters:
            if isinstance(it[parameter.name], Ref):
                raise OpError("E0407", f"the `{parameter.name}` of an image cannot be a set", "write a constant")
        return Type((it["channels"],), it["size"], it["size"])
