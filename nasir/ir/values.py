"""What an attribute of a node can hold: a constant, or a reference to a decision or a dim."""

import json
import re
from dataclasses import dataclass

Scalar = int | float | bool | str


class Pair(str):
    """Two whole numbers, for the height and for the width: `10x4`. It is a string, so that it compares, prints and is
    stored as what it is; two equal numbers are the number (`pair_of`)."""

    __slots__ = ()
    FORM = re.compile(r"([0-9]{1,7})x([0-9]{1,7})")

    @property
    def numbers(self) -> tuple[int, int]:
        """The height's and the width's."""
        first, _, second = self.partition("x")
        return int(first), int(second)


class Word(str):
    """A string that is a word, not the name of an op: a mode of an upsampling."""

    __slots__ = ()


def pair_of(first: int, second: int) -> "int | Pair":
    """The number where both are equal, else the pair."""
    return first if first == second else Pair(f"{first}x{second}")


@dataclass(frozen=True)
class Ref:
    """A reference by name to a decision or a dim of the graph; prints as `$name`."""

    name: str


Value = Scalar | Ref


def text(value: Value) -> str:
    """The one spelling of a value in the printed IR: `$name`, `true`, `3`, `0.75`, `3x1`, `"relu"`."""
    match value:
        case Ref(name):
            return f"${name}"
        case bool():
            return "true" if value else "false"
        case Pair():
            return str(value)
        case str():
            return json.dumps(value)
        case _:
            return repr(value)


def key(value: Scalar) -> str:
    """A scalar as the name of a mixture's operand: `true`, `3`, `ir_k3`."""
    return value if isinstance(value, str) else text(value)
