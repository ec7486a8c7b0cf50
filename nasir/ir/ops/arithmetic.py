"""Element-wise sums and products of tensors."""

from collections.abc import Iterator

from nasir.ir.dims import DimTable
from nasir.ir.gates import ONE, Gate
from nasir.ir.graph import Type
from nasir.ir.ops import mistakes
from nasir.ir.ops.base import Argument, Attribute, Call, Contract, Op, Support, Tensors
from nasir.ir.ops.parameters import Parameter
from nasir.ir.ops.parts import align


class Add(Op):
    """`a + b`, of tensors of one shape."""

    name = "add"
    operands = ("a", "b")
    contract = Contract.SUM
    in_language = False

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        a, b = it.operands["a"], it.operands["b"]
        if a.sizes == b.sizes:
            align(a.channels, b.channels, dims)
        if a != b:
            hint = "`shortcut(x, y)` adds x exactly where the shapes are equal"
            raise mistakes.shapes_differ("the tensors of `+` differ in shape", a, b, hint)
        return a

    def terms(self, it: Tensors, support: Support) -> Iterator[tuple[str, Gate]]:
        yield from ((label, ONE) for label in it.operands)

    def call(self, it: Tensors) -> Call:
        return Call("operator", "+")


class Sub(Op):
    """`a - b`, of tensors of one shape."""

    name = "sub"
    operands = ("a", "b")
    contract = Contract.SUM
    in_language = False

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        a, b = it.operands["a"], it.operands["b"]
        if a != b:
            raise mistakes.shapes_differ("the tensors of `-` differ in shape", a, b)
        return a

    def call(self, it: Tensors) -> Call:
        return Call("operator", "-")


class Times(Op):
    """`2 * x`: a tensor times a number."""

    name = "times"
    parameters = (Parameter("factor", "number"),)
    contract = Contract.CHANNELWISE
    in_language = False

    def call(self, it: Tensors) -> Call:
        return Call("factor", "*", (Argument("factor", Attribute("factor")),))


_PRODUCT = "the tensors of `*` differ in shape"


class Mul(Op):
    """`a * b`, of tensors with the same channels; one may be a 1x1 map, as a squeeze-and-excite's gate is."""

    name = "mul"
    operands = ("a", "b")
    contract = Contract.PRODUCT
    in_language = False

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        a, b = it.operands["a"], it.operands["b"]
        if a.rank == b.rank:
            align(a.channels, b.channels, dims)
        if a.channels != b.channels or a.rank != b.rank:
            concatenated = len(a.channels) > 1 or len(b.channels) > 1
            hint = (
                "channels that `concat` joins and a convolution's new ones are laid out apart: multiply before `concat`"
            )
            raise mistakes.shapes_differ(_PRODUCT, a, b, *([hint] if concatenated else []))
        if b.is_pooled or a.sizes == b.sizes:
            return a
        if a.is_pooled:
            return b
        raise mistakes.shapes_differ(_PRODUCT, a, b)

    def call(self, it: Tensors) -> Call:
        return Call("operator", "*")


offered = (Add, Sub, Mul, Times)
