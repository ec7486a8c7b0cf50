"""The channel mask of Eq. 3."""

from nasir.ir.ops.base import Contract, Mask, Op, Operand, SoftCall, Tensors


class ChannelMask(Op):
    """The map times the survival function of each channel segment, M[j] = P(d > j): the sum of g_i * 1_i of Eq. 3.

    `place-masks` puts it where it is due; no program writes it.
    """

    name = "mask"
    contract = Contract.CLEARS
    in_language = False
    is_soft = True

    def soft_call(self, it: Tensors) -> SoftCall:
        return SoftCall("nasir.supernets.layers:masked", (Operand("x"), Mask("out")))


offered = (ChannelMask,)
