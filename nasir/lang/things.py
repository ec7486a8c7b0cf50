"""What an expression of the language evaluates to: a value, a tensor, or a function from a tensor to a tensor."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from nasir.diagnostics import Span
from nasir.ir.ops import Op
from nasir.ir.values import Ref, Value
from nasir.lang import syntax as s
from nasir.lang.modules import Module


@dataclass(frozen=True)
class Tensor:
    """The output of the node `node`."""

    node: str


@dataclass(frozen=True)
class Bound:
    """An argument as evaluated, with the place it was written at. An `optional` one may find no taker."""

    value: "Thing"
    span: Span = field(repr=False)
    optional: bool = False


@dataclass(frozen=True)
class Function:
    """A function from a tensor to a tensor, some of its parameters bound."""

    span: Span = field(repr=False)
    named: bool = field(default=False, kw_only=True, repr=False)
    """A name stands here for a flow or a guarded function: each use of the name decides for itself."""

    @property
    def size(self) -> int:
        """How many steps it is, written out."""
        return 1


@dataclass(frozen=True)
class OpFunction(Function):
    op: Op
    bound: Mapping[str, Bound] = field(default_factory=dict[str, Bound])


@dataclass(frozen=True)
class BlockFunction(Function):
    block: s.Block
    module: Module = field(repr=False)
    bound: Mapping[str, Bound] = field(default_factory=dict[str, Bound])


@dataclass(frozen=True)
class ChoiceFunction(Function):
    choice: s.Choice
    module: Module = field(repr=False)
    bound: Mapping[str, Bound] = field(default_factory=dict[str, Bound])
    shared: str = ""
    """Of a choice that a `let` binds, the name of its one decision; each use has weights of its own."""


@dataclass(frozen=True)
class Identity(Function):
    pass


@dataclass(frozen=True)
class Composed(Function):
    functions: tuple[Function, ...]

    @cached_property
    def size(self) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        return sum(f.size for f in self.functions)


@dataclass(frozen=True)
class Conditional(Function):
    """`function when condition`."""

    function: Function
    condition: Value

    @property
    def size(self) -> int:
        return self.function.size


@dataclass(frozen=True)
class OneOf(Function):
    """A set of functions, `{relu, hswish}`: the decision `selector` picks one by its name."""

    selector: Ref
    options: Mapping[str, Function]

    @cached_property
    def size(self) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        return sum(f.size for f in self.options.values())


Thing = Value | Tensor | Function


def name_of(function: Function) -> str:
    """The name its nodes and regions are called by."""
    match function:
        case OpFunction():
            return function.op.name
        case BlockFunction():
            return function.block.name.text
        case ChoiceFunction():
            return function.choice.name.text
        case Conditional():
            return name_of(function.function)
        case OneOf():
            return "one_of"
        case Identity():
            return "identity"
        case _:
            return "flow"


def describe(thing: Thing) -> str:
    """What a thing is, in a diagnostic's words."""
    match thing:
        case Tensor():
            return "a tensor"
        case ChoiceFunction():
            return f"the choice `{name_of(thing)}`"
        case BlockFunction():
            return f"the block `{name_of(thing)}`"
        case OpFunction():
            return f"the op `{name_of(thing)}`"
        case Function():
            return "a function"
        case bool():
            return "true" if thing else "false"
        case Ref():
            return "a value to be decided"
        case str():
            return "a string"
        case _:
            return f"the number {thing!r}"


def steps(function: Function) -> int:
    """How many named steps it is; one step alone takes its flow's name."""
    match function:
        case Composed():
            return sum(map(steps, function.functions))
        case Conditional():
            return steps(function.function)
        case _:
            return 1


def step_name(function: Function) -> str:
    """The name a step of a flow has: the op's own; `block` for a block and for a choice, which becomes one."""
    return function.op.name if isinstance(function, OpFunction) else "block"


def parameters(function: Function) -> frozenset[str]:
    """The parameters it still takes. A choice takes what its alternatives take, known when it is applied."""
    match function:
        case OpFunction():
            return frozenset(p.name for p in function.op.parameters) - function.bound.keys()
        case BlockFunction():
            return frozenset(p.name.text for p in function.block.parameters) - function.bound.keys()
        case Composed():
            return frozenset[str]().union(*map(parameters, function.functions))
        case Conditional():
            return parameters(function.function)
        case OneOf():
            return frozenset[str]().union(*map(parameters, function.options.values()))
        case _:
            return frozenset()


def decides(function: Function) -> bool:
    """Whether a derived program writes it out where it is used: a choice or a block, each use of which decides, or what
    has one in it."""
    match function:
        case ChoiceFunction() | BlockFunction():
            return True
        case Composed():
            return any(map(decides, function.functions))
        case Conditional():
            return decides(function.function)
        case OneOf():
            return any(map(decides, function.options.values()))
        case _:
            return False


def share(function: Function, name: str) -> Function:
    """The function with one decision for all its uses, where it has choices: what `let` makes of it."""
    match function:
        case ChoiceFunction():
            return replace(function, shared=function.shared or name)
        case Composed():
            parts = tuple(share(f, f"{name}.{i}") for i, f in enumerate(function.functions))
            return replace(function, functions=parts)
        case Conditional():
            return replace(function, function=share(function.function, name))
        case OneOf():
            return replace(function, options={k: share(f, f"{name}.{k}") for k, f in function.options.items()})
        case _:
            return function


def bind(function: Function, name: str, bound: Bound) -> Function:
    """The function with a parameter bound, in each part of it that still takes the parameter."""
    match function:
        case ChoiceFunction():
            return replace(function, bound={**function.bound, name: bound})
        case OpFunction() | BlockFunction() if name in parameters(function):
            return replace(function, bound={**function.bound, name: bound})
        case Composed():
            return replace(function, functions=tuple(bind(f, name, bound) for f in function.functions))
        case Conditional():
            return replace(function, function=bind(function.function, name, bound))
        case OneOf():
            return replace(function, options={k: bind(f, name, bound) for k, f in function.options.items()})
        case _:
            return function
