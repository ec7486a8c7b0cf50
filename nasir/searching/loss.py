"""What a loss is, and the one that the settings name."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, cast

from torch import Tensor

from nasir.data import Shape, Target
from nasir.extensions import LOSSES
from nasir.lang.settings import SearchSettings, TrainSettings
from nasir.searching.measures import Confusion, Mean, Measure


class Loss(ABC):
    """A loss: from outputs, floating-point [N, ...], and targets to a scalar, the mean over the batch. It says which
    targets it takes for which outputs, and by what a network is judged. A class of one is made of `label_smoothing`,
    which it may leave aside."""

    wants: ClassVar[str]
    """The targets that it takes, in words."""

    def __init__(self, label_smoothing: float = 0.0) -> None:
        self.label_smoothing = label_smoothing

    @abstractmethod
    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor: ...

    @abstractmethod
    def fits(self, output: Shape, target: Target) -> bool:
        """Whether it takes such a target for an output of this shape, without the batch."""

    @abstractmethod
    def measure(self, output: Shape, target: Target) -> Measure:
        """How outputs of this shape are measured; they fit."""

    def tells_classes(self, target: Target) -> bool:
        """Whether an output has a value for each class that such a target may name."""
        return False

    def limits(self, output: Shape, target: Target) -> tuple[float, float] | None:
        """The least and the most that a number of a target may be; None where any will do."""
        return None


class Function(Loss):
    """A function of outputs and targets. It says nothing of what it takes: classes are taken one an output, other
    targets as they come; networks are judged by the accuracy where targets are classes, else by the loss."""

    wants = "classes, one for each value of the output; or whatever the function takes"

    def __init__(self, function: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self._function = function

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return self._function(outputs, targets)

    def fits(self, output: Shape, target: Target) -> bool:
        return True

    def tells_classes(self, target: Target) -> bool:
        return target.is_class

    def measure(self, output: Shape, target: Target) -> Measure:
        return Confusion(output[0]) if target.is_class else Mean(output[0], "loss", self)


def alike(output: Shape, target: Target) -> bool:
    """Whether a target has the output's shape; an output of one channel may have one without it."""
    return target.shape == output or (output[0] == 1 and target.shape == output[1:])


def loss_of(settings: SearchSettings | TrainSettings, given: Callable[[Any, Any], Any] | None = None) -> Loss:
    """The loss that the settings name, with their `label_smoothing`; or the one `given` in Python.

    Raises:
        CompileError: where it cannot be loaded.
    """
    found: Any = LOSSES.load(settings.loss) if given is None else given
    if isinstance(found, Loss):
        return found
    if isinstance(found, type) and issubclass(found, Loss):
        return found(settings.label_smoothing)
    return Function(
        cast("Any", found) if given is not None else partial(found, label_smoothing=settings.label_smoothing)
    )
