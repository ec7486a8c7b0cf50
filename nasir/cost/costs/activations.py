"""Activations."""

from nasir.cost.base import AdditiveCost
from nasir.ir.ops import Op, Tensors, elements
from nasir.ir.sizes import Number, Sizing


class Activations(AdditiveCost):
    """The elements that convolutions and linear layers make of one image: on accelerators it tells the time better than
    multiply-adds do (Radosavovic et al., 2020, section 3)."""

    name = quantity = "activations"
    unit = "activations"
    title = "Activations"
    words = "elements of the outputs of convolutions and linear layers for one image"

    def price(self, op: Op, it: Tensors, size: Sizing) -> Number:
        return elements(it.out, size)

    def prices(self, op: Op) -> bool:
        return op.multiplies


offered = (Activations,)
