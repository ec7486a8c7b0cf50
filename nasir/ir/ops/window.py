"""What ops have in common that move a window over a map or a sequence."""

from collections.abc import Iterator
from typing import cast

from nasir.ir.dims import DimTable
from nasir.ir.graph import SIZE_NAMES, Node
from nasir.ir.ops import mistakes
from nasir.ir.ops.base import Argument, Attribute, Support, Tensors
from nasir.ir.ops.parameters import CENTRED, SAME, Parameter
from nasir.ir.values import Pair, Scalar, Value, pair_of

KERNEL = Parameter("kernel", "window")
STRIDE = Parameter("stride", "window", 1)
PADDING = Parameter("padding", "padding", CENTRED)
DILATION = Parameter("dilation", "window", 1)

Sides = tuple[tuple[int, int], ...]
"""Padding before and behind, of each axis."""


def strided(it: Tensors, dims: DimTable, support: Support) -> tuple[Value, ...]:
    """The spatial sizes of a window op's output."""
    strides, sides = axes(it, "stride"), _sides(it)
    ceil = it.node.has("ceil") and it["ceil"] is True
    names = SIZE_NAMES[it.x.rank]
    found: list[Value] = []
    for axis, (name, size) in enumerate(zip(names, it.x.sizes, strict=True)):
        span, stride = spans(it)[axis], strides[axis]
        before, behind = (0, span - 1) if sides is None else sides[axis]
        excess = before + behind - (span - 1)
        hint = f"{it.node.name}.{name}"
        if not ceil and stride == 1 and excess == 0:
            found.append(size)
            continue
        if min(map(int, support(size))) + excess < 1:
            raise mistakes.window_too_large(name, span, size, before + behind)
        if ceil:
            found.append(dims.apply("window_ceil", size, stride, excess, before, hint=hint))
        else:
            found.append(dims.apply("window", size, stride, *([excess] if excess else []), hint=hint))
    return tuple(found)


def spans(it: Tensors) -> tuple[int, ...]:
    """What the window covers of each axis, its dilation included."""
    dilations = axes(it, "dilation") if it.node.has("dilation") else (1,) * it.x.rank
    return tuple(d * (k - 1) + 1 for k, d in zip(axes(it, "kernel"), dilations, strict=True))


def taps(it: Tensors) -> int:
    """The weights of one filter of one channel."""
    total = 1
    for count in axes(it, "kernel"):
        total *= count
    return total


def settled_padding(it: Tensors, support: Support) -> tuple[tuple[str, Value], ...]:
    """The node's attributes with `same`, and `centred` where it is not half of the kernel, as the numbers that they are
    for this size of the input."""
    if it["padding"] == SAME:
        sides = tuple(_same(it, support))
    elif it["padding"] == CENTRED and not _is_half(it.node):
        sides = tuple(_centred(it))
    else:
        return it.node.attributes
    padding: Scalar
    if all(before == behind for before, behind in sides):
        padding = sides[0][0] if it.x.rank == 1 else pair_of(sides[0][0], sides[1][0])
    else:
        padding = "x".join(f"{before}:{behind}" for before, behind in sides)
    return tuple((name, padding if name == "padding" else value) for name, value in it.node.attributes)


