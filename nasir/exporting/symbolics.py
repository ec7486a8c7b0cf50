"""What torch's exporter lacks: calls of emitted modules that it has no ONNX form for, or none for any batch."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
import torch.onnx

_onnx: Any = torch.onnx
_helper: Any = _onnx.symbolic_helper

OPSET = 20


@contextmanager
def taught() -> Generator[None]:
    """In it, torch's exporter knows the forms below; after it, torch is as it was."""
    for name, form in _FORMS.items():
        _onnx.register_custom_op_symbolic(name, form, OPSET)
    try:
        yield
    finally:
        for name in _FORMS:
            _onnx.unregister_custom_op_symbolic(name, OPSET)


def _shuffle(g: Any, x: Any, groups: Any) -> Any:
    """Channels in `groups` parts, dealt out in turn."""
    parts, rank = _read(groups, "i"), len(_sizes(x))
    sizes = g.op("Shape", x, start_i=2)
    dealt = g.op("Reshape", x, g.op("Concat", _numbers(g, [0, parts, -1]), sizes, axis_i=0))
    dealt = g.op("Transpose", dealt, perm_i=[0, 2, 1, *range(3, rank + 1)])
    return g.op("Reshape", dealt, g.op("Concat", _numbers(g, [0, -1]), sizes, axis_i=0))


def _pad(g: Any, x: Any, widths: Any, mode: Any, value: Any) -> Any:
    """Numbers about a map; torch names the last axis first, before and after."""
    given: list[int] = _read(widths, "is")
    rank = len(_sizes(x))
    pairs = [[0, 0]] * (rank - len(given) // 2) + [given[i : i + 2] for i in range(len(given) - 2, -2, -2)]
    edges = _numbers(g, [before for before, _ in pairs] + [after for _, after in pairs])
    kind = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}[_read(mode, "s")]
    filler = [] if _helper._is_none(value) else [g.op("Constant", value_t=torch.tensor(_read(value, "f")))]
    return g.op("Pad", x, edges, *filler, mode_s=kind)


def _movedim(g: Any, x: Any, source: Any, destination: Any) -> Any:
    """One axis at another place."""
    rank = len(_sizes(x))
    taken, put = (_axes(value, rank) for value in (source, destination))
    order = [axis for axis in range(rank) if axis not in taken]
    for place, axis in sorted(zip(put, taken, strict=True)):
        order.insert(place, axis)
    return g.op("Transpose", x, perm_i=order)


def _rms_norm(g: Any, x: Any, shape: Any, weight: Any, eps: Any) -> Any:
    """The last axes over their root mean square, times the weight; where no epsilon is given, torch takes the least
    difference of the type."""
    rank = len(_sizes(x))
    axes = _numbers(g, list(range(rank - len(_read(shape, "is")), rank)))
    least = torch.finfo(torch.float32).eps if _helper._is_none(eps) else _read(eps, "f")
    mean = g.op("ReduceMean", g.op("Mul", x, x), axes)
    scaled = g.op("Div", x, g.op("Sqrt", g.op("Add", mean, g.op("Constant", value_t=torch.tensor(least)))))
    return scaled if _helper._is_none(weight) else g.op("Mul", scaled, weight)


_FORMS: Mapping[str, Callable[..., Any]] = {
    "aten::channel_shuffle": _shuffle,
    "aten::pad": _pad,
    "aten::movedim": _movedim,
    "aten::rms_norm": _rms_norm,
}


def _read(value: Any, kind: str) -> Any:
    """A constant argument of a call."""
    return _helper._maybe_get_const(value, kind)


def _sizes(x: Any) -> list[int | None]:
    """The axes of a value; of some the size is not known."""
    found = _helper._get_tensor_sizes(x)
    assert found is not None, "the trace knows how many axes each map has"
    return found


def _axes(value: Any, rank: int) -> list[int]:
    several = value.node().kind() != "onnx::Constant"
    found: list[int] = _read(value, "is") if several else [_read(value, "i")]
    return [axis % rank for axis in found]


def _numbers(g: Any, values: list[int]) -> Any:
    return g.op("Constant", value_t=torch.tensor(values, dtype=torch.int64))
