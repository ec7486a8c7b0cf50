"""Layers with weights, and normalisations: their channels first, and a weight and a bias where there is none."""

from collections.abc import Mapping

import torch
from torch import Tensor

from nasir.lifting.forms.sizes import padded
from nasir.lifting.reading import Call, Form, Reader, Seen, Unliftable, pixelwise
from nasir.lifting.steps import TorchCall
from nasir.lifting.views import View


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


def _normalised(reader: Reader, call: Call) -> Seen:
    x = call.x
    shape = reader.writer.step(x.step).shape
    if len(x.dims) == 2:
        name = reader.plain(x)
        x = x if name == x.step else reader.whole(name)
        shape = reader.writer.step(name).shape
    elif x.axis_of(-1) != 1 or x.shape[-1] != shape[0]:
        raise Unliftable("it normalises over more than the channels")
    if call["normalized_shape"] != [shape[0]]:
        raise Unliftable("it normalises over more than the channels")
    values = call.rest("normalized_shape", "weight", "bias")
    values["eps"] = torch.finfo(torch.float32).eps if values["eps"] is None else values["eps"]
    made = reader.emit(call.target, [x.step], shape, _affine(call, shape[0]), **values)
    return x.of(made.step)


def _shifted_and_scaled(reader: Reader, call: Call) -> Seen:
    x, name = call.x, reader.plain(call.x)
    if call.target == "batch_norm" and call["running_mean"] is None:
        raise Unliftable("it has no running statistics")
    values = call.rest("weight", "bias")
    if values.get("momentum") == 0.0:  # `momentum=None`: of all batches alike, which trains and tells nothing here
        values["momentum"] = 0.1
    shape = reader.writer.step(name).shape
    made = reader.emit(call.target, [name], shape, {**call.tensors, **_affine(call, shape[0])}, **values)
    return x.of(made.step) if name == x.step else made


def _normalised_alone(reader: Reader, call: Call) -> Seen:
    """Each channel of each input by itself: with weights a group normalisation of as many groups."""
    if call["running_mean"] is not None and not call["use_input_stats"]:
        raise Unliftable("in evaluation it takes running statistics, and the language has batch norms for that")
    if call["weight"] is None:
        return reader.plainly(call)
    name = reader.plain(call.x)
    shape = reader.writer.step(name).shape
    tensors = _affine(call, shape[0])
    values = {name: call[name] for name in ("eps", "cudnn_enabled")}
    return reader.emit("group_norm", [name], shape, tensors, num_groups=shape[0], **values)


def _enlarged(reader: Reader, call: Call) -> Seen:
    """A transposed convolution; one with an output padding is cropped less behind than before."""
    x, more, padding = reader.plain(call.x), call["output_padding"], call["padding"]
    values = call.rest("weight", "bias")
    if not any(more):
        return reader.emit(call.target, [x], call.shape[1:], call.tensors, **values)
    behind = [a - b for a, b in zip(padding, more, strict=True)]
    if min(behind) < 0:
        raise Unliftable("it pads its output by more than it crops: the language crops alone")
    values |= {"padding": [0] * len(padding), "output_padding": [0] * len(padding)}
    channels, *sizes = call.shape[1:]
    whole = [n + a + b for n, a, b in zip(sizes, padding, behind, strict=True)]
    made = reader.emit(call.target, [x], (channels, *whole), call.tensors, **values)
    around = [-n for pair in reversed([*zip(padding, behind, strict=True)]) for n in pair]
    return padded(reader, made.step, around, 0.0)


def _affine(call: Call, channels: int) -> dict[str, Tensor]:
    """Weight and bias, as they are where there is none."""
    given = {name: call.values[name] for name in ("weight", "bias") if name in call.values}
    filled = {"weight": torch.ones(channels), "bias": torch.zeros(channels)}
    return {name: filled[name] if value is None else value for name, value in given.items()}


def _convolved(reader: Reader, call: Call) -> Seen:
    padding, x = call["padding"], reader.plain(call.x)
    values = call.rest("weight", "bias")
    if isinstance(padding, str):
        spans = [d * (k - 1) for d, k in zip(call["dilation"], call["weight"].shape[2:], strict=True)]
        totals = spans if padding == "same" else [0] * len(spans)
        values["padding"] = [n // 2 for n in totals]
        if any(n % 2 for n in totals):
            around = [side for n in reversed(totals) for side in (n // 2, n - n // 2)]
            x, values["padding"] = padded(reader, x, around, 0.0).step, [0] * len(totals)
    return reader.emit(call.target, [x], call.shape[1:], call.tensors, **values)


FORMS: Mapping[str, Form] = {
    "linear": _linear,
    **dict.fromkeys(("layer_norm", "rms_norm"), _normalised),
    **dict.fromkeys(("batch_norm", "group_norm"), _shifted_and_scaled),
    **dict.fromkeys(("conv1d", "conv2d"), _convolved),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d"), _enlarged),
    "instance_norm": _normalised_alone,
}
