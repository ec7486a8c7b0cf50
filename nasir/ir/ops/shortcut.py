"""The shortcut of a residual block, there for exactly those choices that make its ends equal."""

from nasir.ir.dims import DimTable
from nasir.ir.graph import Type
from nasir.ir.ops.arithmetic import shape_text
from nasir.ir.ops.base import Op, OpError, Placement, Support, Tensors
from nasir.ir.values import Value


class Shortcut(Op):
    """`shortcut(x, y)` = y + P(equal shapes) * fit(x), where fit crops or zero-pads to y's maximum width.

    The attribute `equal` is the condition; `infer-shapes` sets it. Scale first, then pad; x is not multiplied by y's
    mask. Decided ends become `y + x` or `y`.
    """

    name = "shortcut"
    operands = ("x", "y")
    placement = Placement.GATED

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        x, y = it.operands["x"], it.operands["y"]
        if x.channels != y.channels and (len(x.channels) > 1 or len(y.channels) > 1):
            raise OpError(
                "E0401",
                f"the ends of the shortcut are laid out apart: {shape_text(x)} and {shape_text(y)}",
                "put a convolution between an undecided `concat` and the shortcut",
            )
        return y

    def condition(self, it: Tensors, dims: DimTable) -> Value:
        """Whether the shapes of x and y are equal."""
        x, y = it.operands["x"], it.operands["y"]
        if x.is_map != y.is_map:
            return False
        hint = f"{it.node.name}.equal"
        total = f"{it.node.name}.total"
        equal = dims.apply("eq", dims.total(x.channels, hint=total), dims.total(y.channels, hint=total), hint=hint)
        for a, b in ((x.height, y.height), (x.width, y.width)):
            if a is not None and b is not None:
                equal = conjunction(dims, equal, dims.apply("eq", a, b, hint=hint), hint)
        return equal


def conjunction(dims: DimTable, a: Value, b: Value, hint: str) -> Value:
    """`a and b`, decided as soon as one of them decides it."""
    if a is False or b is False:
        return False
    if a is True:
        return b
    return a if b is True else dims.apply("and", a, b, hint=hint)
