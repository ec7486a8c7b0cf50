"""The mean squared error."""

from torch import Tensor
from torch.nn import functional as F

from nasir.data import Shape, Target
from nasir.searching.loss import Loss, alike
from nasir.searching.measures import Mean, Measure


class Mse(Loss):
    """Over all numbers of the outputs."""

    wants = "numbers of the output's shape; data without labels give the inputs themselves"

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return F.mse_loss(outputs, targets.reshape(outputs.shape).to(outputs.dtype))

    def fits(self, output: Shape, target: Target) -> bool:
        return alike(output, target)

    def measure(self, output: Shape, target: Target) -> Measure:
        return Mean(output[0], "mse", self)
