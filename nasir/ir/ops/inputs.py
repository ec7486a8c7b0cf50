"""The network's input: images, sequences or vectors."""

from nasir.ir.dims import DimTable
from nasir.ir.graph import Type
from nasir.ir.ops import mistakes
from nasir.ir.ops.base import Contract, Op, Parameter, Support, Tensors
from nasir.ir.values import Ref


class Image(Op):
    """`image(channels, size)`: a batch of square images, [channels, size, size] each.

    A set of sizes searches the resolution (section 3.2): one decision for the whole network.
    """

    name = "image"
    operands = ()
    parameters = (Parameter("channels", "count", sizing=True), Parameter("size", "count", sizing=True))
    contract = Contract.SOURCE

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        return Type((_decided(it, self.name),), (it["size"], it["size"]))


class Signal(Op):
    """`signal(channels, length)`: a batch of sequences, [channels, length] each."""

    name = "signal"
    operands = ()
    parameters = (Parameter("channels", "count", sizing=True), Parameter("length", "count", sizing=True))
    contract = Contract.SOURCE

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        return Type((_decided(it, self.name),), (it["length"],))


class Features(Op):
    """`features(channels)`: a batch of flat vectors, as the rows of a table."""

    name = "features"
    operands = ()
    parameters = (Parameter("channels", "count", sizing=True),)
    contract = Contract.SOURCE

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        return Type((_decided(it, self.name),))


def _decided(it: Tensors, what: str) -> int:
    channels = it["channels"]
    if isinstance(channels, Ref):
        raise mistakes.undecided_input(what)
    return int(channels)


offered = (Image, Signal, Features)
