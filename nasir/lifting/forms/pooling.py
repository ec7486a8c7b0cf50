"""Poolings, and what is one: a mean over height and width, windows that follow from the size of the result."""

from collections.abc import Mapping
from typing import Any

from nasir.lifting.reading import Call, Form, Reader, Seen, Several, Unliftable
from nasir.lifting.views import View, numbers, written


def _pooled(reader: Reader, call: Call) -> Seen:
    values = call.rest()
    values["stride"] = values["stride"] or values["kernel_size"]
    return reader.emit(call.target, [reader.plain(call.x)], call.shape[1:], **values)


def _adapted(reader: Reader, call: Call) -> Seen:
    name = reader.plain(call.x)
    channels, *sizes = reader.writer.step(name).shape
    made = list(call.shape[2:]) if call.shape else numbers(call["output_size"])
    made = made * len(sizes) if len(made) < len(sizes) else made
    found = _to_sizes(reader, call.target, name, channels, sizes, made)
    return Several((found,)) if "max" in call.target else found


def _to_sizes(reader: Reader, target: str, name: str, channels: int, sizes: list[int], made: list[int]) -> View:
    if made == sizes:
        return reader.whole(name)
    if set(made) == {1}:
        return reader.emit(target, [name], (channels, *made), output_size=made)
    if any(size % n for size, n in zip(sizes, made, strict=True)):
        raise Unliftable(f"windows of several sizes make {written(made)} of {written(sizes)}")
    window = [size // n for size, n in zip(sizes, made, strict=True)]
    values: dict[str, Any] = {"kernel_size": window, "stride": window, "padding": [0] * len(sizes), "ceil_mode": False}
    values |= {"dilation": [1] * len(sizes)} if "max" in target else {"count_include_pad": True}
    return reader.emit(target.removeprefix("adaptive_"), [name], (channels, *made), **values)


def _reduced(reader: Reader, call: Call) -> Seen:
    x = call.x
    dims = [d % len(x.dims) for d in numbers(call.values.get("dim", []))]
    step = reader.writer.step(x.step)
    own = reader.whole(x.step)
    gone = sorted((f for d in dims for f in x.dims[d]), key=lambda f: (f.axis, -f.stride))
    if gone != [f for dim in own.dims[2:] for f in dim] or not step.shape[1:]:
        raise Unliftable("it is over other axes than a map's height and width together")
    kind = "avg" if call.target == "mean" else "max"
    rank = len(step.shape) - 1
    made = reader.emit(f"adaptive_{kind}_pool{rank}d", [x.step], (step.shape[0], *[1] * rank), output_size=[1] * rank)
    view = x.without(dims, keep=bool(call["keepdim"])).of(made.step)
    return Several((view,)) if call.target == "max" else view


_WINDOWS = ("max_pool1d", "max_pool2d", "avg_pool1d", "avg_pool2d")
FORMS: Mapping[str, Form] = {
    **dict.fromkeys(_WINDOWS, _pooled),
    **dict.fromkeys((f"adaptive_{name}" for name in _WINDOWS), _adapted),
    **dict.fromkeys(("mean", "amax", "max"), _reduced),
}
