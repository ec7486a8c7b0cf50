"""Networks whose outputs are listed: most formats have no dictionaries."""

from typing import cast

import torch
from torch import Tensor, nn

from nasir.exporting.format import OUTPUT


class Listed(nn.Module):
    """A network that returns a dictionary, returning its values."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.network(x).values())


def named_outputs(module: nn.Module, example: Tensor) -> tuple[nn.Module, list[str]]:
    """A module in evaluation mode that returns a tensor or several, and what they are called."""
    with torch.no_grad():
        found = module.eval()(example)
    if isinstance(found, dict):
        return Listed(module).eval(), list(cast("dict[str, Tensor]", found))
    return module, [OUTPUT]


def listed(output: "Tensor | dict[str, Tensor]") -> list[Tensor]:
    """The outputs of a network, in their order."""
    return list(output.values()) if isinstance(output, dict) else [output]
