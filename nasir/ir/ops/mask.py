"""The channel mask of Eq. 3."""

from nasir.ir.ops.base import Op, Placement


class Mask(Op):
    """The map times the survival function of each channel segment, M[j] = P(d > j): the sum of g_i * 1_i of Eq. 3.

    `place-masks` puts it where it is due; no program writes it.
    """

    name = "mask"
    placement = Placement.GATED
    in_language = False
