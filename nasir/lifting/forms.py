"""What many lines of PyTorch say in many ways, as one call each: the normal form.

A mean over height and width is an average pooling of the whole map, a linear layer on a map whose channels are last a
convolution of one pixel, a slice of rows a crop, `relu6(x + 3) / 6` a hard sigmoid. A form is a function of the reader
and the call; those that have none are read as they stand.
"""

import math
from collections.abc import Callable, Sequence
from math import prod
from typing import Any, cast

import torch
from torch import Tensor, nn

from nasir.lifting.reading import Call, Form, Reader, Seen, Several, Shifted, Unliftable, pixelwise
from nasir.lifting.steps import TorchCall
from nasir.lifting.views import SPREAD, Factor, View

FORMS: dict[str, Form] = {}
_ENDLESS = 2**62


def _form(*targets: str) -> Callable[[Form], Form]:
    def note(form: Form) -> Form:
        FORMS.update(dict.fromkeys(targets, form))
        return form

    return note


# What computes nothing


@_form("contiguous", "clone", "alias", "detach", "to", "_to_copy", "lift_fresh_copy")
def _same(reader: Reader, call: Call) -> Seen:
    if call.values.get("dtype") not in {None, torch.float32}:
        raise Unliftable("it computes with numbers of another kind than float32")
    return call.first if isinstance(call.first, Shifted) else call.x


@_form("view", "reshape", "_unsafe_view", "flatten", "unflatten", "squeeze", "unsqueeze", "view_as", "reshape_as")
def _reshaped(reader: Reader, call: Call) -> Seen:
    view = call.x.reshaped(call.shape)
    if view is None:
        raise Unliftable(f"{_text(call.x.shape)} as {_text(call.shape)} parts an axis unevenly")
    return view


@_form("permute", "transpose", "swapaxes", "movedim", "moveaxis", "t", "numpy_T")
def _permuted(reader: Reader, call: Call) -> Seen:
    x, rank = call.x, len(call.x.dims)
    if "dims" in call.values:
        return x.permuted([d % rank for d in call["dims"]])
    numbers = call.rest()
    if not numbers:
        return x.permuted(range(rank)[::-1])
    source, target = ([n % rank for n in _list(value)] for value in numbers.values())
    if call.target in {"movedim", "moveaxis"}:
        order = [d for d in range(rank) if d not in source]
        for place, d in sorted(zip(target, source, strict=True)):
            order.insert(place, d)
        return x.permuted(order)
    swapped = dict(zip([*source, *target], [*target, *source], strict=True))
    return x.permuted([swapped.get(d, d) for d in range(rank)])


@_form("expand", "expand_as")
def _expanded(reader: Reader, call: Call) -> Seen:
    dims = list(call.x.dims)
    dims = [()] * (len(call.shape) - len(dims)) + dims
    return View(
        call.x.step,
        tuple(dim or ((Factor(SPREAD, 1, size),) if size > 1 else ()) for dim, size in zip(dims, call.shape, strict=True)),
    )


# Layers


@_form("linear")
def _linear(reader: Reader, call: Call) -> Seen:
    x, weight = call.x, call["weight"]
    if len(x.dims) == 2:
        return reader.emit("linear", [reader.plain(x)], [len(weight)], call.tensors)
    step = reader.writer.step(x.step)
    rank = len(step.shape) - 1
    if x.axis_of(-1) != 1 or x.shape[-1] != step.shape[0] or len(x.dims) != rank + 2:
        raise Unliftable("it mixes an axis that is not the channels")
    tensors = {**call.tensors, "weight": weight.reshape(*weight.shape, *[1] * rank)}
    like = pixelwise(TorchCall("", (), {}, (len(weight),)), rank)
    shape = (len(weight), *step.shape[1:])
    made = reader.emit(like.target, [x.step], shape, tensors, **like.arguments)
    return View(made.step, tuple(made.dims[1] if dim == x.dims[-1] else dim for dim in x.dims))


@_form("layer_norm", "rms_norm")
def _normalised(reader: Reader, call: Call) -> Seen:
    x = call.x
    shape = reader.writer.step(x.step).shape
    if len(x.dims) == 2:
        x = reader.whole(reader.plain(x))
        shape = reader.writer.step(x.step).shape
    elif x.axis_of(-1) != 1 or x.shape[-1] != shape[0]:
        raise Unliftable("it normalises over more than the channels")
    if call["normalized_shape"] != [shape[0]]:
        raise Unliftable("it normalises over more than the channels")
    values = call.rest("normalized_shape", "weight", "bias")
    values["eps"] = torch.finfo(torch.float32).eps if values["eps"] is None else values["eps"]
    made = reader.emit(call.target, [x.step], shape, _affine(call, shape[0]), **values)
    return x.of(made.step)


