"""The network's input."""

from nasir.ir.dims import DimTable
from nasir.ir.graph import Type
from nasir.ir.ops.base import Op, OpError, Parameter, Placement, Support, Tensors
from nasir.ir.values import Ref


class Image(Op):
    """`image(channels, size)`: a batch of square images, [channels, size, size] each.

    A set of sizes searches the resolution (section 3.2): one decision for the whole network.
    """

    name = "image"
    operands = ()
    parameters = (Parameter("channels", "count"), Parameter("size", "count"))
    placement = Placement.SOURCE

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        if isinstance(it["channels"], Ref):
            raise OpError("E0407", "the `channels` of an image cannot be a set", "write a constant")
        return Type((it["channels"],), it["size"], it["size"])
