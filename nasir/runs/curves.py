"""The curves of a run over its epochs, of which its report has one picture each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nasir.cost.base import Cost
from nasir.cost.registry import described
from nasir.drawing.curves import Series, plot
from nasir.runs.summary import figure
from nasir.searching.metric import Metric

Lines = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Picture:
    """Figures over the epochs of a search, or of a training; `from_zero` says that 0 is on its axis."""

    title: str
    series: tuple[Series, ...]
    from_zero: bool = True

    def plotted(self) -> str:
        """Its SVG, with the names of its series where it may have several."""
        return plot(self.title, self.series, "epoch", from_zero=self.from_zero, legend=len(self.series) > 1)


def pictures(metrics: Lines, bounds: Mapping[str, float], metric: Metric) -> list[Picture]:
    """What the lines of metrics.jsonl tell of a run within the bounds, judged by the metric.

    Raises:
        LookupError, TypeError, Unreadable: where they are not as a run writes them.
    """
    searching = [line for line in metrics if line["phase"] == "search"]
    training = [line for line in metrics if line["phase"] == "train"]
    of_search = _of_search(searching, bounds) if searching else ()
    return [*of_search, *(_of_training(training, metric) if training else ())]


def _of_search(lines: Lines, bounds: Mapping[str, float]) -> Iterator[Picture]:
    losses = Series("weights", _column(lines, "loss")), Series("architecture", _column(lines, "architecture_loss"))
    yield Picture("Loss of the search", losses, from_zero=False)
    yield from (_of_cost(cost, lines, bounds) for name in lines[-1] if (cost := described(name)))
    yield Picture("Temperature", (Series("tau", _column(lines, "temperature")),))
    yield Picture("Entropy of the decisions (1: undecided)", (Series("entropy", _column(lines, "entropy")),))


def _of_cost(cost: Cost, lines: Lines, bounds: Mapping[str, float]) -> Picture:
    """A cost over the epochs of a search, in its unit."""
    named = {"effective": cost.name, "likeliest": f"argmax_{cost.name}"}
    series = [Series(title, [(x, y / cost.scale) for x, y in _column(lines, name)]) for title, name in named.items()]
    if cost.name in bounds:
        ends = (figure(lines[0], "epoch"), figure(lines[-1], "epoch"))
        series.append(Series("bound", [(x, figure(bounds, cost.name) / cost.scale) for x in ends], dashed=True))
    return Picture(cost.title, tuple(series))


def _of_training(lines: Lines, metric: Metric) -> Iterator[Picture]:
    yield Picture("Loss of the training", (Series("loss", _column(lines, "loss")),), from_zero=False)
    if told := _column(lines, f"validation_{metric.name}"):
        points = [(x, metric.plotted(y)) for x, y in told]
        yield Picture(f"Validation {metric.axis}", (Series("held-out inputs", points),), from_zero=False)


def _column(lines: Lines, name: str) -> list[tuple[float, float]]:
    return [(figure(line, "epoch"), figure(line, name)) for line in lines if line.get(name) is not None]
