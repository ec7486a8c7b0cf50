"""What regularises the training of a network, and is not there in its evaluation or in a supernet."""

from nasir.ir.ops.base import Argument, Attribute, Call, Contract, Op, Operand, SoftCall, Tensors
from nasir.ir.ops.parameters import Parameter


class Dropout(Op):
    """`dropout(p=0.5)`: each number is zero with probability p, the others grow (Srivastava et al., 2014)."""

    name = "dropout"
    parameters = (Parameter("p", "share", 0.5),)
    contract = Contract.CHANNELWISE
    is_free = True

    def call(self, it: Tensors) -> Call:
        return Call("module", "Dropout", (Argument("p", Attribute("p"), positional=True),))

    def soft_call(self, it: Tensors) -> SoftCall:
        return SoftCall("nasir.supernets.layers:unchanged", (Operand("x"),))


class DropPath(Dropout):
    """`drop_path(p)`: a residual branch is zero with probability p, for each sample by itself (Huang et al., 2016)."""

    name = "drop_path"
    parameters = (Parameter("p", "share"),)

    def call(self, it: Tensors) -> Call:
        return Call("helper", "nasir.carried:DropPath", (Argument("p", Attribute("p"), positional=True),))


offered = (Dropout, DropPath)
