"""`nasir derive`."""

from nasir.api import Space, emit
from nasir.cli.networks import Chosen, network_command
from nasir.cli.options import network

NAME = "derive"


def _derived(space: Space, chosen: Chosen) -> str:
    emit(network(space, chosen))  # a diagnostic where decisions are left
    return space.arch(chosen or {})


command = network_command("Derive one network of a space, as a decision-free `.nas` file.", "arch.nas", _derived)