@_form("batch_norm", "group_norm")
def _shifted_and_scaled(reader: Reader, call: Call) -> Seen:
    name = reader.plain(call.x)
    if call.target == "batch_norm" and call["running_mean"] is None:
        raise Unliftable("it has no running statistics")
    values = call.rest("weight", "bias")
    if values.get("momentum") == 0.0:  # `momentum=None`: of all batches alike, which trains and tells nothing here
        values["momentum"] = 0.1
    shape = reader.writer.step(name).shape
    return reader.emit(call.target, [name], shape, {**call.tensors, **_affine(call, shape[0])}, **values)


def _affine(call: Call, channels: int) -> dict[str, Tensor]:
    """Weight and bias, as they are where there is none."""
    given = {name: call.values[name] for name in ("weight", "bias") if name in call.values}
    filled = {"weight": torch.ones(channels), "bias": torch.zeros(channels)}
    return {name: filled[name] if value is None else value for name, value in given.items()}


@_form("conv1d", "conv2d")
def _convolved(reader: Reader, call: Call) -> Seen:
    padding, x = call["padding"], reader.plain(call.x)
    values = call.rest("weight", "bias")
    if isinstance(padding, str):
        spans = [d * (k - 1) for d, k in zip(call["dilation"], call["weight"].shape[2:], strict=True)]
        totals = spans if padding == "same" else [0] * len(spans)
        values["padding"] = [n // 2 for n in totals]
        if any(n % 2 for n in totals):
            around = [side for n in reversed(totals) for side in (n // 2, n - n // 2)]
            x, values["padding"] = _padded(reader, x, around, 0.0).step, [0] * len(totals)
    return reader.emit(call.target, [x], call.shape[1:], call.tensors, **values)


# Pooling


@_form("max_pool1d", "max_pool2d", "avg_pool1d", "avg_pool2d")
def _pooled(reader: Reader, call: Call) -> Seen:
    values = call.rest()
    values["stride"] = values["stride"] or values["kernel_size"]
    return reader.emit(call.target, [reader.plain(call.x)], call.shape[1:], **values)


@_form("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_max_pool1d", "adaptive_max_pool2d")
def _adapted(reader: Reader, call: Call) -> Seen:
    name = reader.plain(call.x)
    channels, *sizes = reader.writer.step(name).shape
    asked = _list(call["output_size"]) * (len(sizes) if len(_list(call["output_size"])) == 1 else 1)
    made = [size if n is None else n for n, size in zip(asked, sizes, strict=True)]
    found = _to_sizes(reader, call.target, name, channels, sizes, made)
    return Several((found,)) if "max" in call.target else found


def _to_sizes(reader: Reader, target: str, name: str, channels: int, sizes: list[int], made: list[int]) -> View:
    if made == sizes:
        return reader.whole(name)
    if set(made) == {1}:
        return reader.emit(target, [name], (channels, *made), output_size=made)
    if any(size % n for size, n in zip(sizes, made, strict=True)):
        raise Unliftable(f"windows of several sizes make {_text(made)} of {_text(sizes)}")
    window = [size // n for size, n in zip(sizes, made, strict=True)]
    values: dict[str, Any] = {"kernel_size": window, "stride": window, "padding": [0] * len(sizes), "ceil_mode": False}
    more = {"dilation": [1] * len(sizes)} if "max" in target else {"count_include_pad": True}
    if "avg_pool2d" in target:
        more["divisor_override"] = cast(Any, None)
    return reader.emit(target.removeprefix("adaptive_"), [name], (channels, *made), **values, **more)


@_form("mean", "amax", "max")
def _reduced(reader: Reader, call: Call) -> Seen:
    x = call.x
    dims = [d % len(x.dims) for d in _list(call.values.get("dim", []))]
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


# Sums and products


@_form("add", "sub", "mul", "div", "true_divide", "multiply", "subtract", "rsub")
def _computed(reader: Reader, call: Call) -> Seen:
    kind = {"true_divide": "div", "multiply": "mul", "subtract": "sub"}.get(call.target, call.target)
    a, b = list(call.values.values())[:2]
    if call.values.get("alpha", 1) != 1 or call.values.get("rounding_mode") is not None or kind == "rsub":
        raise Unliftable("it is no plain sum, difference, product or quotient")
    if not isinstance(a, (View, Shifted)) and kind in {"add", "mul"}:
        a, b = b, a
    b = _number(b)
    if isinstance(b, (int, float)):
        return _by_a_number(reader, kind, a, float(b))
    if not isinstance(a, View) or isinstance(b, Shifted):
        raise Unliftable("the language adds and multiplies tensors, and no number or parameter is added to one")
    if isinstance(b, Tensor):
        return _scaled(reader, kind, a, b)
    return _of_two(reader, kind, a, b)


def _number(value: Any) -> Any:
    """A constant tensor of one number as that number."""
    is_one = isinstance(value, Tensor) and value.numel() == 1 and not isinstance(value, nn.Parameter)
    return value.item() if is_one else value


def _by_a_number(reader: Reader, kind: str, a: Any, number: float) -> Seen:
    if kind in {"add", "sub"}:
        base, amount = (a.view, a.amount) if isinstance(a, Shifted) else (a, 0.0)
        amount += number if kind == "add" else -number
        return Shifted(base, amount) if amount else base
    if isinstance(a, Shifted):
        raise Unliftable("a number is added to its input, and the language adds tensors alone")
    factor = number if kind == "mul" else 1 / number
    before = reader.writer.call(a.step)
    if before is not None and before.target == "mul" and "other" in before.arguments:
        factor, a = factor * before.arguments["other"], a.of(before.operands[0])
    if math.isclose(factor, 1.0, rel_tol=1e-12):
        return a
    return a.of(reader.emit("mul", [a.step], reader.writer.step(a.step).shape, other=factor).step)


def _scaled(reader: Reader, kind: str, a: View, factor: Tensor) -> Seen:
    """A tensor times one of the network's own, of a number for each channel."""
    channels, *sizes = reader.writer.step(a.step).shape
    wide = [i - factor.dim() for i, n in enumerate(factor.shape) if n > 1]
    if kind != "mul" or factor.numel() != channels or len(wide) != 1 or a.axis_of(wide[0]) != 1:
        raise Unliftable("it computes with a parameter or a constant that is no factor for each channel")
    tensors = {"other": factor.reshape(channels, *[1] * len(sizes))}
    return a.of(reader.emit("mul", [a.step], (channels, *sizes), tensors).step)


def _of_two(reader: Reader, kind: str, a: View, b: View) -> Seen:
    (first, second), order = _aligned(reader, [a, b])
    shapes = [reader.writer.step(name).shape for name in (first, second)]
    if kind == "div":
        raise Unliftable("the language divides by numbers alone")
    if kind == "mul" and (gated := _gated(reader, first, second) or _gated(reader, second, first)):
        return gated.permuted(order)
    if kind == "mul" and prod(shapes[0][1:]) < prod(shapes[1][1:]):
        shapes.reverse()
    names = [first, second] if kind == "sub" else sorted((first, second), key=reader.writer.place)
    return reader.emit(kind, names, shapes[0]).permuted(order)


def _gated(reader: Reader, x: str, gate: str) -> View | None:
    """`x * sigmoid(x)` as the activation that it is."""
    call = reader.writer.call(gate)
    target = {"sigmoid": "silu", "hardsigmoid": "hardswish"}.get(call.target if call else "")
    if target is None or call is None or call.operands != (x,):
        return None
    return reader.emit(target, [x], reader.writer.step(x).shape)


def _aligned(reader: Reader, views: Sequence[View]) -> tuple[list[str], list[int]]:
    """The steps that views of one layout are, channels first, and the order in which the result's axes follow then."""
    first = max(views, key=lambda view: sum(map(len, view.dims)))
    own = reader.whole(first.step)
    order = list(range(len(first.dims)))
    if first.dims != own.dims and sorted(first.dims) == sorted(own.dims) and len(set(own.dims)) == len(own.dims):
        order = [own.dims.index(dim) for dim in first.dims]
    back = [order.index(i) for i in range(len(order))]
    if any(len(view.dims) != len(order) for view in views):
        raise Unliftable("its tensors have different numbers of axes")
    return [reader.plain(view.narrowed().permuted(back)) for view in views], order


@_form("hardtanh", "clamp", "relu6")
def _clipped(reader: Reader, call: Call) -> Seen:
    bounds = tuple(call.rest().values()) or (0, 6)
    if isinstance(call.first, Shifted) and bounds == (0, 6) and call.first.amount == 3:
        x = call.first.view
        gate = x.of(reader.emit("hardsigmoid", [x.step], reader.writer.step(x.step).shape).step)
        return _by_a_number(reader, "mul", gate, 6.0)
    target = {(0, 6): "relu6", (0, None): "relu"}.get(bounds, call.target)
    x = call.x
    arguments = call.rest() if target == call.target and target != "relu6" else {}
    return x.of(reader.emit(target, [x.step], reader.writer.step(x.step).shape, **arguments).step)


@_form("hardswish", "dropout")
def _pointwise(reader: Reader, call: Call) -> Seen:
    x = call.x
    if call.values.get("p") == 0.0:
        return x
    return x.of(reader.emit(call.target, [x.step], reader.writer.step(x.step).shape, **call.rest()).step)


# Channels


@_form("cat", "concat", "concatenate")
def _joined(reader: Reader, call: Call) -> Seen:
    views: list[Any] = call.first
    if not all(isinstance(view, View) for view in views):
        raise Unliftable("it joins what is no tensor that follows from the network's input")
    if len(views) == 1:
        return views[0]
    names, order = _aligned(reader, views)
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


@_form("chunk", "split", "split_with_sizes", "tensor_split")
def _parted(reader: Reader, call: Call) -> Seen:
    dim, name = _channels_first(reader, call.x, call["dim"])
    channels = reader.writer.step(name).shape[0]
    if dim != 1:
        raise Unliftable("it takes other axes apart than the channels")
    given = next(value for key, value in call.rest().items() if key != "dim")
    size = given if call.target == "split" else -(-channels // given) if isinstance(given, int) else 0
    sizes = given if isinstance(given, list) else [min(size, channels - at) for at in range(0, channels, size)]
    if len(sizes) == 1:
        return Several((call.x,))
    if len(set(sizes)) == 1:
        return reader.parts(name, len(sizes))
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return Several(tuple(_narrow(reader, name, start, size) for start, size in zip(starts, sizes, strict=True)))


@_form("slice", "narrow")
def _sliced(reader: Reader, call: Call) -> Seen:
    x, axis = call.x, call["dim"] % len(call.x.dims)
    size = x.shape[axis]
    start = _place(call["start"] or 0, size)
    end = start + call["length"] if call.target == "narrow" else _place(_ENDLESS if call["end"] is None else call["end"], size)
    step = call.values.get("step", 1)
    if (start, end, step) == (0, size, 1):
        return x
    dim, name = _channels_first(reader, x, axis)
    if dim == 1 and step == 1:
        return _narrow(reader, name, start, end - start)
    if dim < 2:
        raise Unliftable("it takes some of the batch, or channels that do not follow each other")
    rank = len(x.dims) - 2
    around = [0] * (2 * rank)
    around[2 * (rank - dim + 1)], around[2 * (rank - dim + 1) + 1] = -start, end - size
    cropped = name if not any(around) else _padded(reader, name, around, 0.0).step
    return reader.whole(cropped) if step == 1 else _every(reader, cropped, dim - 2, step)


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


def _channels_first(reader: Reader, x: View, dim: int) -> tuple[int, str]:
    """The step that a view is, and which of its axes a dimension is. Its result is as it is, channels first."""
    return dim % len(x.dims), reader.plain(x)


# Sizes


@_form("pad", "constant_pad_nd")
def _constant_around(reader: Reader, call: Call) -> Seen:
    if call.values.get("mode", "constant") != "constant":
        raise Unliftable(f"the language pads by a constant, not by `{call['mode']}`")
    name = reader.plain(call.x)
    rank = len(reader.writer.step(name).shape) - 1
    around = list(call["pad"])
    if any(around[2 * rank :]):
        raise Unliftable("it pads other axes than height and width")
    around = (around + [0] * (2 * rank))[: 2 * rank]
    return _padded(reader, name, around, float(call["value"] or 0.0)) if any(around) else call.x


def _padded(reader: Reader, name: str, around: Sequence[int], value: float) -> View:
    channels, *sizes = reader.writer.step(name).shape
    rank = len(sizes)
    pairs = [around[2 * (rank - 1 - i) : 2 * (rank - i)] for i in range(rank)]
    shape = (channels, *(size + sum(pair) for size, pair in zip(sizes, pairs, strict=True)))
    return reader.emit("pad", [name], shape, pad=tuple(around), value=value)


@_form("upsample_nearest1d", "upsample_nearest2d", "upsample_linear1d", "upsample_bilinear2d")
def _grown(reader: Reader, call: Call) -> Seen:
    name = reader.plain(call.x)
    channels, *sizes = reader.writer.step(name).shape
    made = call.shape[2:]
    values = call.rest("output_size", "scale_factors")
    factors = [new / size for new, size in zip(made, sizes, strict=True)]
    if all(factor == int(factor) for factor in factors):
        return reader.emit(call.target, [name], (channels, *made), scale_factors=factors, **values)
    like = reader.writer.sized(made)
    if like is None:
        raise Unliftable(f"no tensor before it has the size {_text(made)}")
    return reader.emit(call.target, [name, like], (channels, *made), **values)


def _place(index: int, size: int) -> int:
    return max(0, min(size, index + size if index < 0 else index))


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _text(sizes: Sequence[int]) -> str:
    return f"[{', '.join(map(str, sizes))}]"
