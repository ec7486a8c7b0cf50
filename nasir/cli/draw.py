"""`nasir draw`."""

from nasir.api import Space
from nasir.cli.networks import Chosen, network_command
from nasir.cli.options import network

NAME = "draw"


def _picture(space: Space, chosen: Chosen) -> str:
    from nasir.drawing import draw  # imports jinja2

    return draw(network(space, chosen).graph)


command = network_command(
    "Draw a space or a network: a bar a layer, its height the expansion, its colour the kernel. Writes SVG.",
    "net.svg",
    _picture,
)