def _same(it: Tensors, support: Support) -> Iterator[tuple[int, int]]:
    """As much on both sides as makes `size / stride` windows, rounded up."""
    for size, span, stride in zip(it.x.sizes, spans(it), axes(it, "stride"), strict=True):
        totals = {max(0, ((int(n) - 1) // stride) * stride + span - int(n)) for n in support(size)}
        if len(totals) > 1:
            raise mistakes.several_paddings(size, sorted(totals))
        (total,) = totals
        yield total // 2, total - total // 2


def _is_half(node: Node) -> bool:
    """Whether a centred padding is half of the kernel, a number that emitted code can write so."""
    kernel = node["kernel"]
    return isinstance(kernel, int) and kernel % 2 == 1 and (not node.has("dilation") or node["dilation"] == 1)


def uneven(it: Tensors) -> tuple[int, ...]:
    """What torch's `pad` is to put around the input, the last axis first, where the padding is uneven."""
    padding = it["padding"]
    if not isinstance(padding, str) or ":" not in padding:
        return ()
    return tuple(n for axis in reversed(padding.split("x")) for n in map(int, axis.split(":")))


def window_arguments(it: Tensors, *, stride_default: Scalar | None = 1) -> tuple[Argument, ...]:
    """Kernel, stride and padding of a convolution or a pooling."""
    return (
        Argument("kernel_size", Attribute("kernel"), positional=True),
        Argument("stride", Attribute("stride"), default=stride_default),
        _padding_argument(it),
        *([Argument("dilation", Attribute("dilation"), default=1)] if it.node.has("dilation") else []),
    )


def kernel_mixed_as(node: Node) -> object:
    """What a convolution has in common with those of other kernels that a supernet mixes as one; None where the middle
    of its window is not over the pixel that it makes, for a kernel with zeros around it is then another one."""
    dilations, kernels = _numbers(node["dilation"]), _numbers(node["kernel"])
    half = pair_of(*(d * (k // 2) for d, k in zip(_two(dilations), _two(kernels), strict=True)))
    if any(k % 2 == 0 for k in kernels) or node["padding"] not in {CENTRED, half}:
        return None
    return node.op, tuple(a for a in node.attributes if a[0] not in {"kernel", "padding"})


def _two(numbers: tuple[int, ...]) -> tuple[int, ...]:
    return numbers if len(numbers) > 1 else numbers * 2


def require_half(it: Tensors) -> None:
    """A diagnostic where a pooling pads by more than half of its kernel: some of its windows would be empty."""
    for kernel, (before, behind) in zip(axes(it, "kernel"), _sides(it) or (), strict=False):
        if max(before, behind) > kernel // 2:
            raise mistakes.padded_too_far(it.node.op, max(before, behind), kernel)


def _padding_argument(it: Tensors) -> Argument:
    if it["padding"] == CENTRED:
        return Argument("padding", Attribute("kernel", halved=True), default=0)
    return Argument("padding", 0 if uneven(it) else Attribute("padding"), default=0)


def _sides(it: Tensors) -> Sides | None:
    """The padding of each axis; None of `same`, which follows from the size."""
    padding = it["padding"]
    if padding == SAME:
        return None
    if padding == CENTRED:
        return tuple(_centred(it))
    if isinstance(padding, str) and ":" in padding:
        pairs = [tuple(map(int, axis.split(":"))) for axis in padding.split("x")]
        return cast(Sides, tuple(pairs))
    return tuple((n, n) for n in axes(it, "padding"))


def _centred(it: Tensors) -> Iterator[tuple[int, int]]:
    """Half the window on each side. An even window has no middle: where it is as wide as its stride, windows tile the
    map and nothing is to be padded; elsewhere the program must say what is."""
    for kernel, span, stride in zip(axes(it, "kernel"), spans(it), axes(it, "stride"), strict=True):
        if kernel % 2 == 0 and span != stride:
            raise mistakes.no_middle(it.node.op, kernel)
        half = 0 if kernel % 2 == 0 else span // 2
        yield half, half


def axes(it: Tensors, attribute: str) -> tuple[int, ...]:
    """A count for each axis."""
    value, rank = it[attribute], it.x.rank
    numbers = _numbers(value)
    if len(numbers) == 2 and rank == 1:
        raise mistakes.pair_for_a_sequence(it.node.op, attribute, value)
    return numbers if len(numbers) == rank else numbers * rank


def _numbers(value: Value) -> tuple[int, ...]:
    if isinstance(value, Pair):
        return value.numbers
    assert isinstance(value, int), "windows are constants: a set of them is a mixture"
    return (value,)
