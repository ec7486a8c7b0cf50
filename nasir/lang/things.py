"""What an expression of the language evaluates to: a value, a tensor, or a function from a tensor to a tensor.

A function answers for itself whatever is asked of it; `functions/` has one class for each kind. It is applied in a
`Context`, the elaboration of one space, and is written out again by a `Writer`, the derivation of one network. These
three know each other, so they stand in one file: nothing else of the language need know what kinds there are.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple, ParamSpec, TypeVar

from nasir.diagnostics import Diagnostic, Span
from nasir.ir.graph import Region
from nasir.ir.values import Pair, Ref, Value
from nasir.lang import mistakes
from nasir.lang import syntax as s
from nasir.lang.building import Builder, Naming, Tensor, join
from nasir.lang.imports import Definition, Module
from nasir.lang.mistakes import Mistake

DEEPEST_CALLS = 40
P = ParamSpec("P")
T = TypeVar("T")


class Poisoned(Exception):
    """The expression uses a name whose own definition was a mistake: that mistake is reported already."""


@dataclass(frozen=True)
class Poison:
    """What a name is bound to after its definition failed."""


@dataclass(frozen=True)
class Bound:
    """An argument as evaluated, with the place it was written at and, of a tensor in a cell, what is written there. An
    `optional` one may find no taker, and of a tensor is written nowhere; in the place of a `default` one another may be
    given."""

    value: "Thing"
    span: Span = field(repr=False)
    optional: bool = False
    expr: s.Expr | None = field(default=None, repr=False)
    default: bool = False


@dataclass(frozen=True)
class Layer:
    """A part of the network with a region of its own at exactly `path`: `block` is what a flow there is called,
    `decision` the decision that a choice there makes."""

    path: str
    block: str
    decision: str


@dataclass(frozen=True)
class Function(ABC):
    """A function from a tensor to a tensor, some of its parameters bound. Written at `span`.

    A kind says at least its name, how it is applied and how it is written; the rest is as for a single step that takes
    nothing, unless it says otherwise.
    """

    span: Span = field(repr=False)

    # What it is

    @property
    @abstractmethod
    def name(self) -> str:
        """What its nodes and regions are called."""

    @property
    def described(self) -> str:
        """What it is, in a diagnostic's words."""
        return "a function"

    @property
    def step(self) -> str:
        """The name that it has as a step of a flow: `block` for whatever may become one."""
        return "block"

    @property
    def steps(self) -> int:
        """How many named steps it is; one step alone takes its flow's name."""
        return 1

    @cached_property
    def size(self) -> int:
        """How many steps it is, written out."""
        return 1

    @property
    def decides(self) -> bool:
        """Whether a derived program writes it out where it is used: each use decides for itself."""
        return False

    @property
    def value(self) -> Value:
        """Its value in a region's table."""
        return self.name

    # What it takes

    @property
    def positional(self) -> tuple[str, ...]:
        """The parameters that a call can give without their names, bound ones too."""
        return ()

    @property
    def parameters(self) -> frozenset[str]:
        """The parameters that it is known to take still."""
        return frozenset()

    def takes(self, name: str) -> bool:
        """Whether `name` can be bound."""
        return name in self.parameters

    def bind(self, name: str, bound: Bound) -> "Function":
        """Itself with a parameter bound, in each part of it that still takes the parameter."""
        return self

    def shared(self, name: str) -> "Function":
        """Itself with one decision, called `name`, for all its uses: what `let` makes of it."""
        return self

    def at(self, span: Span) -> "Function":
        """Itself by a name that is written at `span`."""
        return replace(self, span=span)

    def called(self, call: s.Call, place: "Place", context: "Context") -> "Thing":
        """What a call of it is.

        Raises:
            Mistake: where the arguments do not fit, or it is nothing that a call can give arguments to.
        """
        raise mistakes.not_callable(call.callee.span)

    # How it is applied

    @abstractmethod
    def apply(self, x: Tensor, naming: Naming, context: "Context") -> Tensor:
        """Its result for `x`: nodes, mixtures and regions under the names that are next.

        Raises:
            Mistake: where it cannot be applied.
            Poisoned: where that is reported already.
        """

    def layer(self, x: Tensor, layer: Layer, context: "Context") -> Tensor:
        """Its result for `x`, as the layer `layer`; raises what `apply` does."""
        context.builder.region(self.span, Region(layer.path, "block", self.name))
        return self.apply(x, Naming(layer.path, layer.path), context)

    def skip(self, naming: Naming) -> None:
        """Take the names that it would have, where it is left out."""
        naming.next(self.step)

    # How it is written in a derived program

    @abstractmethod
    def written(self, path: str, writer: "Writer") -> s.Expr:
        """Itself with its bound arguments, as one writes it in the scope `path`."""

    def written_at(self, path: str, writer: "Writer") -> s.Expr:
        """As `written`, of the function that was applied at `path`."""
        return self.written(path, writer)

    def written_as_step(self, path: str, name: str, writer: "Writer") -> s.Expr:
        """As `written`, for what a choice became: a block of its own called `name`, so that its weights keep their
        names."""
        return writer.block(name, self.span, self.written(path, writer))

    def written_as_row(self, path: str, name: str, writer: "Writer") -> s.Expr:
        """As `written`, for a layer of a table."""
        return self.written_as_step(path, name, writer)

    def chosen(self, path: str, name: str, writer: "Writer") -> tuple["Function", str, str]:
        """What it became at `path`, the path of that, and what that is called: of itself, `name`."""
        return self, path, name


