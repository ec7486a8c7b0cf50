"""What a foreign table is: figures of layers by name, and which layers a kernel of ours consists of."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from nasir.cost.kernels import Fusions
from nasir.cost.profile import Row
from nasir.cost.written import Written


class Table(ABC):
    """A table of one format. `rows` are its figures in us by the layers' names, `idle` counts the lines that are of no
    layer that a kernel could be, `conditions` are what it says of the device."""

    format: ClassVar[str]
    """Whose format it is."""
    figure: ClassVar[str]
    """What is read of a line, with its unit."""
    fuse: ClassVar[Fusions]
    """What is one layer in it."""

    def __init__(self, rows: Mapping[str, Row], conditions: Mapping[str, str | int], idle: int = 0) -> None:
        self.rows, self.conditions, self.idle = rows, conditions, idle

    @abstractmethod
    def layers(self, kernel: Written) -> Sequence[str]:
        """The names of the layers that a kernel consists of, one after another; none where the format has no name for
        it."""

    def teller(self, layer: str) -> str:
        """The name of the row that tells a layer's figure."""
        return layer


def beginnings(*sequences: tuple[str, ...]) -> Fusions:
    """The sequences with all their beginnings of two ops and more."""
    return frozenset(sequence[:end] for sequence in sequences for end in range(2, len(sequence) + 1))
