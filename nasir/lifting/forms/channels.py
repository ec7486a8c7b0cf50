"""Channels joined, taken apart, and some of them; some of the rows and columns."""

from collections.abc import Mapping
from typing import Any

from nasir.lifting.forms.sizes import padded
from nasir.lifting.reading import Call, Form, Reader, Seen, Several, Unliftable
from nasir.lifting.views import View, numbers


def _joined(reader: Reader, call: Call) -> Seen:
    views: list[Any] = call.first
    if not all(isinstance(view, View) for view in views):
        raise Unliftable("it joins what is no tensor that follows from the network's input")
    if len(views) == 1:
        return views[0]
    names, order = reader.aligned(views)
    if order[call["dim"] % len(order)] != 1:
        raise Unliftable("it joins other axes than the channels")
    return _concat(reader, names).permuted(order)


def _concat(reader: Reader, names: list[str]) -> View:
    """The tensors joined: behind a step that has joined the first of them already, where there is one."""
    for count in range(len(names) - 1, 1, -1):
        if (before := reader.writer.joined(names[:count])) is not None:
            names = [before, *names[count:]]
            break
    shapes = [reader.writer.step(name).shape for name in names]
    return reader.emit("cat", names, (sum(shape[0] for shape in shapes), *shapes[0][1:]), dim=1)


def _parted(reader: Reader, call: Call) -> Seen:
    dim, name = call["dim"] % len(call.x.dims), reader.plain(call.x)
    channels = reader.writer.step(name).shape[0]
    if dim != 1:
        raise Unliftable("it takes other axes apart than the channels")
    given: Any = next(value for key, value in call.rest().items() if key != "dim")
    sizes = _sizes(call.target, given, channels)
    if len(sizes) == 1:
        return Several((call.x,))
    if len(set(sizes)) == 1:
        return reader.parts(name, len(sizes))
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return Several(tuple(_narrow(reader, name, start, size) for start, size in zip(starts, sizes, strict=True)))


def _sizes(target: str, given: Any, channels: int) -> list[int]:
    """The widths of the parts: as they are given, of one size, or so many."""
    if isinstance(given, list):
        return numbers(given)
    size = int(given) if target == "split" else -(-channels // int(given))
    return [min(size, channels - at) for at in range(0, channels, size)]


def _sliced(reader: Reader, call: Call) -> Seen:
    x = call.x
    axis = int(call["dim"]) % len(x.dims)
    size = x.shape[axis]
    start, last = _clamped(call["start"] or 0, size), call.values.get("end")
    end = start + call["length"] if "length" in call.values else _clamped(size if last is None else last, size)
    step = call.values.get("step", 1)
    if (start, end, step) == (0, size, 1):
        return x
    name = reader.plain(x)
    if axis == 1 and step == 1:
        return _narrow(reader, name, start, end - start)
    if axis < 2:
        raise Unliftable("it takes some of the batch, or channels that do not follow each other")
    rank = len(x.dims) - 2
    around = [0] * (2 * rank)
    around[2 * (rank - axis + 1)], around[2 * (rank - axis + 1) + 1] = -start, end - size
    cropped = name if not any(around) else padded(reader, name, around, 0.0).step
    return reader.whole(cropped) if step == 1 else _every(reader, cropped, axis - 2, step)


def _every(reader: Reader, name: str, axis: int, step: int) -> View:
    """Every so many rows, or columns: a pooling of windows of one pixel."""
    channels, *sizes = reader.writer.step(name).shape
    strides = [step if i == axis else 1 for i in range(len(sizes))]
    ones = [1] * len(sizes)
    shape = (channels, *(-(-size // stride) for size, stride in zip(sizes, strides, strict=True)))
    values: dict[str, Any] = {"kernel_size": ones, "stride": strides, "padding": [0] * len(sizes), "dilation": ones}
    return reader.emit(f"max_pool{len(sizes)}d", [name], shape, **values, ceil_mode=False)


def _narrow(reader: Reader, name: str, start: int, length: int) -> View:
    shape = (length, *reader.writer.step(name).shape[1:])
    return reader.emit("narrow", [name], shape, dim=1, start=start, length=length)


def _clamped(index: int, size: int) -> int:
    """A place that counts from the end where it is negative, within a size."""
    return max(0, min(size, index + size if index < 0 else index))


FORMS: Mapping[str, Form] = {
    **dict.fromkeys(("cat", "concat", "concatenate"), _joined),
    **dict.fromkeys(("chunk", "split", "split_with_sizes", "tensor_split"), _parted),
    **dict.fromkeys(("slice", "narrow"), _sliced),
}
