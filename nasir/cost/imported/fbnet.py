"""FBNet's tables: each layer an operator of Caffe2."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from nasir.cost import mistakes
from nasir.cost.imported.caffe2 import Operator, by, conv_name, operators
from nasir.cost.imported.table import Table
from nasir.cost.profile import Row
from nasir.cost.written import Applied, Written, shape_text
from nasir.diagnostics import Source, Span
from nasir.ir.ops.window import axes

_RELU = "Relu"


class FBNet(Table):
    """A layer is an operator: a convolution with its batch norm folded in and maybe a ReLU, a sum of two maps, a
    mean over maps, a linear layer, a channel shuffle, a ReLU."""

    format = "FBNet"
    figure = "runtime_us_p50, us"
    fuse = frozenset((root, *behind) for root in ("conv", "dwconv") for behind in (("bn",), ("bn", "relu"), ("relu",)))

    def layers(self, kernel: Written) -> Sequence[str]:
        name = _name(kernel)
        return (name,) if name else ()

    def teller(self, layer: str) -> str:
        """Where a convolution without ReLU was not measured, the one with it tells, as FBNet's own reader has it."""
        with_relu = layer.replace("Conv ", f"Conv{_RELU} ", 1)
        return with_relu if layer not in self.rows and with_relu in self.rows else layer


def _name(kernel: Written) -> str:
    """What `Operator.name` is of the same work; nothing where no operator does it."""
    first, relu = kernel.steps[0], _RELU if kernel.ops[-1] == "relu" else ""
    shape = shape_text(first.outside[0])
    if len(first.outside[0].sizes) != 2:
        return ""
    match first.op:
        case "conv" | "dwconv":
            return _convolution(first, relu)
        case "add" if [shape_text(type) for type in first.outside] == [shape] * 2:
            return f"Sum {shape}"
        case "global_avg_pool":
            return f"AveragePool {shape}"
        case "linear" if first.outside[0].sizes == (1, 1):
            return f"FC {shape.partition('x')[0]} -> {shape_text(first.it.out).partition('x')[0]}"
        case "shuffle":
            return f"ChannelShuffle {shape} group {first.it['groups']}"
        case "relu":
            return f"Relu {shape}"
        case _:
            return ""


def _convolution(step: Applied, relu: str) -> str:
    it = step.it
    group = it["groups"] if step.op == "conv" else shape_text(it.x).partition("x")[0]
    kernel, stride, dilation = (by(axes(it, name)) for name in ("kernel", "stride", "dilation"))
    return conv_name(relu, shape_text(it.x), shape_text(it.out), kernel, stride, dilation, str(group))


def read_fbnet(source: Source) -> FBNet:
    """The table of a text.

    Raises:
        CompileError: at the line that is no operator, or is of another device than those before it.
    """
    found, idle, first = dict[str, list[Row]](), 0, None
    for operator, span in operators(source):
        name = operator.name()
        if not name:
            idle += 1
            continue
        first = first or operator
        _check_alike(first, operator, span)
        found.setdefault(name, []).append(operator.row)
    rows = {name: _mean(several) for name, several in found.items()}
    return FBNet(rows, _conditions(first) if first else {}, idle)


def _conditions(first: Operator) -> dict[str, str | int]:
    dtype, layout = ("int8", "NHWC") if first.is_int8 else ("float32", first.order or "NCHW")
    return {"device": first.device, "runtime": "caffe2", "dtype": dtype, "layout": layout, "batch": 1}


def _check_alike(first: Operator, other: Operator, span: Span) -> None:
    one, another = _conditions(first), _conditions(other)
    for name, value in one.items():
        if another[name] != value:
            raise mistakes.mixed_table(span, name, str(value), str(another[name]))


def _mean(several: Sequence[Row]) -> Row:
    """An operator that was measured several times: the mean, as FBNet's own reader has it."""
    if len(several) == 1:
        return several[0]
    return replace(several[0], p50=fmean(row.p50 for row in several), p10=None, p90=None)
