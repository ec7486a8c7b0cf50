"""`nasir build`."""

from nasir.api import Space
from nasir.cli.networks import Chosen, network_command
from nasir.cli.options import network

NAME = "build"


def _source(space: Space, chosen: Chosen) -> str:
    from nasir.execution import proved  # imports torch

    return proved(network(space, chosen))


command = network_command(
    "Emit one network as the source of a standalone PyTorch module, which needs torch and nothing else.",
    "model.py",
    _source,
)
