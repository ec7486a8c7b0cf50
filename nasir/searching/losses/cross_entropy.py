"""Cross-entropy, with smoothed labels (Szegedy et al., 2016)."""

from torch import Tensor
from torch.nn import functional as F


def cross_entropy(logits: Tensor, labels: Tensor, label_smoothing: float) -> Tensor:
    """The mean over the batch, a scalar."""
    return F.cross_entropy(logits, labels, label_smoothing=label_smoothing)
