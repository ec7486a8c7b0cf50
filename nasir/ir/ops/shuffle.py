"""Channels in equal parts: dealt out, or taken apart."""

from nasir.ir.dims import DimTable
from nasir.ir.graph import Type, is_decided, layout_of
from nasir.ir.ops.base import Argument, Attribute, Call, Contract, Op, Support, Tensors, require_map
from nasir.ir.ops.parameters import Parameter
from nasir.ir.ops.parts import parts_of
from nasir.ir.values import Value


class Shuffle(Op):
    """`shuffle(groups)`: channels dealt out across groups, as after a grouped convolution (ShuffleNet, Zhang et al.,
    2018). Of groups that keep their first channels, the dealt-out channels are the first of them all."""

    name = "shuffle"
    parameters = (Parameter("groups", "count"),)
    contract = Contract.CHANNELWISE

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        require_map(it, self.name)
        groups, hint = part_count(it["groups"]), f"{it.node.name}.channels"
        first, *_ = parts_of(it.x.channels, groups, dims)
        whole = dims.whole(it.x.channels)
        if groups == 1 or all(map(is_decided, it.x.channels)):
            return it.x
        # The first parts of all groups are dealt out together, then the second ones.
        if whole is not None:
            return Type(dims.parts(whole, len(first)), it.x.sizes)
        return Type(tuple(dims.apply("mul", part, groups, hint=hint) for part in first), it.x.sizes)

    def call(self, it: Tensors) -> Call:
        return Call("function", "channel_shuffle", (Argument("groups", Attribute("groups"), positional=True),))


class Split(Op):
    """`a, b = x -> split(2)`: the channels in equal parts, one after another."""

    name = "split"
    parameters = (Parameter("parts", "several"),)
    contract = Contract.CHANNELWISE

    def results(self, value: Value) -> int:
        return part_count(value)

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        parts = parts_of(it.x.channels, part_count(it["parts"]), dims)
        return Type(parts=tuple(Type(layout_of(part), it.x.sizes) for part in parts))

    def call(self, it: Tensors) -> Call:
        chunks = Argument("chunks", Attribute("parts"), positional=True)
        return Call("torch", "chunk", (chunks, Argument("dim", 1)))


def part_count(value: Value) -> int:
    """How many parts: a constant, for a set of them is a mixture."""
    assert isinstance(value, int), "a set of numbers of parts is a mixture"
    return value


offered = (Shuffle, Split)
