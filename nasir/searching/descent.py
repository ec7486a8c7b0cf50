"""Weights on their way down a loss."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from torch import Tensor, nn

from nasir.lang.settings import Optimizer
from nasir.searching import optimizers
from nasir.searching.averaging import Average


def nothing() -> None:
    """Do nothing."""


class Descent:
    """Weights with their optimizer, whose rate falls by half a cosine to zero in so many `steps`, and with their moving
    average, of decay `ema` (0: none). With `again` it falls to zero by that step, and then from its start once more
    (Loshchilov and Hutter, 2017)."""

    def __init__(
        self, weights: Iterable[nn.Parameter], settings: Optimizer, steps: int, ema: float = 0.0, again: int = 0
    ) -> None:
        found = list(weights)
        self._settings, self._steps, self._again = settings, steps, again
        self._optimizer = optimizers.make(settings, found)
        self.average = Average(found, ema)

    def step(self, at: int, loss: Tensor, before: Callable[[], None] = nothing) -> None:
        """Step number `at`, counted from 0; `before` is called between the gradient and the change."""
        began, ends = (0, self._again) if at < self._again else (self._again, self._steps)
        optimizers.set_cosine(self._optimizer, self._settings, at - began, ends - began)
        self._optimizer.zero_grad(set_to_none=True)
        if loss.requires_grad:  # a network may have no weights
            loss.backward()
        before()
        self._optimizer.step()
        self.average.update()

    def state(self) -> dict[str, Any]:
        """For a checkpoint, without the weights."""
        return {"optimizer": self._optimizer.state_dict(), "average": self.average.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """From a checkpoint."""
        self._optimizer.load_state_dict(state["optimizer"])
        self.average.restore(state["average"])
