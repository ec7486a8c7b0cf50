"""Sums, products and bounds: of two tensors, of a tensor and a number, or a factor for each channel; and activations
that are written by hand as such."""

import math
from collections.abc import Mapping
from itertools import product
from math import prod
from typing import Any, cast

import torch
from torch import Tensor, nn

from nasir.lifting.reading import Call, Form, Reader, Seen, Shifted, Unliftable, pixelwise
from nasir.lifting.steps import TorchCall
from nasir.lifting.views import View


def _computed(reader: Reader, call: Call) -> Seen:
    kind = {"true_divide": "div", "multiply": "mul", "subtract": "sub"}.get(call.target, call.target)
    a, b = list(call.values.values())[:2]
    times = call.values.get("alpha", 1)
    if call.values.get("rounding_mode") is not None:
        raise Unliftable("it rounds a quotient")
    if kind == "rsub":
        kind, a, b = "sub", b, a
    if times != 1:
        of_input = isinstance(b, (View, Shifted))
        b = _by_a_number(reader, "mul", b, float(times)) if of_input else _number(b) * times
    if not isinstance(a, (View, Shifted)) and kind == "sub":
        kind, a, b = "add", _by_a_number(reader, "mul", b, -1.0), a
    if not isinstance(a, (View, Shifted)) and kind in {"add", "mul"}:
        a, b = b, a
    b = _number(b)
    if isinstance(b, (int, float)):
        return _by_a_number(reader, kind, a, float(b))
    if isinstance(a, Shifted) and isinstance(b, View):
        return _shifted_and(reader, kind, a, b)
    if isinstance(b, Shifted) and isinstance(a, View) and kind in {"add", "mul"}:
        return _shifted_and(reader, kind, b, a)
    for one in (a, b):
        if isinstance(one, Shifted):
            raise one.refused()
    if not isinstance(a, View):
        raise Unliftable("the language divides by numbers alone")
    if isinstance(b, Tensor):
        return _scaled(reader, kind, a, b)
    return _of_two(reader, kind, a, cast(View, b))


def _number(value: Any) -> Any:
    """A constant tensor of one number as that number."""
    is_one = isinstance(value, Tensor) and value.numel() == 1 and not isinstance(value, nn.Parameter)
    return value.item() if is_one else value


def _by_a_number(reader: Reader, kind: str, a: Any, number: float) -> Seen:
    if kind in {"add", "sub"}:
        base, amount = (a.view, a.amount) if isinstance(a, Shifted) else (a, 0.0)
        amount += number if kind == "add" else -number
        return Shifted(base, amount, kind, reader.place) if amount else base
    if isinstance(a, Shifted):
        raise a.refused()
    if kind == "div" and not number:
        raise Unliftable("it divides by zero")
    factor = number if kind == "mul" else 1 / number
    before = reader.writer.call(a.step)
    if before is not None and before.target == "mul" and "other" in before.arguments:
        factor, a = factor * before.arguments["other"], a.of(before.operands[0])
    if math.isclose(factor, 1.0, rel_tol=1e-12):
        return a
    return a.of(reader.emit("mul", [a.step], reader.writer.step(a.step).shape, other=factor).step)


def _shifted_and(reader: Reader, kind: str, a: Shifted, b: View) -> Seen:
    """`(x + n) * y` as `x * y + n * y`, so that gates as `1 - z` are said; a sum keeps the number."""
    if kind in {"add", "sub"}:
        made = _of_two(reader, kind, a.view, b)
        return Shifted(made, a.amount, a.call, a.place)
    if kind != "mul":
        raise a.refused()
    first, times = _unscaled(reader, a.view.step)
    product = _of_two(reader, "mul", a.view.of(first), b)
    rest = _by_a_number(reader, "mul", b, a.amount)
    assert isinstance(rest, View), "a view times a number"
    if times == -1:
        return _of_two(reader, "sub", rest, product)
    scaled = _by_a_number(reader, "mul", product, times)
    assert isinstance(scaled, View), "a view times a number"
    return _of_two(reader, "add", scaled, rest)


def _scaled(reader: Reader, kind: str, a: View, own: Tensor) -> Seen:
    """A tensor times one of the network's own, of a number for each channel or of one alone; or plus one, a convolution
    of each channel by itself."""
    channels, *sizes = reader.writer.step(a.step).shape
    wide = [i - own.dim() for i, n in enumerate(own.shape) if n > 1]
    if own.numel() not in {1, channels} or len(wide) > 1 or (wide and a.axis_of(wide[0]) != 1):
        raise Unliftable("it computes with a parameter or a constant that is no number for each channel")
    own = (own.flatten().repeat(channels) if own.numel() == 1 else own).float()
    ones = [1] * len(sizes)
    if kind in {"mul", "div"}:
        factor = own if kind == "mul" else 1 / own
        tensors = {"other": factor.reshape(channels, *ones)}
        return a.of(reader.emit("mul", [a.step], (channels, *sizes), tensors).step)
    if not sizes:
        raise Unliftable("to vectors the language adds no parameters: the layer before has a bias")
    like = pixelwise(TorchCall("", (), {}, (channels,)), len(sizes))
    tensors = {"weight": torch.ones(channels, 1, *ones), "bias": (own if kind == "add" else -own).flatten()}
    arguments = {**like.arguments, "groups": channels}
    return a.of(reader.emit(like.target, [a.step], (channels, *sizes), tensors, **arguments).step)


def _of_two(reader: Reader, kind: str, a: View, b: View) -> View:
    (first, second), order = reader.aligned([a, b])
    shapes = [reader.writer.step(name).shape for name in (first, second)]
    if kind == "div":
        raise Unliftable("the language divides by numbers alone")
    if kind == "mul":
        for (x, scale), (y, other) in product(*(((name, 1.0), _unscaled(reader, name)) for name in (first, second))):
            if gated := _gated(reader, x, y) or _gated(reader, y, x):
                scaled = _by_a_number(reader, "mul", gated, scale * other)
                assert isinstance(scaled, View), "a view times a number"
                return scaled.permuted(order)
    if kind == "mul" and prod(shapes[0][1:]) < prod(shapes[1][1:]):
        shapes.reverse()
    names = [first, second] if kind == "sub" else sorted((first, second), key=reader.writer.place)
    return reader.emit(kind, names, shapes[0]).permuted(order)


def _unscaled(reader: Reader, name: str) -> tuple[str, float]:
    """What a step is a number of times, and that number."""
    call = reader.writer.call(name)
    scaled = call is not None and call.target == "mul" and "other" in call.arguments
    return (call.operands[0], call.arguments["other"]) if call and scaled else (name, 1.0)


def _gated(reader: Reader, x: str, gate: str) -> View | None:
    """`x * sigmoid(x)` as the activation that it is."""
    call = reader.writer.call(gate)
    target = {"sigmoid": "silu", "hardsigmoid": "hardswish"}.get(call.target if call else "")
    if target is None or call is None or call.operands != (x,):
        return None
    return reader.emit(target, [x], reader.writer.step(x).shape)


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


FORMS: Mapping[str, Form] = {
    **dict.fromkeys(("add", "sub", "mul", "div", "true_divide", "multiply", "subtract", "rsub"), _computed),
    **dict.fromkeys(("hardtanh", "clamp", "relu6"), _clipped),
    "hardswish": Reader.pointwise,
}
