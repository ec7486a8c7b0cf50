"""Steps on their way into a program: what a body calls, and the blocks that bodies became."""

from collections.abc import Mapping
from dataclasses import dataclass

from nasir.ir.ops import OPS
from nasir.ir.values import Scalar
from nasir.lang import syntax as s
from nasir.lifting.steps import Owner, Step

FUNCTION = "function"
"""What is called in the place of activations, which a block may have as a parameter; and the name of that argument."""
X = "x"


@dataclass(frozen=True)
class Item:
    """A call of a body: of an op, of an activation, or of a block. Its value has its own name; `operands` are values,
    `shape` is the value's, `owners` are the modules around it within the body."""

    value: str
    kind: str
    operands: tuple[str, ...]
    arguments: tuple[tuple[str, Scalar], ...]
    owners: tuple[Owner, ...]
    shape: tuple[int, ...]
    parts: int = 0
    is_block: bool = False


@dataclass(frozen=True)
class Line:
    """A call of a block's body in words: of operands by their keys, `x` the block's input, with expressions for
    arguments; where `condition` stands, only if that holds. `is_shortcut` adds where shapes are equal."""

    key: str
    kind: str
    operands: tuple[str, ...]
    arguments: tuple[tuple[str, s.Expr], ...]
    label: str
    shape: tuple[int, ...]
    parts: int = 0
    is_block: bool = False
    condition: s.Expr | None = None
    is_shortcut: bool = False


@dataclass(frozen=True)
class Hole:
    """A parameter of a block: what each of its uses has for it, None where it is not read. `of` is the parameter of the
    op that it became an argument of, `is_size` says whether it counts channels."""

    name: str
    values: tuple[Scalar | None, ...]
    of: str
    is_size: bool
    default: Scalar | None = None


@dataclass(frozen=True)
class Template:
    """A block without its name: what its uses have in common, and what differs."""

    lines: tuple[Line, ...]
    result: str
    holes: tuple[Hole, ...]

    def arguments(self, use: int) -> tuple[tuple[str, Scalar], ...]:
        """What a use gives, defaults left out."""
        given = ((hole.name, hole.values[use], hole.default) for hole in self.holes)
        return tuple((name, value) for name, value, default in given if value is not None and value != default)


@dataclass(frozen=True)
class Block:
    """A block with its name; the class that it came from."""

    name: str
    template: Template

    @property
    def sizes(self) -> frozenset[str]:
        return frozenset(hole.name for hole in self.template.holes if hole.is_size)


@dataclass(frozen=True)
class Body:
    """What a use of a module does: its input, its items in order, its result."""

    x: str
    items: tuple[Item, ...]
    result: str
    shape: tuple[int, ...]
    """The input's."""

    def shape_of(self, value: str) -> tuple[int, ...]:
        return self.shape if value == self.x else next(item.shape for item in self.items if item.value == value)


def item_of(step: Step) -> Item:
    op = OPS[step.op]
    common = step.name, step.operands
    if op.mixes_by == FUNCTION:
        return Item(common[0], FUNCTION, common[1], ((FUNCTION, step.op),), step.place.owners, step.shape)
    return Item(common[0], step.op, common[1], step.attributes, step.place.owners, step.shape, step.parts)


def is_size(item: Item, argument: str, blocks: Mapping[str, Block]) -> bool:
    """Whether an argument counts channels, or parts of them."""
    if item.is_block:
        return argument in blocks[item.kind].sizes
    if item.kind == FUNCTION:
        return False
    return any(p.name == argument and p.kind == "count" for p in OPS[item.kind].parameters)


def is_mixing(kind: str) -> bool:
    """Whether an op reads every channel into fresh ones."""
    return kind in OPS and OPS[kind].multiplies and any(p.sizing for p in OPS[kind].parameters)
