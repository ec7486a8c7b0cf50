"""Multiply-adds."""

from nasir.cost.base import AdditiveCost, Counters
from nasir.ir.ops import Op, Tensors
from nasir.ir.sizes import Number, Sizing


class Macs(AdditiveCost):
    """Multiply-adds of convolutions and linear layers for one image (Eq. 10, first line): what this field's papers call
    FLOPs, and half of what torch's flop counter reports."""

    name = quantity = "macs"
    unit = "multiply-adds"
    title = "Multiply-adds"
    words = "multiply-adds of convolutions and linear layers for one image, no biases"
    is_standard = True

    def price(self, op: Op, it: Tensors, size: Sizing) -> Number:
        return op.macs(it, size)

    def told(self, counters: Counters) -> int | None:
        return counters.flops // 2


offered = (Macs,)
