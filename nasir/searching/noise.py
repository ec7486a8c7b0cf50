"""Dropout over several processes: each image has the noise that one process would give it."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd  # pyright: ignore[reportPrivateUsage]

from nasir.jobs.ranks import Ranks, Share

_ADDING = (nn.AlphaDropout, nn.FeatureAlphaDropout)
"""What they do to a number is no factor."""


class SharedNoise:
    """The layers of a network that drop draw their factors for the whole batch, from the same seed on all ranks, and
    each rank takes its own. Of a user's own network that is torch's dropout layers and `DropPath`; what it draws
    otherwise, each rank draws by itself, from the same seed."""

    def __init__(self, network: nn.Module, ranks: Ranks) -> None:
        self.share: Share | None = None
        """Of the batch that is drawn for."""
        for layer in network.modules() if ranks.count > 1 else ():
            if type(layer).__name__ == "DropPath":
                layer.forward = partial(self._dropped, layer, layer.forward, 1)
            elif isinstance(layer, _DropoutNd) and not isinstance(layer, _ADDING):
                layer.forward = partial(self._dropped, layer, layer.forward, None)

    def _dropped(self, layer: nn.Module, drop: Callable[[Tensor], Tensor], axes: int | None, x: Tensor) -> Tensor:
        """`x`, [n, ...], times what the layer makes of ones as the whole batch is; they differ along `axes` of it."""
        share = self.share
        if share is None or not layer.training or len(x) != share.stop - share.start:
            return drop(x)  # of a user's own network, whose layers may read something else than one entry an image
        with torch.no_grad():
            shape = [share.whole, *x.shape[1:axes], *[1] * (0 if axes is None else x.dim() - axes)]
            factors = drop(_ones(shape, x))[share.start : share.stop]
        return x * factors


def _ones(shape: list[int], like: Tensor) -> Tensor:
    """Ones in the layout of `like`: numbers are drawn in their order in memory."""
    last = like.dim() == 4 and like.is_contiguous(memory_format=torch.channels_last)
    return like.new_ones(shape).contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)
