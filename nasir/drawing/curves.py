"""Line plots as SVG, for reports: few series, plain axes, no script."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nasir.templates import template

_COLOURS = ("#0969da", "#bf5700", "#8250df", "#1a7f37", "#cf222e", "#0a7b83", "#9a6700", "#bf3989")
_WIDTH, _HEIGHT = 420, 236
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 14, 40, 36


@dataclass(frozen=True)
class Series:
    """Points (x, y) in the order of x; `joined` by a line or alone, `dashed` for a bound; `colour` where it is not that
    of its place in the picture."""

    name: str
    points: Sequence[tuple[float, float]]
    joined: bool = True
    dashed: bool = False
    colour: str = ""


@dataclass(frozen=True)
class Drawn:
    """A series in the picture's coordinates."""

    name: str
    colour: str
    points: Sequence[tuple[float, float]]
    titles: Sequence[str]
    joined: bool
    dashed: bool

    @property
    def path(self) -> str:
        """For an SVG polyline."""
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in self.points)


def plot(title: str, series: Sequence[Series], x_label: str, *, from_zero: bool = True, legend: bool = True) -> str:
    """The SVG of some series over one x axis."""
    series = [s for s in series if s.points]
    xs = [x for s in series for x, _ in s.points] or [0.0]
    ys = [y for s in series for _, y in s.points] or [0.0]
    x_ticks = _ticks(min(xs), max(xs), 6)
    y_ticks = _ticks(min(0.0, *ys) if from_zero else min(ys), max(ys), 5)
    x_low, x_high = (x_ticks[0], x_ticks[-1]) if len(x_ticks) > 1 else (x_ticks[0] - 0.5, x_ticks[0] + 0.5)
    y_low, y_high = (y_ticks[0], y_ticks[-1]) if len(y_ticks) > 1 else (y_ticks[0] - 0.5, y_ticks[0] + 0.5)

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - x_low) / (x_high - x_low) * (_WIDTH - _LEFT - _RIGHT)
        up = (y - y_low) / (y_high - y_low) * (_HEIGHT - _TOP - _BOTTOM)
        return round(_LEFT + across, 1), round(_HEIGHT - _BOTTOM - up, 1)

    drawn = [
        Drawn(
            s.name,
            s.colour or colour(i),
            [place(x, y) for x, y in s.points],
            [f"{s.name}: {short(y)} at {short(x)}" for x, y in s.points],
            s.joined,
            s.dashed,
        )
        for i, s in enumerate(series)
    ]
    return template("curves.svg.j2").render(
        title=title,
        x_label=x_label,
        width=_WIDTH,
        height=_HEIGHT,
        left=_LEFT,
        right=_WIDTH - _RIGHT,
        floor=_HEIGHT - _BOTTOM,
        series=drawn,
        legend=drawn if legend else [],
        x_ticks=[(short(x), place(x, y_low)[0]) for x in x_ticks],
        y_ticks=[(short(y), place(x_low, y)[1]) for y in y_ticks],
    )


def colour(place: int) -> str:
    """That of a picture's series, counted from 0; the ninth has the first one's again."""
    return _COLOURS[place % len(_COLOURS)]


def _ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers around a range."""
    raw = (high - low) / most
    if raw < 1e-300:
        return [low]
    exponent = math.floor(math.log10(raw))
    size = 10.0**exponent
    step = next(s * size for s in (1, 2, 2.5, 5, 10) if s * size >= raw)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 3 - exponent) for i in range(first, last + 1)]


def short(value: float) -> str:
    """A number as an axis has it: 1.5M, 20K, 0.25."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "K")):
        if abs(value) >= size:
            return f"{value / size:.4g}{letter}"
    return f"{value:.4g}"
