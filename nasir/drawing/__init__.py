"""Pictures of spaces and networks, after the paper's figure 6."""

from nasir.drawing.svg import Heat, draw

__all__ = ["Heat", "draw"]
