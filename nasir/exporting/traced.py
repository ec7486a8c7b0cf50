"""Modules as programs of `torch.export`."""

from typing import Any

import torch
from torch import Tensor, nn

from nasir.exporting.quiet import muted


def traced(module: nn.Module, example: Tensor, *, any_batch: bool = True) -> Any:
    """A module in evaluation mode as a program for batches of any size, or of the example's alone. Where in which file
    of this machine a call stands is not in it.

    Raises:
        Exception: whatever torch raises that cannot trace the module.
    """
    sizes = ({0: torch.export.Dim.DYNAMIC},) if any_batch else None
    # A batch of one would be taken for one that is always one.
    given = torch.cat([example, example]) if any_batch else example
    with muted():
        program = torch.export.export(module, (given,), dynamic_shapes=sizes)
    for part in program.graph_module.modules():
        for node in part.graph.nodes if isinstance(part, torch.fx.GraphModule) else ():
            node.meta.pop("stack_trace", None)
    return program
