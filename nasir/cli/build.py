"""`nasir build`."""

from nasir.api import emit
from nasir.cli.networks import network_command
from nasir.cli.options import network

NAME = "build"

command = network_command(
    "Emit one network as the source of a standalone PyTorch module, which needs torch and nothing else.",
    "model.py",
    lambda space, chosen: emit(network(space, chosen)),
)
