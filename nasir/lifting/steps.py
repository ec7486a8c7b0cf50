"""What a traced network is made of: torch's calls, and the ops that they become."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from nasir.diagnostics import Span
from nasir.ir.graph import Type
from nasir.ir.values import Scalar

Owner = tuple[str, str]
"""A module of the user's network: its path and its class."""


@dataclass(frozen=True)
class Place:
    """Where a call stands: within which modules, the outermost first, and in which line of the user's source."""

    owners: tuple[Owner, ...] = ()
    span: Span | None = field(default=None, repr=False)


@dataclass(frozen=True)
class TorchCall:
    """A call of torch in normal form: on maps with the channels first, its arguments by the names of torch's schema.

    `tensors` are parameters, buffers and what follows from them; `operands` are earlier steps; `shape` is the result's
    without its batch, one or several.
    """

    target: str
    operands: tuple[str, ...]
    arguments: Mapping[str, Any]
    shape: tuple[int, ...]
    tensors: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor], repr=False)
    parts: int = 0
    place: Place = Place()


@dataclass(frozen=True)
class Step:
    """An op of the program: `operands` are the names of earlier steps, `weights` its tensors by their names in the op's
    module, `shape` its channels and sizes; of several results their number is `parts`."""

    name: str
    op: str
    operands: tuple[str, ...]
    attributes: tuple[tuple[str, Scalar], ...] = ()
    shape: tuple[int, ...] = ()
    weights: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor], repr=False, compare=False)
    parts: int = 0
    place: Place = field(default=Place(), compare=False)

    @property
    def type(self) -> Type:
        """Its shape as an op sees it; several results are equal parts of it."""
        one = Type((self.shape[0] // (self.parts or 1),), self.shape[1:])
        return Type(parts=(one,) * self.parts) if self.parts else one


@dataclass(frozen=True)
class Lifted:
    """A network as steps, in the order in which they run. The first is its input; `outputs` are names of steps by what
    the user's network calls them, `value` where it returns one tensor."""

    name: str
    steps: tuple[Step, ...]
    outputs: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()

    @property
    def input(self) -> Step:
        return self.steps[0]
