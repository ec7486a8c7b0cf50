"""What `fold-masks` makes of mixtures: sums of maps that carry gates."""

from nasir.ir.ops.base import Channels, Contract, GatedOperands, Op, Operand, OperandGates, Operands, SoftCall, Tensors


class Sum(Op):
    """The sum of maps, each times its gate where it has one, cropped or zero-padded to the widest the sum can be."""

    name = "sum"
    operands = ("...",)
    contract = Contract.MIXTURE
    in_language = False
    is_soft = True

    def soft_call(self, it: Tensors) -> SoftCall:
        arguments = (Operands(), Channels("out"), OperandGates(), GatedOperands())
        return SoftCall("nasir.supernets.layers:total", arguments)


class Blend(Op):
    """1 + gate * (x - 1): a factor that is there with the gate's probability, and 1 where it is not."""

    name = "blend"
    contract = Contract.CHANNELWISE
    keeps_zero = False
    in_language = False
    is_soft = True

    def soft_call(self, it: Tensors) -> SoftCall:
        return SoftCall("nasir.supernets.layers:blend", (Operand("x"), OperandGates()))


offered = (Sum, Blend)
