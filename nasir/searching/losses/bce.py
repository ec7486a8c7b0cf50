"""Binary cross-entropy, of labels that each hold or do not."""

from torch import Tensor
from torch.nn import functional as F

from nasir.data import Shape, Target
from nasir.searching.loss import Loss, alike
from nasir.searching.measures import Halves, Measure


class Bce(Loss):
    """The outputs are logits; targets are from 0 to 1."""

    wants = "numbers from 0 to 1 of the output's shape"

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(outputs, targets.reshape(outputs.shape).to(outputs.dtype))

    def fits(self, output: Shape, target: Target) -> bool:
        return alike(output, target)

    def measure(self, output: Shape, target: Target) -> Measure:
        return Halves(output[0])

    def limits(self, output: Shape, target: Target) -> tuple[float, float] | None:
        return 0, 1
