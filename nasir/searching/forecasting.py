"""What a network's loss would be, by those of others."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nasir.api import Space
from nasir.ir.graph import Choices
from nasir.ir.values import Scalar

_RIDGE = 3.0
"""So many networks must agree on what an option adds for half of it to be believed."""


class Predictor:
    """Log-losses as a sum of what each option adds where the network uses it: a ridge regression on networks and their
    losses. A few dozen of them, which is what a search can train, tell no more than that."""

    def __init__(self, space: Space, judged: Sequence[tuple[float, Choices]]) -> None:
        self._space = space
        self._columns = [(one.name, option) for one in space.decisions for option in one.options]
        known = [(math.log(max(loss, 1e-12)), choices) for loss, choices in judged if math.isfinite(loss)]
        features = np.array([self._features(choices) for _, choices in known]).reshape(-1, len(self._columns))
        losses = np.array([loss for loss, _ in known])
        self._centre = features.mean(0) if known else np.zeros(len(self._columns))
        centred, spread = features - self._centre, losses - (losses.mean() if known else 0.0)
        squares = centred.T @ centred + _RIDGE * np.eye(len(self._columns))
        self._adds = np.linalg.solve(squares, centred.T @ spread)

    def __call__(self, choices: Choices) -> float:
        """How far its log-loss is from the mean of those that are known."""
        return float((self._features(choices) - self._centre) @ self._adds)

    def adds(self, name: str, option: Scalar) -> float:
        """What an option adds to the log-loss."""
        return float(self._adds[self._columns.index((name, option))])

    def _features(self, choices: Choices) -> NDArray[np.float64]:
        used = self._space.active(choices)  # the width of a layer that is skipped says nothing, and many are
        return np.array([float(name in used and used[name] == option) for name, option in self._columns])
