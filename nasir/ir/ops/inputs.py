"""The network's input: images, sequences or vectors."""

from itertools import pairwise

from nasir.ir.dims import DimTable, first, second
from nasir.ir.graph import Type
from nasir.ir.ops import mistakes
from nasir.ir.ops.base import Contract, Op, Support, Tensors
from nasir.ir.ops.parameters import Parameter
from nasir.ir.values import Pair, Ref


class Image(Op):
    """`image(channels, size)`: a batch of images, [channels, size, size] each, or of `size=49x10` [channels, 49, 10].

    A set of sizes searches the resolution (section 3.2): one decision for the whole network.
    """

    name = "image"
    operands = ()
    parameters = (Parameter("channels", "count", sizing=True), Parameter("size", "size", sizing=True))
    contract = Contract.SOURCE
    is_free = True

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        channels, size = _decided(it, self.name), it["size"]
        options = support(size)
        if not any(isinstance(option, Pair) for option in options):
            return Type((channels,), (size, size))
        both = sorted((first(option), second(option)) for option in options)
        if any(a > b for (_, a), (_, b) in pairwise(both)):
            raise mistakes.sizes_cross(options)
        height, width = (
            dims.apply(part, size, hint=f"{it.node.name}.{name}")
            for part, name in (("first", "height"), ("second", "width"))
        )
        return Type((channels,), (height, width))


class Signal(Op):
    """`signal(channels, length)`: a batch of sequences, [channels, length] each."""

    name = "signal"
    operands = ()
    parameters = (Parameter("channels", "count", sizing=True), Parameter("length", "count", sizing=True))
    contract = Contract.SOURCE
    is_free = True

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        return Type((_decided(it, self.name),), (it["length"],))


class Features(Op):
    """`features(channels)`: a batch of flat vectors, as the rows of a table."""

    name = "features"
    operands = ()
    parameters = (Parameter("channels", "count", sizing=True),)
    contract = Contract.SOURCE
    is_free = True

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        return Type((_decided(it, self.name),))


def _decided(it: Tensors, what: str) -> int:
    channels = it["channels"]
    if isinstance(channels, Ref):
        raise mistakes.undecided_input(what)
    return int(channels)


offered = (Image, Signal, Features)
