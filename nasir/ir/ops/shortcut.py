"""The shortcut of a residual block, there for exactly those choices that make its ends equal."""

from collections.abc import Iterator
from dataclasses import replace

from nasir.ir.dims import DimTable
from nasir.ir.gates import ONE, Gate, gate_of
from nasir.ir.graph import Node, Type
from nasir.ir.ops import mistakes
from nasir.ir.ops.base import (
    Chances,
    Condition,
    Contract,
    Op,
    Operand,
    SoftCall,
    Support,
    Tensors,
)
from nasir.ir.values import Ref, Value


class Shortcut(Op):
    """`shortcut(x, y)` = y + P(equal shapes) * fit(x), where fit crops or zero-pads to y's maximum width.

    The attribute `equal` is the condition; `infer-shapes` sets it. Scale first, then pad; x is not multiplied by y's
    mask. Decided ends become `y + x` or `y`.
    """

    name = "shortcut"
    operands = ("x", "y")
    internal = ("equal",)
    contract = Contract.GATED
    is_soft = True

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        x, y = it.operands["x"], it.operands["y"]
        if x.channels != y.channels and (len(x.channels) > 1 or len(y.channels) > 1):
            hint = "put a convolution between an undecided `concat` and the shortcut"
            raise mistakes.shapes_differ("the ends of the shortcut are laid out apart", x, y, hint)
        return y

    def settled(self, it: Tensors, dims: DimTable, support: Support) -> tuple[tuple[str, Value], ...]:
        return (("equal", self._condition(it, dims)),)

    def _condition(self, it: Tensors, dims: DimTable) -> Value:
        """Whether the shapes of x and y are equal."""
        x, y = it.operands["x"], it.operands["y"]
        if x.rank != y.rank:
            return False
        hint = f"{it.node.name}.equal"
        total = f"{it.node.name}.total"
        equal = dims.apply("eq", dims.total(x.channels, hint=total), dims.total(y.channels, hint=total), hint=hint)
        for a, b in zip(x.sizes, y.sizes, strict=True):
            equal = conjunction(dims, equal, dims.apply("eq", a, b, hint=hint), hint)
        return equal

    def simplified(self, node: Node) -> Node | str:
        operands = dict(node.operands)
        if node["equal"] is False:
            return operands["y"]
        if node["equal"] is True:
            return replace(node, op="add", operands=(("a", operands["x"]), ("b", operands["y"])), attributes=())
        return node

    def live(self, node: Node, support: Support) -> Iterator[tuple[str, Condition | None]]:
        ends, equal = dict(node.operands), node["equal"]
        if isinstance(equal, Ref):
            yield ends["y"], None
            yield ends["x"], (equal, (True,))
        else:
            yield from super().live(node, support)

    def terms(self, it: Tensors, support: Support) -> Iterator[tuple[str, Gate]]:
        equal = it["equal"]
        if isinstance(equal, Ref) and it.operands["x"].sizes == it.operands["y"].sizes:
            yield "y", ONE
            yield "x", gate_of(equal, True)

    def soft_call(self, it: Tensors) -> SoftCall:
        arguments = (Operand("x"), Operand("y"), Chances("equal", (True,)))
        return SoftCall("nasir.supernets.layers:residual", arguments)


def conjunction(dims: DimTable, a: Value, b: Value, hint: str) -> Value:
    """`a and b`, decided as soon as one of them decides it."""
    if a is False or b is False:
        return False
    if a is True:
        return b
    return a if b is True else dims.apply("and", a, b, hint=hint)


offered = (Shortcut,)
