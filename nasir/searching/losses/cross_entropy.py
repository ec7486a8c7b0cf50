"""Cross-entropy, with smoothed labels (Szegedy et al., 2016)."""

from torch import Tensor
from torch.nn import functional as F

from nasir.data import Shape, Target
from nasir.searching.loss import Loss
from nasir.searching.measures import Confusion, Measure


class CrossEntropy(Loss):
    """Of one class for each input, or for each pixel of a map; pixels of -100 do not count."""

    wants = "classes: one for each input where the output is a vector, one for each pixel where it is a map"

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(outputs, targets, label_smoothing=self.label_smoothing)

    def fits(self, output: Shape, target: Target) -> bool:
        return target.whole and target.shape == output[1:]

    def tells_classes(self, target: Target) -> bool:
        return target.whole

    def measure(self, output: Shape, target: Target) -> Measure:
        return Confusion(output[0], pixels=bool(target.shape))

    def limits(self, output: Shape, target: Target) -> tuple[float, float] | None:
        return 0, output[0] - 1
