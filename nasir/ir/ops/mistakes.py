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


def no_middle(op: str, kernel: int) -> OpError:
    message = f"an even window has no middle, so that `{op}` with a kernel of {kernel} must say what it pads"
    hint = f"write `padding=0`, `padding={kernel // 2}` or `padding=same`"
    return OpError("E0412", message, hint)


def window_too_large(axis: str, span: int, size: Value, padding: int) -> OpError:
    message = f"a window of {span} does not fit into a {axis} of {text(size)} with {padding} of padding"
    return OpError("E0413", message, "shrink the kernel, or pad: `padding=same`")


def several_paddings(size: Value, totals: Sequence[int]) -> OpError:
    listed = ", ".join(map(str, totals))
    message = f"`padding=same` pads by {listed} for the sizes that {text(size)} can have, and a network pads by one"
    return OpError("E0414", message, "write the padding as a number, or take an odd kernel, which needs none")


def pair_for_a_sequence(op: str, attribute: str, value: Value) -> OpError:
    message = f"the `{attribute}` of `{op}` is {text(value)}, and a sequence has one size"
    return OpError("E0415", message, "write one number")


def padded_too_far(op: str, padding: int, kernel: int) -> OpError:
    message = f"`{op}` pads by {padding}, more than half of its kernel of {kernel}: some windows would be empty"
    return OpError("E0416", message, f"write `padding={kernel // 2}` at most, or `pad` before it")


def uneven_average() -> OpError:
    message = "`padding=same` is uneven here, and an average that leaves padding out cannot have it so"
    return OpError("E0417", message, "write `padding` as a number")


def no_equal_parts(count: int, layout: Sequence[Value]) -> OpError:
    message = f"the channels {' + '.join(map(text, layout))} are no {count} equal parts"
    return OpError("E0410", message, "put a convolution between, which lays its channels out as they are needed")


def dealt_out(name: str, count: int) -> OpError:
    message = f"channels that were dealt out, of the undecided width ${name}, are no {count} parts any more"
    return OpError("E0410", message, "decide the width, or put a convolution between")


def parts_of_options(name: str, count: int, wrong: Sequence[Scalar]) -> OpError:
    listed = ", ".join(map(text, wrong))
    message = f"${name} is laid out in {count} equal parts, and {listed} cannot be"
    return OpError("E0408", message, f"let all its options be multiples of {count}")


def other_layout(layout: Sequence[Value]) -> OpError:
    joined = " + ".join(map(text, layout))
    message = f"channels that are joined, {joined}, meet others of that number that are joined otherwise"
    return OpError("E0401", message, "put a convolution between, or join them in one order")


def gaps(op: str, kernel: int, stride: int) -> OpError:
    message = f"`{op}` with a kernel of {kernel} and a stride of {stride} would leave gaps"
    return OpError("E0419", message, f"take a kernel of {stride} at least")


def padding_of_growth(op: str) -> OpError:
    return OpError("E0420", f"`{op}` cannot have `padding=same`", "leave it out: the map grows by the stride exactly")


def undecided_sizes(op: str) -> OpError:
    message = f"`{op}` makes channels of pixels, and how many pixels there are is to be decided"
    return OpError("E0421", message, "decide the image's size, or pool: `global_avg_pool`")


def cropped_away(axis: str, size: Value) -> OpError:
    return OpError("E0422", f"nothing is left of a {axis} of {text(size)}", "crop less")


def slice_too_long(end: int, channels: Value) -> OpError:
    return OpError("E0423", f"the slice ends at channel {end:,}, and there are {text(channels)}", "take fewer")


def sizes_cross(sizes: Sequence[Scalar]) -> OpError:
    message = f"of the sizes {', '.join(map(text, sizes))} none is the largest in both height and width"
    return OpError("E0418", message, "let them grow together: `{32x64, 48x96}`")


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


def undecided_attribute(name: str) -> OpError:
    message = f"`{name}` can follow from decisions, and not from the shape of a tensor that is undecided"
    return OpError("E0316", message, "compute it from decisions that a `let` names, or write a `choice` between blocks")


def too_large(message: str, *hints: str) -> OpError:
    return OpError("E0320", message, *hints)
