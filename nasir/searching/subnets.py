"""One network of a space as the module that is emitted for it: a run costs what the network costs, and not what the
supernet does."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]

from nasir.api import Space
from nasir.emission.source import model_source
from nasir.execution import network_class
from nasir.ir.graph import Choices, Graph
from nasir.ir.sizes import evaluate, resolve
from nasir.supernets import Supernet
from nasir.supernets.resolution import subsampled


@dataclass(frozen=True)
class Made:
    """What is made for a network of a space: its graph, and the source of its module."""

    graph: Graph
    source: str


def make(space: Space, choices: Choices) -> Made:
    """What is made for the network of `choices`."""
    graph = space.graph_at(choices)
    return Made(graph, model_source(graph))


class Standalone:
    """The network of `choices`, with weights of its own; `made` is what is made for it, where that is known."""

    def __init__(self, space: Space, choices: Choices, made: Made | None = None) -> None:
        made = made or make(space, choices)
        self.module: nn.Module = network_class(Path(f"{space.name}.py"), made.source)()
        known = evaluate(space.graph, choices)
        self._sizes = tuple(int(resolve(size, known)) for size in space.graph.input.shape.sizes)

    def __call__(self, images: Tensor) -> Any:
        """What the network makes of images of the space's size, [N, C, ...]: its logits, or of several outputs a
        dict."""
        if tuple(images.shape[2:]) != self._sizes:
            images = subsampled(images, self._sizes[0])
        return self._run(images)

    def _run(self, images: Tensor) -> Any:
        return self.module(images)

    def train(self, training: bool = True) -> None:
        """Whether batch norms take their statistics from the batch. Nothing is dropped, as in a supernet."""
        self.module.eval()
        for norm in self._norms():
            norm.train(training)

    def _norms(self) -> list[_BatchNorm]:
        return [one for one in self.module.modules() if isinstance(one, _BatchNorm)]

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


class Subnet(Standalone):
    """The network of `choices` with the supernet's weights. Gradients of its parameters are the supernet's; statistics
    of batches are its own."""

    def __init__(self, space: Space, supernet: Supernet, choices: Choices, made: Made | None = None) -> None:
        made = made or make(space, choices)
        super().__init__(space, choices, made)
        for one in islice(supernet.weights(), 1):  # where they are; a space may have none
            self.module.to(one)
        own = dict(self.module.named_parameters())
        self._slices = [one for one in supernet.slices_for(choices, made.graph) if one.name in own]

    def _run(self, images: Tensor) -> Any:
        return functional_call(self.module, {one.name: one.view() for one in self._slices}, (images,))
