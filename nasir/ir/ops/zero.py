"""Nothing, as a value."""

from nasir.ir.ops.base import Call, Contract, Op, Tensors


class Zero(Op):
    """`zero`: zeros of its input's shape, at no cost; the `none` of NAS-Bench-201 (Dong and Yang, 2020) and DARTS."""

    name = "zero"
    contract = Contract.ZERO

    def call(self, it: Tensors) -> Call:
        return Call("torch", "zeros_like")


offered = (Zero,)