Thing = Value | Tensor | Function


def describe(thing: Thing) -> str:
    """What a thing is, in a diagnostic's words."""
    match thing:
        case Tensor():
            return "a tensor"
        case Function():
            return thing.described
        case bool():
            return "true" if thing else "false"
        case Ref():
            return "a value to be decided"
        case Pair():
            return f"the pair {thing}"
        case str():
            return "a string"
        case _:
            return f"the number {thing!r}"


def as_value(thing: Thing, expr: s.Expr) -> Value:
    """A thing, which `expr` is, as a number, a truth value or a reference to one.

    Raises:
        Mistake: where it is none.
    """
    if isinstance(thing, (Tensor, Function)):
        raise mistakes.not_a_value(expr.span, describe(thing), "a number")
    return thing


def region_values(names: Mapping[str, Thing | Poison]) -> tuple[tuple[str, Value], ...]:
    """The values of a region's table: those of the names that stand for values or functions."""
    return tuple(
        (name, thing.value if isinstance(thing, Function) else thing)
        for name, thing in names.items()
        if not isinstance(thing, (Tensor, Poison))
    )


@dataclass
class Frame:
    """The names in scope at a place of the program, and the path its nodes are named under."""

    module: Module
    path: str
    names: dict[str, Thing | Poison] = field(default_factory=dict[str, Thing | Poison])
    unlabelled: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def inlined(self) -> frozenset[str]:
        """The names of functions that a derived program writes out where they are used."""
        return frozenset(name for name, thing in self.names.items() if isinstance(thing, Function) and thing.decides)

    def place(self, name: str, label: str | None = None) -> "Place":
        """The place of what is called `name`."""
        return Place(self, join(self.path, name), label)


class Place(NamedTuple):
    """Where an expression stands: `hint` names the decisions and dims that it makes, `label` its flow's steps."""

    frame: Frame
    hint: str
    label: str | None = None

    def part(self, *names: str) -> "Place":
        """The place of a part of the expression, which binds no name."""
        return Place(self.frame, ".".join((self.hint, *names)))

    def naming(self, steps: int) -> Naming:
        """The names of a flow's steps. Flows that are bound to no name count their steps together."""
        path, label = self.frame.path, self.label
        return Naming(path, path, label, steps == 1, {} if label else self.frame.unlabelled)


@dataclass
class Record:
    """What each set, each choice and each layer of the program became: enough to write the derived program.

    `sites` holds the value of a set by the scope and the place it was evaluated in, `sets` the names of the functions
    it is among; `layers` the function that a layer is; `choices` the alternatives of each use of a choice; `tables` a
    table's layers; `depths` the depth of a layer's row and its place in it, `names` the name of the row that a layer
    ends; `uses` the path of a function written at
    a place in a scope, `applied` the function applied at a path. `choosing` are the statements that bind functions
    which are written out where they are used, `inlined` the parameters of a block, by its path, that are given such (of
    the space at the empty path), `given` those that are given anything.
    """

    sites: dict[tuple[str, Span], Value] = field(default_factory=dict[tuple[str, Span], Value])
    sets: dict[tuple[str, Span], tuple[str, ...]] = field(default_factory=dict[tuple[str, Span], tuple[str, ...]])
    layers: dict[str, Function] = field(default_factory=dict[str, Function])
    choices: dict[str, tuple[Value, dict[str, Function]]] = field(
        default_factory=dict[str, tuple[Value, dict[str, Function]]]
    )
    tables: dict[tuple[str, Span], list[str]] = field(default_factory=dict[tuple[str, Span], list[str]])
    depths: dict[str, tuple[Value, int]] = field(default_factory=dict[str, tuple[Value, int]])
    names: dict[str, str] = field(default_factory=dict[str, str])
    applied: dict[str, Function] = field(default_factory=dict[str, Function])
    uses: dict[tuple[str, Span], str] = field(default_factory=dict[tuple[str, Span], str])
    choosing: set[tuple[str, Span]] = field(default_factory=set[tuple[str, Span]])
    inlined: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    given: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])


