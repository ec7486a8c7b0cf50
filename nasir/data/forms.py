"""What a network takes, and what it is to tell of it."""

from dataclasses import dataclass, field

from nasir.data import mistakes
from nasir.ir.distributions import Distributions
from nasir.ir.graph import Graph, is_decided

KINDS = ("vectors", "signals", "images")
"""What inputs are called, by the number of their sizes."""
_OF_COLOURS = 4
"""Channels that pictures have at most."""
_SIZES = ((), ("length",), ("H", "W"))
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Input:
    """The shape of one input: [channels, height, width] of an image, [channels, length] of a signal, [channels] of a
    vector. Not `decided` where the space has several sizes, and these are the largest."""

    channels: int
    sizes: Shape = ()
    decided: bool = field(default=True, compare=False)

    @property
    def rank(self) -> int:
        return len(self.sizes)

    @property
    def kind(self) -> str:
        return KINDS[self.rank]

    @property
    def shape(self) -> Shape:
        return (self.channels, *self.sizes)


@dataclass(frozen=True)
class Target:
    """What is to be told of one input: its class, or numbers of a `shape`, `whole` ones or any; `itself` where the data
    have no labels, and the network is to give its input again."""

    shape: Shape = ()
    whole: bool = True
    itself: bool = False

    @property
    def is_class(self) -> bool:
        return not self.shape and self.whole

    def __str__(self) -> str:
        if self.itself:
            return f"the inputs themselves, {[*self.shape]}"
        return "classes" if self.is_class else f"{'whole' if self.whole else 'real'} numbers of shape {[*self.shape]}"

    def resized(self, found: Shape, sizes: Shape) -> "Target":
        """Itself where inputs of the sizes `found` are resized: a target that is a map of those sizes is resized with
        them."""
        rank = len(found)
        if not rank or not sizes or self.shape[-rank:] != found:
            return self
        return Target((*self.shape[:-rank], *sizes), self.whole, self.itself)


CLASS = Target()


def input_of(graph: Graph) -> Input:
    """What a network takes; what a space takes at the largest of its sizes."""
    shape = graph.input.shape
    (channels,) = shape.channels
    assert isinstance(channels, int), "the channels of an input are a constant"
    known = Distributions(graph.decision_map, graph.dim_map)
    return Input(channels, tuple(map(known.largest, shape.sizes)), all(map(is_decided, shape.sizes)))


def shape_words(channels: int | None, rank: int) -> str:
    """The shape of an input whose sizes may be any, as a user reads it."""
    return f"[{', '.join([str(channels or 'channels'), *_SIZES[rank]])}]"


def written(shape: Shape) -> str:
    """The input of such a shape, as a program writes it."""
    match shape:
        case (channels, height, width):
            return f"image({channels}, size={height if height == width else f'{height}x{width}'})"
        case (channels, length):
            return f"signal({channels}, {length})"
        case _:
            return f"features({shape[0]})"


def check_input(input: Input | None, shape: Shape, name: str) -> None:
    """The network takes inputs of this shape, at whatever sizes: the sizes of images and signals are changed to those
    of the network.

    Raises:
        CompileError: where it takes others.
    """
    if input is None:
        return
    if input.rank != len(shape) - 1:
        raise mistakes.other_kind(name, (input.kind, input.shape), (KINDS[len(shape) - 1], shape), written(shape))
    if input.channels != shape[0]:
        hint = f"write `{written(shape)}`: the inputs of `{name}` are {[*shape]}"
        moved = "are its channels the last axis? `numpy.moveaxis(x, -1, 1)` puts them first"
        last = shape[-1] == input.channels <= _OF_COLOURS < shape[0]
        raise mistakes.other_channels(input.kind, input.channels, str(shape[0]), hint, *([moved] if last else []))
