"""An exponential moving average of weights (Polyak), with torch's own update."""

from collections.abc import Iterable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


class Average:
    """The moving average of some parameters; with `decay` 0 there is none, and nothing happens."""

    def __init__(self, parameters: Iterable[nn.Parameter], decay: float) -> None:
        self._parameters = list(parameters) if decay else []
        self._values = [p.detach().clone() for p in self._parameters]
        self._decay = decay
        self._updates = 0

    @torch.no_grad()
    def update(self) -> None:
        """One step: value = d * value + (1 - d) * parameter, d the decay; smaller in the first steps, so that the start
        weighs little: (1 + n) / (10 + n)."""
        if not self._values:
            return
        decay = min(self._decay, (1 + self._updates) / (10 + self._updates))
        update = cast(Any, get_ema_multi_avg_fn)(decay)
        update(self._values, [p.detach() for p in self._parameters], self._updates)
        self._updates += 1

    @torch.no_grad()
    def put(self) -> None:
        """Exchange the parameters with their averages; a second time puts them back."""
        for parameter, value in zip(self._parameters, self._values, strict=True):
            kept = parameter.clone()
            parameter.copy_(value)
            value.copy_(kept)

    def state(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"values": self._values, "updates": self._updates}

    def restore(self, state: dict[str, Any]) -> None:
        """From a checkpoint."""
        values = cast("list[Tensor]", state["values"])
        with torch.no_grad():
            for value, saved in zip(self._values, values, strict=True):
                value.copy_(saved)
        self._updates = int(state["updates"])
