"""Parameters."""

from nasir.cost.base import AdditiveCost, Counters
from nasir.ir.ops import Op, Tensors
from nasir.ir.sizes import Number, Sizing


class Params(AdditiveCost):
    """Everything trainable (Eq. 10, second line)."""

    name = quantity = "params"
    unit = "parameters"
    title = "Parameters"
    words = "all trainable parameters: weights, biases, two a batch-norm channel"
    is_standard = True

    def price(self, op: Op, it: Tensors, size: Sizing) -> Number:
        return op.params(it, size)

    def told(self, counters: Counters) -> int | None:
        return counters.parameters


offered = (Params,)
