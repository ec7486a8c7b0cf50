"""Modules that torch lacks. A supernet uses them, and an emitted file carries the text of those that it needs: each
stands for itself, with `torch`, `nn`, `F` and `Tensor` as its only names from outside."""

import torch
from torch import Tensor, nn


class Scale(nn.Module):
    """Multiplies each channel by a learned factor."""

    def __init__(self, channels: int, axes: int = 2, init: float = 1.0) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((channels, *[1] * axes), init))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma


class DropPath(nn.Module):
    """Drops whole samples of a residual branch in training (Huang et al., 2016)."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0.0:
            return x
        keep = torch.rand([x.shape[0]] + [1] * (x.dim() - 1), device=x.device)
        return x * (keep >= self.p).to(x.dtype) / (1.0 - self.p)