class Context(ABC):
    """The elaboration of one space: what it has made so far, and what functions go on with it by.

    `selectors` are the decisions of the choices that a `let` binds, by name, each with its options and its first use.
    """

    def __init__(self) -> None:
        self.builder = Builder()
        self.record = Record()
        self.diagnostics: list[Diagnostic] = []
        self.selectors: dict[str, tuple[Value, tuple[str, ...], Span]] = {}
        self.value_calls = 0
        self._calls: list[str] = []

    @abstractmethod
    def evaluate(self, expr: s.Expr, place: Place) -> Thing:
        """What `expr` is at `place`.

        Raises:
            Mistake: where it is nothing.
            Poisoned: where that is reported already.
        """

    @abstractmethod
    def value_function(self, definition: s.Let, frame: Frame) -> Function:
        """What a `let` with parameters is in `frame`.

        Raises:
            Mistake: where it would decide something.
        """

    def value(self, expr: s.Expr, place: Place) -> Value:
        """`expr` as a number, a truth value or a reference to one; raises what `evaluate` does."""
        return as_value(self.evaluate(expr, place), expr)

    def tensor(self, expr: s.Expr, place: Place) -> Tensor:
        """`expr` as a tensor; raises what `evaluate` does."""
        thing = self.evaluate(expr, place)
        if not isinstance(thing, Tensor):
            raise mistakes.not_a_value(expr.span, describe(thing), "a tensor")
        return thing

    def function(self, expr: s.Expr, place: Place) -> Function:
        """`expr` as a function; raises what `evaluate` does."""
        thing = self.evaluate(expr, place)
        if not isinstance(thing, Function):
            raise mistakes.not_applicable(expr.span, describe(thing))
        return thing

    def use(self, function: Function, scope: str, path: str) -> str:
        """A free path, like `path`, for a use of `function` that is written in `scope`."""
        free = self.builder.region_path(path)
        self.record.uses[scope, function.span] = free
        self.record.applied[free] = function
        return free

    def attempt(self, action: Callable[P, T], *args: P.args, **options: P.kwargs) -> T | Poison:
        """What `action` returns; a mistake in it is noted, and leaves an unknown."""
        try:
            return action(*args, **options)
        except Mistake as mistake:
            self.diagnostics.append(mistake.diagnostic)
        except Poisoned:
            pass  # noted where it was made
        return Poison()

    @contextmanager
    def call(self, function: Function) -> Generator[None]:
        """While the body of `function` is evaluated.

        Raises:
            Mistake: where it uses itself, or bodies nest too deep.
        """
        if function.name in self._calls:
            raise mistakes.recursive(function.span, function.name)
        if len(self._calls) >= DEEPEST_CALLS:
            raise mistakes.too_large(function.span, "blocks are used within blocks too deep", DEEPEST_CALLS)
        self._calls.append(function.name)
        try:
            yield
        finally:
            self._calls.pop()


class Writer(ABC):
    """The derivation of one network from what its space became."""

    def __init__(self, record: Record) -> None:
        self.record = record

    @abstractmethod
    def option(self, selector: Value) -> str:
        """The option that `selector` picks in this network."""

    @abstractmethod
    def value(self, span: Span, value: Value) -> s.Expr:
        """What `value` is in this network."""

    @abstractmethod
    def definition(self, definition: Definition, module: Module, path: str) -> str:
        """The name of a definition in the derived program: that of a copy for the use at `path`, where uses differ."""

    @abstractmethod
    def block(self, name: str, span: Span, body: s.Expr) -> s.Expr:
        """A new block, called like `name`, of what `body` does."""
