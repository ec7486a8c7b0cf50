"""The loss that the settings name."""

from collections.abc import Callable
from functools import partial

from torch import Tensor

from nasir.extensions import LOSSES
from nasir.lang.settings import SearchSettings, TrainSettings

Loss = Callable[[Tensor, Tensor], Tensor]
"""From logits, floating-point [N, classes], and labels, int64 [N], to a scalar, the mean over the batch."""


def loss_of(settings: SearchSettings | TrainSettings) -> Loss:
    """The loss that the settings name, with their `label_smoothing`.

    Raises:
        CompileError: where it cannot be loaded.
    """
    return partial(LOSSES.load(settings.loss), label_smoothing=settings.label_smoothing)
