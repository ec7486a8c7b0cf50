"""One constructor for each mistake of a program that an op's rules find. An op of another package makes an `OpError` of
its own."""

from collections.abc import Sequence

from nasir.ir.graph import Type
from nasir.ir.values import Scalar, Value, key, text


class OpError(Exception):
    """A shape rule that a user's program breaks; becomes a diagnostic at the node's place."""

    def __init__(self, code: str, message: str, *hints: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hints = hints


def shape_text(type: Type) -> str:
    """A shape as one reads it: `[16, 8, 8]`, `[$trunk.0.width, 8, 8]`."""
    return f"[{', '.join(['+'.join(map(text, type.channels)), *map(text, type.sizes)])}]"


def shapes_differ(what: str, a: Type, b: Type, *hints: str) -> OpError:
    return OpError("E0401", f"{what}: {shape_text(a)} and {shape_text(b)}", *hints)


def no_map(op: str) -> OpError:
    return OpError("E0402", f"`{op}` needs a feature map, and its input is a flat vector")


def no_such_size(type: Type, name: str) -> OpError:
    return OpError("E0402", f"a {type.kind} has no `{name}`")


def no_vector(op: str) -> OpError:
    hint = f"pool first: `-> global_avg_pool -> {op}(...)`"
    return OpError("E0403", f"`{op}` needs a vector or a 1x1 map", hint)


def alternatives_differ_in_size(name: Scalar, first: Type, option: Scalar, other: Type, *, strides: bool) -> OpError:
    shapes = f"{shape_text(first)} for `{key(name)}` and {shape_text(other)} for `{key(option)}`"
    if strides:
        message = f"a set of strides makes maps of several sizes, which cannot be mixed: {shapes}"
        hint = "decide the stride; to search where maps shrink, write a `choice` of blocks that end alike"
    else:
        message = f"the alternatives differ in map size: {shapes}"
        hint = "drop the alternative where it does not fit: `identity when stride == 1`"
    return OpError("E0404", message, hint)


def concatenated_alternatives() -> OpError:
    return OpError("E0405", "alternatives with concatenated channels must have the same channels")


def undecided_input(op: str) -> OpError:
    return OpError("E0407", f"the `channels` of `{op}` cannot be a set", "write a constant")


def groups_do_not_divide(groups: Value, channels: Sequence[Value]) -> OpError:
    return OpError("E0408", f"{text(groups)} groups do not divide the channels {', '.join(map(text, channels))}")


def no_contract(op: str) -> OpError:
    message = f"`{op}` does not say what it does with channels that are to be decided"
    return OpError("E0409", message, "decide the widths around it; an op's author gives it a `contract`")


def undecided_groups(message: str, hint: str) -> OpError:
    return OpError("E0410", message, hint)


def no_condition() -> OpError:
    return OpError("E0301", "the condition of `when` is not always true or false")


def wrong_attribute(name: str, must: str, value: Scalar, *, always: bool) -> OpError:
    hints = ("round it: `round_to(8, ...)`",) if isinstance(value, float) else ()
    return OpError("E0307", f"`{name}` must be {must}, and {'is' if always else 'can be'} {text(value)}", *hints)


def too_large(message: str, *hints: str) -> OpError:
    return OpError("E0320", message, *hints)
