"""What networks are judged by: its name, and which way is better. Nothing here imports torch."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Metric:
    """A figure of a network on some data; `share` is one from 0 to 1. Its name is part of the names of the figures in
    files, `test_accuracy`; `title` is for a reader."""

    name: str
    title: str
    higher: bool = True
    """Higher is better."""
    share: bool = True

    def better(self, value: float, than: float) -> bool:
        return value > than if self.higher else value < than

    def shown(self, value: float, digits: int = 2) -> str:
        """A figure as a reader is told it; a share with so many digits of a per cent."""
        return f"{value:.{digits}%}" if self.share else f"{value:.5g}"

    @property
    def axis(self) -> str:
        """What a plot of it is called after."""
        return f"{self.title}, %" if self.share else self.title

    def plotted(self, value: float) -> float:
        """A figure as a plot has it."""
        return 100 * value if self.share else value


ACCURACY = Metric("accuracy", "accuracy")


def recorded(metrics: tuple[Metric, ...]) -> list[dict[str, Any]]:
    """Metrics as plan.json has them; nothing where it is accuracy alone."""
    return [] if metrics == (ACCURACY,) else [asdict(metric) for metric in metrics]


def metrics_of(plan: Mapping[str, Any]) -> tuple[Metric, ...]:
    """Those of a run with this plan.

    Raises:
        TypeError: where they are none.
    """
    return tuple(Metric(**one) for one in plan.get("metrics", ())) or (ACCURACY,)
