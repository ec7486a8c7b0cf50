"""The picture: a bar a layer, its height the expansion, its colour the kernel (the paper's figure 6)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from nasir.drawing.layers import Layer, by_size, layers
from nasir.ir.graph import Graph
from nasir.ir.values import Pair
from nasir.templates import template

_PITCH, _BAR = 48, 30
_LEFT, _TOP, _PLOT, _RIGHT = 58, 74, 220, 24
_COLOURS: Mapping[int | Pair, str] = {1: "#8c959f", 3: "#0969da", 5: "#bf5700", 7: "#8250df"}
_OTHER = "#57606a"


@dataclass(frozen=True)
class Heat:
    """A cost to colour layers by: of each the share of the dearest one's, and the amount as it is shown."""

    title: str
    layers: Mapping[str, tuple[float, str]]


@dataclass(frozen=True)
class Bar:
    """One layer in the picture's coordinates. `low` is where a space's least expansion ends."""

    x: float
    y: float
    height: float
    low: float
    fill: str
    hatched: bool
    layer: Layer
    activation: str
    amount: str = ""
    """Of the cost that the picture is coloured by."""


@dataclass(frozen=True)
class Stage:
    """Neighbouring layers of one map size."""

    x: float
    width: float
    label: str


def draw(graph: Graph, heat: Heat | None = None) -> str:
    """The SVG of a space, with the ranges that its layers can have, or of a network; `heat` colours it by a cost."""
    found = layers(graph)
    top = max(1.0, math.ceil(max((layer.expansion[1] for layer in found), default=1.0)))
    bars = [_bar(i, layer, top, heat) for i, layer in enumerate(found)]
    kernels = sorted({k for layer in found for k in layer.kernels}, key=by_size)
    return template("network.svg.j2").render(
        name=graph.name,
        is_space=bool(graph.decisions),
        width=max(_LEFT + _PITCH * len(found) + _RIGHT, 700),
        height=_TOP + _PLOT + 124,
        left=_LEFT,
        floor=_TOP + _PLOT,
        bar_width=_BAR,
        bars=bars,
        ticks=[(value, _TOP + _PLOT * (1 - value / top)) for value in _ticks(top)],
        stages=_stages(found),
        kernels=[(kernel, _COLOURS.get(kernel, _OTHER)) for kernel in kernels],
        mixed=list(combinations(kernels, 2)),
        colours={kernel: _COLOURS.get(kernel, _OTHER) for kernel in kernels},
        legend=0 if heat else len(kernels),
        heat=heat.title if heat else "",
        scale=[_heated(share / 4) for share in range(5)],
    )


def _bar(position: int, layer: Layer, top: float, heat: Heat | None) -> Bar:
    low, high = layer.expansion
    height = _PLOT * high / top if layer.skip != "all" else _PLOT * min(1.0, top) / top
    share, amount = heat.layers.get(layer.name, (0.0, "")) if heat else (0.0, "")
    fill = _heated(share) if heat else _fill(layer.kernels)
    return Bar(
        x=_LEFT + _PITCH * position + (_PITCH - _BAR) / 2,
        y=_TOP + _PLOT - height,
        height=height,
        low=_TOP + _PLOT * (1 - low / top),
        fill=fill,
        hatched=layer.skip == "all",
        layer=layer,
        activation="/".join(_SHORT.get(a, a) for a in layer.activations),
        amount=amount,
    )


_COOL, _HOT = (255, 235, 200), (170, 20, 20)


def _heated(share: float) -> str:
    """From pale to dark red."""
    return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in zip(_COOL, _HOT, strict=True))


_SHORT = {"hswish": "hs", "relu": "re", "swish": "sw", "relu6": "r6"}


def _fill(kernels: Sequence[int | Pair]) -> str:
    if len(kernels) > 1:
        return f"url(#k{kernels[0]}_{kernels[1]})"
    return _COLOURS.get(kernels[0], _OTHER) if kernels else _OTHER


def _ticks(top: float) -> list[int]:
    step = 1 if top <= 8 else math.ceil(top / 8)
    return list(range(0, int(top) + 1, step))


def _stages(found: Sequence[Layer]) -> list[Stage]:
    stages: list[Stage] = []
    start = 0
    for i, layer in enumerate(found):
        if i + 1 == len(found) or found[i + 1].size != layer.size:
            label = f"{layer.size} px" if layer.size else "vector"
            stages.append(Stage(_LEFT + _PITCH * start, _PITCH * (i + 1 - start), label))
            start = i + 1
    return stages
