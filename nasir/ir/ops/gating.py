"""What `fold-masks` makes of mixtures: gates as values of their own, and sums of maps that carry them."""

from nasir.ir.ops.base import Op, Placement


class Gate(Op):
    """P(selector = option), a scalar."""

    name = "gate"
    operands = ()
    placement = Placement.SOURCE
    in_language = False


class GateProduct(Op):
    """The product of gates."""

    name = "gate_product"
    operands = ("...",)
    placement = Placement.SOURCE
    in_language = False


class GateSum(Op):
    """The sum of gates."""

    name = "gate_sum"
    operands = ("...",)
    placement = Placement.SOURCE
    in_language = False


class Sum(Op):
    """The sum of maps, each cropped or zero-padded to the widest that the sum can be: operand `xI`, times the gate
    `xI.gate` where it has one."""

    name = "sum"
    operands = ("...",)
    placement = Placement.GATED
    in_language = False


class Blend(Op):
    """1 + gate * (x - 1): a factor that is there with the gate's probability, and 1 where it is not."""

    name = "blend"
    operands = ("x", "gate")
    keeps_zero = False
    in_language = False


GATES = frozenset((Gate.name, GateProduct.name, GateSum.name))
"""Ops whose values are scalars that follow from the gates: no tensor of the network."""
