"""The syntax tree of a `.nas` file. Spans point into the text and are left out of comparisons."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from typing import TypeVar, cast

from nasir.diagnostics import Span


@dataclass(frozen=True)
class Tree:
    """Any part of a program, with its place."""

    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Identifier(Tree):
    """A name where it is written."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Number(Tree):
    """A number; `text` keeps its spelling (`325M`), `unit` is that of `5ms`."""

    value: int | float
    text: str = field(compare=False)
    unit: str = ""


@dataclass(frozen=True)
class Sides(Tree):
    """`10x4`: a height and a width."""

    height: int
    width: int


@dataclass(frozen=True)
class String(Tree):
    value: str


@dataclass(frozen=True)
class Bool(Tree):
    value: bool


@dataclass(frozen=True)
class Name(Tree):
    text: str


@dataclass(frozen=True)
class Attribute(Tree):
    """`base.name`."""

    base: "Expr"
    name: Identifier


@dataclass(frozen=True)
class Argument(Tree):
    """`value`, or `name=value`."""

    name: Identifier | None
    value: "Expr"


@dataclass(frozen=True)
class Call(Tree):
    callee: "Expr"
    arguments: tuple[Argument, ...]


@dataclass(frozen=True)
class Binary(Tree):
    operator: str
    left: "Expr"
    right: "Expr"


@dataclass(frozen=True)
class Unary(Tree):
    """`-operand` or `not operand`."""

    operator: str
    operand: "Expr"


@dataclass(frozen=True)
class Set(Tree):
    """`{a, b}`: one decision among the values listed."""

    items: tuple["Expr", ...]


@dataclass(frozen=True)
class Range(Tree):
    """`low..high by step`: one decision among evenly spaced values, both ends included."""

    low: "Expr"
    high: "Expr"
    step: "Expr"


@dataclass(frozen=True)
class Empty(Tree):
    """`-` in a table's cell: the parameter keeps its default."""


@dataclass(frozen=True)
class OneForTheRow(Tree):
    """`let value` in a table's cell: all layers of the row have it once, and decide it once."""

    value: "Expr"


@dataclass(frozen=True)
class Stages(Tree):
    """A table of layers. `header` names the columns."""

    header: tuple[Identifier, ...]
    rows: tuple["Row", ...]

    def named(self) -> Iterator["Expr"]:
        """The cells of the column `name`: they give names, and use none."""
        for row in self.rows:
            yield from (cell for column, cell in zip(self.header, row.cells, strict=False) if column.text == "name")


@dataclass(frozen=True)
class Row(Tree):
    cells: tuple["Expr", ...]


@dataclass(frozen=True)
class Guarded(Tree):
    """`function when condition`."""

    function: "Expr"
    condition: "Expr"


@dataclass(frozen=True)
class Outputs(Tree):
    """`{ c3: a, c4: b }` of a `return`: several outputs by their names."""

    names: tuple[Identifier, ...]
    values: tuple["Expr", ...]


@dataclass(frozen=True)
class Flow(Tree):
    """`head -> step -> step`."""

    head: "Expr"
    steps: tuple["Expr", ...]


Expr = (
    Number
    | Sides
    | String
    | Bool
    | Name
    | Attribute
    | Call
    | Binary
    | Unary
    | Set
    | Range
    | Empty
    | Stages
    | Guarded
    | Flow
    | Outputs
    | OneForTheRow
)


@dataclass(frozen=True)
class Let(Tree):
    """`let name = value`: one decision, however often the name is used. With `parameters` a function of values."""

    name: Identifier
    value: Expr
    parameters: tuple["Parameter", ...] = ()

    @property
    def names(self) -> tuple[Identifier, ...]:
        return (self.name,)


@dataclass(frozen=True)
class Bind(Tree):
    """`name = value`; `a, b = value` where it has several results."""

    names: tuple[Identifier, ...]
    value: Expr

    @property
    def name(self) -> Identifier:
        return self.names[0]


