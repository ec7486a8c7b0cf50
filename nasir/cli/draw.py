"""`nasir draw`."""

from nasir.cli.networks import network_command
from nasir.cli.options import network
from nasir.drawing import draw

NAME = "draw"

command = network_command(
    "Draw a space or a network: a bar a layer, its height the expansion, its colour the kernel. Writes SVG.",
    "net.svg",
    lambda space, chosen: draw(network(space, chosen).graph),
)
