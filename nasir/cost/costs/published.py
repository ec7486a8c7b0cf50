"""Costs as the released FBNets are counted."""

from nasir.cost.base import AdditiveCost
from nasir.ir.ops import Op, Tensors
from nasir.ir.sizes import Number, Sizing


class PublishedMacs(AdditiveCost):
    """The operations that the release of FBNetV2 states for its networks."""

    name = "published_macs"
    quantity = "macs"
    unit = "multiply-adds"
    title = "Multiply-adds (published)"
    words = "macs plus the elements that global poolings read, as the released FBNets are counted"
    convention = "published"

    def price(self, op: Op, it: Tensors, size: Sizing) -> Number:
        return op.macs(it, size) + op.pooled(it, size)


class PublishedParams(AdditiveCost):
    """The parameters that the release of FBNetV2 states for its networks."""

    name = "published_params"
    quantity = "params"
    unit = "parameters"
    title = "Parameters (published)"
    words = "weights of convolutions and linear layers alone, as the released FBNets are counted"
    convention = "published"

    def price(self, op: Op, it: Tensors, size: Sizing) -> Number:
        return op.weight_count(it, size)


offered = (PublishedMacs, PublishedParams)
