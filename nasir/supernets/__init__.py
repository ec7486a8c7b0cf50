"""The masked graph as a torch.fx module: every network of the space at the memory of one."""

from nasir.supernets.lower import build
from nasir.supernets.module import Supernet, SupernetOutput
from nasir.supernets.resolution import subsampled

__all__ = ["Supernet", "SupernetOutput", "build", "subsampled"]
