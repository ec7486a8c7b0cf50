"""Operators of Caffe2 with their figures, a line of JSON each.

    {"op_type": "Int8ConvRelu", "op_args": ["name: \\"kernel\\"\\ni: 3\\n", ...], "device": "SM-G950U-7.0-24",
     "input_shapes": [[1, 224, 224, 3], [32, 3, 3, 3], [32]], "runtime_us_p50": 960.0, ...}

Shapes are [N, H, W, C] of `Int8` operators, of filters [out, h, w, in / group]; of others as their `order` says,
[N, C, H, W] and [out, in / group, h, w] without one. Figures are quantiles in us.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from nasir.cost import mistakes
from nasir.cost.profile import Row
from nasir.diagnostics import Source, Span
from nasir.files import Unreadable, parse_json

_NAME = re.compile(r'name:\s*"(\w+)"')
_NUMBER = re.compile(r"\b(?:i|ints):\s*(-?\d{1,9})\b")
_TEXT = re.compile(r'\bs:\s*"(\w*)"')
_QUANTILES = ("p50", "p10", "p90")


def conv_name(relu: str, given: str, made: str, kernel: str, stride: str, dilation: str, group: str) -> str:
    return f"Conv{relu} {given} -> {made} kernel {kernel} stride {stride} dilation {dilation} group {group}"


def by(numbers: Sequence[int]) -> str:
    return "x".join(map(str, numbers))


@dataclass(frozen=True)
class Operator:
    """A line: the operator's type without `Int8`, what its arguments are, the shapes of its inputs, its figures."""

    type: str
    is_int8: bool
    shapes: tuple[tuple[int, ...], ...]
    row: Row
    device: str
    order: str = ""
    arguments: Mapping[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])

    def name(self) -> str:
        """The layer that it is; nothing of an operator that no kernel is."""
        if not self.shapes or not self.shapes[0] or self.shapes[0][0] != 1:
            return ""
        if self.type == "FC" and len(self._filters) == 2 and math.prod(self.shapes[0]) == self._filters[1]:
            return f"FC {self._filters[1]} -> {self._filters[0]}"
        if len(self.shapes[0]) != 4:
            return ""
        shape = by(self._map)
        match self.type:
            case "Conv" | "ConvRelu" if len(self._filters) == 4:
                return self._convolution()
            case "Sum" | "Add" if self.shapes[1:] == self.shapes[:1]:
                return f"Sum {shape}"
            case "AveragePool" if self._covers():
                return f"AveragePool {shape}"
            case "ChannelShuffle":
                return f"ChannelShuffle {shape} group {self._pair('group')[0]}"
            case "Relu":
                return f"Relu {shape}"
            case _:
                return ""

    @property
    def _filters(self) -> tuple[int, ...]:
        return self.shapes[1] if len(self.shapes) > 1 else ()

    @property
    def _last(self) -> bool:
        """Whether channels are behind the sizes."""
        return self.is_int8 or self.order == "NHWC"

    @property
    def _map(self) -> tuple[int, ...]:
        """Channels, height and width."""
        _, *sizes = self.shapes[0]
        return (sizes[-1], *sizes[:-1]) if self._last else tuple(sizes)

    def _covers(self) -> bool:
        return self._pair("global_pooling", 0)[0] == 1 or (self._pair("kernel", 0) == self._map[1:])

    def _pair(self, name: str, default: int = 1) -> tuple[int, int]:
        """An argument of height and width, in any of the three ways in which it is given."""
        both = self.arguments.get(name) or self.arguments.get(f"{name}s") or (default,)
        height, width = (self.arguments.get(f"{name}_{axis}", (both[i % len(both)],)) for i, axis in enumerate("hw"))
        return height[0], width[0]

    def _convolution(self) -> str:
        kernel = self._filters[1:3] if self._last else self._filters[2:]
        stride, dilation = self._pair("stride"), self._pair("dilation")
        if min(stride) < 1:
            return ""
        before, after = self._padding()
        made = [
            (size + first + last - step * (taps - 1) - 1) // by + 1
            for size, first, last, step, taps, by in zip(
                self._map[1:], before, after, dilation, kernel, stride, strict=True
            )
        ]
        group = str(self._pair("group")[0])
        out = by((self._filters[0], *made))
        return conv_name(self.type[4:], by(self._map), out, by(kernel), by(stride), by(dilation), group)

    def _padding(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Above and left, below and right."""
        if len(pads := self.arguments.get("pads", ())) == 4:
            return (pads[0], pads[1]), (pads[2], pads[3])
        every = self.arguments.get("pad", (0,))
        top, left, bottom, right = (self.arguments.get(f"pad_{side}", every)[0] for side in "tlbr")
        return (top, left), (bottom, right)


def operators(source: Source) -> Iterator[tuple[Operator, Span]]:
    place = 0
    for line in source.text.split("\n"):
        span = Span(source, place, place + len(line))
        place += len(line) + 1
        if line.strip():
            try:
                yield _operator(parse_json(line)), span
            except Unreadable as error:
                raise mistakes.damaged_table(span, str(error)) from None


def _operator(record: Any) -> Operator:
    """Raises `Unreadable` with what is wrong of it."""
    if not isinstance(record, dict):
        raise Unreadable("it is no object")
    found = cast("dict[str, Any]", record)
    type, device = found.get("op_type"), found.get("device", "")
    if not isinstance(type, str) or not isinstance(device, str):
        raise Unreadable("its `op_type` or `device` is no text")
    shapes = tuple(_shapes(found.get("input_shapes")))
    p50, p10, p90 = (_figure(found, f"runtime_us_{name}") for name in _QUANTILES)
    if p50 is None:
        raise Unreadable("it has no `runtime_us_p50`")
    arguments, order = _arguments(found.get("op_args", []))
    plain = type.removeprefix("Int8")
    return Operator(plain, plain != type, shapes, Row(p50, p10, p90), device, order, arguments)


def _shapes(value: Any) -> Iterator[tuple[int, ...]]:
    for one in _listed(value, "input_shapes"):
        sizes = _listed(one, "input_shapes")
        if not all(type(size) is int and 0 < size < 2**31 for size in sizes):
            raise Unreadable("the sizes of its `input_shapes` are no whole numbers from 1")
        yield tuple(sizes)


def _listed(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise Unreadable(f"its `{name}` are no list, or hold what is none")
    return cast("list[Any]", value)


def _figure(found: Mapping[str, Any], name: str) -> float | None:
    value = found.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise Unreadable(f"its `{name}` is no number from 0")
    return float(value)


def _arguments(value: Any) -> tuple[dict[str, tuple[int, ...]], str]:
    """The arguments that are whole numbers, and the one that says the order of axes."""
    numbers, order = dict[str, tuple[int, ...]](), ""
    for one in _listed(value, "op_args"):
        text = one if isinstance(one, str) else ""
        name, values, word = _NAME.search(text), _NUMBER.findall(text), _TEXT.search(text)
        if not name:
            raise Unreadable('its `op_args` are no texts as `name: "kernel" i: 3`')
        if name[1] == "order" and word:
            order = word[1]
        elif values:
            numbers[name[1]] = tuple(map(int, values))
    return numbers, order
