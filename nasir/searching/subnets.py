"""One network of a supernet as the module that is emitted for it, with the supernet's weights: a run costs what the
network costs, and not what the supernet does."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]

from nasir.api import Space, emit
from nasir.execution import network_class
from nasir.ir.graph import Choices
from nasir.supernets import Supernet
from nasir.supernets.resolution import subsampled


class Subnet:
    """The network of `choices`. Gradients of its parameters are the supernet's; statistics of batches are its own."""

    def __init__(self, space: Space, supernet: Supernet, choices: Choices) -> None:
        network = space.at(choices)
        self._module = network_class(Path(f"{network.name}.py"), emit(network))().to(next(supernet.weights()))
        own = dict(self._module.named_parameters())
        self._slices = [one for one in supernet.slices_for(choices) if one.name in own]
        self._sizes = tuple(size for size in network.graph.input.shape.sizes if isinstance(size, int))

    def __call__(self, images: Tensor) -> Any:
        """What the network makes of images of the supernet's size, [N, C, ...]: its logits, or of several outputs a
        dict."""
        if tuple(images.shape[2:]) != self._sizes:
            images = subsampled(images, self._sizes[0])
        return functional_call(self._module, {one.name: one.view() for one in self._slices}, (images,))

    def train(self, training: bool = True) -> None:
        """Whether batch norms take their statistics from the batch. Nothing is dropped, as in a supernet."""
        self._module.eval()
        for norm in self._norms():
            norm.train(training)

    def _norms(self) -> list[_BatchNorm]:
        return [one for one in self._module.modules() if isinstance(one, _BatchNorm)]

    def estimate(self, batches: Iterable[Tensor]) -> None:
        """Write the batch norms' statistics, averages over the batches, for evaluation."""
        for norm in self._norms():
            norm.reset_running_stats()
            norm.momentum = None
        self.train()
        with torch.no_grad():
            for images in batches:
                self(images)
        self.train(False)
