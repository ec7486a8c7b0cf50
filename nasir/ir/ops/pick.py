"""The sum of some of several tensors."""

from collections.abc import Iterator
from dataclasses import replace

from nasir.ir.dims import DimTable
from nasir.ir.gates import Gate, either, gate_of
from nasir.ir.graph import Node, Type
from nasir.ir.ops import mistakes
from nasir.ir.ops.base import (
    Call,
    Chances,
    Condition,
    Contract,
    Labels,
    Op,
    Operands,
    Options,
    SoftCall,
    Support,
    Tensors,
)
from nasir.ir.values import Ref


class Pick(Op):
    """The sum of those operands that `subset` names, `0_2`: in a supernet each times the probability that it is one of
    them. Operands are labelled by their places."""

    name = "pick"
    operands = ("...",)
    internal = ("subset",)
    contract = Contract.MIXTURE
    in_language = False
    is_soft = True

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        return _alike(it)

    def simplified(self, node: Node) -> Node | str:
        subset, operands = node["subset"], dict(node.operands)
        if isinstance(subset, Ref):
            return node
        kept = tuple((label, operands[label]) for label in members(str(subset)))
        return kept[0][1] if len(kept) == 1 else replace(node, op=Total.name, operands=kept, attributes=())

    def live(self, node: Node, support: Support) -> Iterator[tuple[str, Condition | None]]:
        subset = node["subset"]
        for label, operand in node.operands:
            if isinstance(subset, Ref):
                yield operand, (subset, tuple(o for o in support(subset) if label in members(str(o))))
            elif label in members(str(subset)):
                yield operand, None

    def terms(self, it: Tensors, support: Support) -> Iterator[tuple[str, Gate]]:
        subset = it["subset"]
        assert isinstance(subset, Ref), "a decided subset is canonicalised away"
        for label, _ in it.node.operands:
            gate: Gate = ()
            for option in support(subset):
                if label in members(str(option)):
                    gate = either(gate, gate_of(subset, option))
            if gate:
                yield label, gate

    def soft_call(self, it: Tensors) -> SoftCall:
        arguments = (Chances("subset"), Operands(), Labels(), Options("subset"))
        return SoftCall("nasir.supernets.layers:picked", arguments)


class Total(Op):
    """The sum of its operands, which are of one shape."""

    name = "total"
    operands = ("...",)
    contract = Contract.SUM
    in_language = False

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        return _alike(it)

    def call(self, it: Tensors) -> Call:
        return Call("operator", "+")


def members(subset: str) -> list[str]:
    """The places that a subset names."""
    return subset.split("_")


def _alike(it: Tensors) -> Type:
    first, *others = it.operands.values()
    for other in others:
        if other != first:
            raise mistakes.shapes_differ("the tensors of `pick` differ in shape", first, other)
    return first


offered = (Pick, Total)
