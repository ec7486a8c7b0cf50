"""Gates as data: what a map or a batch norm's output is multiplied by in the supernet.

A gate is a sum of products of events `decision or dim = option`; its value is the probability that one of them holds.
The empty product is 1. Where decisions are made, a gate is 0 or 1.
"""

from collections.abc import Iterator

from nasir.ir.values import Ref, Scalar, text

Event = tuple[Ref, Scalar]
Product = tuple[Event, ...]
Gate = tuple[Product, ...]

ONE: Gate = ((),)


def gate_of(value: Ref, option: Scalar) -> Gate:
    """P(value = option)."""
    return (((value, option),),)


def both(a: Gate, b: Gate) -> Gate:
    """The product of two gates."""
    return tuple((*left, *right) for left in a for right in b)


def either(a: Gate, b: Gate) -> Gate:
    """The sum of two gates."""
    return (*a, *b)


def refs(gate: Gate) -> Iterator[Ref]:
    """The decisions and dims that it asks."""
    yield from (ref for product in gate for ref, _ in product)


def gate_text(gate: Gate) -> str:
    """A gate as the printed IR has it: `P($kernel=3) * P($se=true) + 1`."""
    products = (" * ".join(f"P({text(ref)}={text(option)})" for ref, option in product) or "1" for product in gate)
    return " + ".join(products)
