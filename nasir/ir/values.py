"""What an attribute of a node can hold: a constant, or a reference to a decision or a dim."""

import json
from dataclasses import dataclass

Scalar = int | float | bool | str


@dataclass(frozen=True)
class Ref:
    """A reference by name to a decision or a dim of the graph; prints as `$name`."""

    name: str


Value = Scalar | Ref


def text(value: Value) -> str:
    """The one spelling of a value in the printed IR: `$name`, `true`, `3`, `0.75`, `"relu"`."""
    match value:
        case Ref(name):
            return f"${name}"
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value)
        case _:
            return repr(value)


def key(value: Scalar) -> str:
    """A scalar as the name of a mixture's operand: `true`, `3`, `ir_k3`."""
    return value if isinstance(value, str) else text(value)
