"""The masked graph as a torch.fx module: every network of the space at the memory of one."""

from nasir.supernet.lower import build
from nasir.supernet.module import Supernet, SupernetOutput

__all__ = ["Supernet", "SupernetOutput", "build"]
