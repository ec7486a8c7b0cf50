"""Modules that stay in float64 whatever the network around them is cast to."""

from collections.abc import Callable
from typing import Self

from torch import Tensor, nn


class Double(nn.Module):
    """`to(device)` moves it; `half()`, `to(torch.bfloat16)` and the like leave its precision alone.

    60 layer costs summed in float32 miss the exact integer by hundreds, and gates must be exactly 0 and 1.
    """

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        before = {name: tensor.detach() for name, tensor in self._tensors().items()}
        super()._apply(fn, recurse)
        for name, tensor in self._tensors().items():
            if tensor.dtype != before[name].dtype:
                tensor.data = before[name].to(tensor.device)
        return self

    def _tensors(self) -> dict[str, Tensor]:
        return {**dict(self.named_parameters(recurse=False)), **dict(self.named_buffers(recurse=False))}
