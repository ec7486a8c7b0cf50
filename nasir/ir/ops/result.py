"""One of several results."""

from nasir.ir.dims import DimTable
from nasir.ir.graph import Type
from nasir.ir.ops.base import Call, Contract, Op, Support, Tensors


class Result(Op):
    """The result number `index` of an op that has several: their types are the parts of that op's type."""

    name = "result"
    internal = ("index",)
    contract = Contract.CHANNELWISE
    is_free = True
    in_language = False

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        return it.x.parts[_index(it)]

    def call(self, it: Tensors) -> Call:
        return Call("item", str(_index(it)))


def _index(it: Tensors) -> int:
    index = it["index"]
    assert isinstance(index, int), "the number of a result is a constant"
    return index


offered = (Result,)
