"""Several outputs of a network."""

from nasir.ir.dims import DimTable
from nasir.ir.graph import Type
from nasir.ir.ops.base import Call, Contract, Op, Support, Tensors


class Outputs(Op):
    """What `return { c3: a, c4: b }` returns: its operands by their labels. A mask is due at each of them."""

    name = "outputs"
    operands = ("...",)
    contract = Contract.GATED
    is_free = True
    in_language = False

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        return Type(parts=tuple(it.operands.values()))

    def call(self, it: Tensors) -> Call:
        return Call("named", " ".join(label for label, _ in it.node.operands))


offered = (Outputs,)