@dataclass(frozen=True)
class Return(Tree):
    value: Expr


@dataclass(frozen=True)
class Require(Tree):
    """`require value`: no network is one that does not meet it."""

    value: Expr

    @property
    def names(self) -> tuple[Identifier, ...]:
        return ()


Statement = Let | Bind | Require | Return


@dataclass(frozen=True)
class Parameter(Tree):
    name: Identifier
    default: Expr | None


@dataclass(frozen=True)
class Defaults(Tree):
    """`set name(argument = value)`: what a block or an op of that name has in this file where a use gives nothing."""

    name: Identifier
    arguments: tuple[Argument, ...]


@dataclass(frozen=True)
class Block(Tree):
    name: Identifier
    parameters: tuple[Parameter, ...]
    body: tuple[Statement, ...]
    doc: str = ""
    """What the comments `##` right above it say; they reach the emitted source."""


@dataclass(frozen=True)
class Alternative(Tree):
    name: Identifier
    value: Expr
    condition: Expr | None


@dataclass(frozen=True)
class Choice(Tree):
    name: Identifier
    alternatives: tuple[Alternative, ...]


@dataclass(frozen=True)
class Space(Tree):
    name: Identifier
    parameters: tuple[Parameter, ...]
    body: tuple[Statement, ...]
    doc: str = ""


@dataclass(frozen=True)
class Narrowing(Tree):
    """`trunk.block = {a, b}`: fewer options for the decisions of a place."""

    path: tuple[str, ...]
    value: Expr


@dataclass(frozen=True)
class NarrowedSpace(Tree):
    """`space name = base(arguments) with narrowings`: a library's space, changed."""

    name: Identifier
    base: Identifier
    arguments: tuple[Argument, ...]
    narrowings: tuple[Narrowing, ...]
    doc: str = ""


@dataclass(frozen=True)
class ImportName(Tree):
    name: Identifier
    alias: Identifier | None


@dataclass(frozen=True)
class Import(Tree):
    path: String
    names: tuple[ImportName, ...]


@dataclass(frozen=True)
class Constraint(Tree):
    """`left comparison right`, as in `macs <= 325M`; or in percent of the largest network, as in `macs <= 60%`."""

    operator: str
    left: Expr
    right: Expr
    percent: bool = False


@dataclass(frozen=True)
class Objective(Tree):
    minimize: Expr
    constraints: tuple[Constraint, ...]


@dataclass(frozen=True)
class Setting(Tree):
    name: Identifier
    value: Expr


@dataclass(frozen=True)
class Settings(Tree):
    """A `search { }` or `train { }` section."""

    section: str
    settings: tuple[Setting, ...]


Item = Import | Let | Defaults | Block | Choice | Space | NarrowedSpace | Objective | Settings


@dataclass(frozen=True)
class File(Tree):
    items: tuple[Item, ...]


def walk(tree: object) -> Iterator[Tree]:
    """Every part of a syntax tree, itself first, in the order of the text."""
    stack: list[object] = [tree]
    while stack:
        item = stack.pop()
        if isinstance(item, tuple):
            stack += reversed(item)  # pyright: ignore[reportUnknownArgumentType]
        elif isinstance(item, Tree):
            yield item
            stack += reversed([getattr(item, name) for name in item.__dataclass_fields__ if name != "span"])


E = TypeVar("E", bound=Expr)


def with_parts(expr: E, change: Callable[[Expr], Expr]) -> E:
    """The expression with each expression that it is made of changed."""
    changed: dict[str, object] = {}
    for part in fields(expr):
        value: object = getattr(expr, part.name)
        if isinstance(value, Expr):
            changed[part.name] = change(value)
        elif isinstance(value, tuple):
            parts = cast("tuple[object, ...]", value)
            changed[part.name] = tuple(change(x) if isinstance(x, Expr) else x for x in parts)
    return replace(expr, **changed)
