"""Optimizers and learning-rate schedules from settings."""

import math
from collections.abc import Callable, Iterable, Mapping

import torch
from torch import nn, optim

from nasir.jobs.ranks import Ranks
from nasir.lang.settings import Optimizer

_CLASSES: Mapping[str, Callable[..., optim.Optimizer]] = {"sgd": optim.SGD, "adam": optim.Adam, "adamw": optim.AdamW}


def make(settings: Optimizer, parameters: Iterable[nn.Parameter]) -> optim.Optimizer:
    """The torch optimizer that the settings name; of no parameters as well, for there are networks without."""
    return _CLASSES[settings.name]([{"params": list(parameters)}], **dict(settings.arguments))


def set_cosine(optimizer: optim.Optimizer, settings: Optimizer, step: int, steps: int) -> None:
    """The learning rate of a step: half a cosine from the settings' rate to zero. A function of the step, no state."""
    rate = 0.5 * dict(settings.arguments)["lr"] * (1 + math.cos(math.pi * step / max(1, steps)))
    for group in optimizer.param_groups:
        group["lr"] = rate


def share_gradients(weights: Iterable[nn.Parameter], ranks: Ranks) -> None:
    """Average gradients over the ranks; a weight without one counts as zero, for another rank may have run it."""
    for weight in weights if ranks.count > 1 else ():
        weight.grad = ranks.average(torch.zeros_like(weight) if weight.grad is None else weight.grad)
