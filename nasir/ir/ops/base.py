"""What the compiler must know about an op."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from nasir.ir.dims import DimTable
from nasir.ir.graph import Node, Type
from nasir.ir.sizes import Number, Sizing
from nasir.ir.values import Scalar, Value

LARGEST_COUNT = 1_000_000


class Placement(Enum):
    """How an op treats channels that a mask may still have to remove (`passes/place_masks.py`)."""

    SOURCE = "source"  # makes decided channels: nothing to mask
    MIXES = "mixes"  # reads every input channel into fresh output channels: a pending mask is due before it
    CHANNELWISE = "channelwise"  # a pending mask moves past it
    PRODUCT = "product"  # multiplies operands of one layout: their masks pend once, not squared
    SUM = "sum"  # adds operands of one layout: a mask pends only where it pends on all
    GATED = "gated"  # adds differently laid-out operands under gates: all masks are due before it


class OpError(Exception):
    """A shape rule that a user's program breaks; becomes a diagnostic at the node's place."""

    def __init__(self, code: str, message: str, *hints: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hints = hints


@dataclass(frozen=True)
class Parameter:
    """A parameter of an op in the language. `kind` is `count`, `odd` or `flag`; no default means required."""

    name: str
    kind: str
    default: Scalar | None = None

    def problem(self, value: Scalar) -> str | None:
        """What a value must be, where it is not."""
        count = value if isinstance(value, int) and not isinstance(value, bool) else 0
        match self.kind:
            case "flag":
                return None if isinstance(value, bool) else "true or false"
            case "odd":
                return None if 0 < count < 256 and count % 2 else "an odd whole number under 256"
            case _:
                return None if 0 < count <= LARGEST_COUNT else f"a whole number from 1 to {LARGEST_COUNT:,}"


@dataclass(frozen=True)
class Channels:
    """The channel count of the operand `of`, or of the node itself where `of` is `out`."""

    of: str


@dataclass(frozen=True)
class Attribute:
    """The node's attribute `name`; halved for a padding that keeps a map's size at stride 1."""

    name: str
    halved: bool = False


@dataclass(frozen=True)
class Argument:
    """An argument of a torch call. An emitted file leaves it out where it equals `default`."""

    name: str
    value: Attribute | Channels | int | bool
    positional: bool = False
    default: Scalar | None = None


@dataclass(frozen=True)
class Call:
    """The torch call an op stands for, as data: `supernets/` resolves it, `emission/` prints it.

    `kind` is `module` (a class of torch.nn), `function` (of torch.nn.functional), `sequence` (of torch, applied to the
    list of operands) or `operator` (`+`, `*`, between the operands). `flatten` flattens a module's input first.
    """

    kind: str
    target: str
    arguments: tuple[Argument, ...] = ()
    flatten: bool = False


@dataclass(frozen=True)
class Tensors:
    """A node as its op sees it: the node, its operands' types by operand name, and its own type where inferred."""

    node: Node
    operands: Mapping[str, Type] = field(default_factory=dict[str, Type])

    @property
    def x(self) -> Type:
        return self.operands["x"]

    @property
    def out(self) -> Type:
        return self.node.shape

    def __getitem__(self, attribute: str) -> Value:
        return self.node[attribute]


Support = Callable[[Value], Sequence[Scalar]]


class Op:
    """One op. Instances hold no state: a node's attributes carry everything.

    `weights` names the parameters and buffers of the op's torch module with, per axis, what its length is: `out` (the
    node's own channels), `x` (the operand's channels) or `-` (undecided sizes never cut it).
    """

    name: str
    operands: tuple[str, ...] = ("x",)
    parameters: tuple[Parameter, ...] = ()
    placement: Placement = Placement.CHANNELWISE
    keeps_zero: bool = True
    weights: Mapping[str, tuple[str, ...]] = {}
    in_language: bool = True

    def fills(self, node: Node) -> bool:
        """Whether it puts something into a channel of zeros."""
        return not self.keeps_zero

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        """The node's type from its operands' types.

        Raises:
            OpError: where the operands do not fit.
        """
        return it.x

    def macs(self, it: Tensors, size: Sizing) -> Number:
        """Multiply-adds of one image (Eq. 10, first line)."""
        return 0

    def params(self, it: Tensors, size: Sizing) -> Number:
        """Trainable parameters, biases and batch norm's affine included (Eq. 10, second line)."""
        return self.weight_count(it, size)

    def weight_count(self, it: Tensors, size: Sizing) -> Number:
        """Weights of convolutions and linear layers alone, as the released networks' parameters are counted."""
        return 0

    def pooled(self, it: Tensors, size: Sizing) -> Number:
        """Elements a global pooling reads, which the released networks' operations count beside multiply-adds."""
        return 0

    def call(self, it: Tensors) -> Call:
        """The torch call; sizes are still values, to be resolved by whoever builds it."""
        raise NotImplementedError(f"{self.name} stands for no torch call")


def per_group(number: Number, groups: Value) -> Number:
    """`number / groups`, an exact integer where the number is one: groups divide what they group."""
    assert isinstance(groups, int), "groups are a constant"
    if isinstance(number, int):
        assert number % groups == 0, "groups divide the channels"
        return number // groups
    return number * (1 / groups)


def layout_size(layout: Sequence[Value], size: Sizing) -> Number:
    """Channels of a layout: the sum of its segments' sizes."""
    total: Number = 0
    for segment in layout:
        total = total + size(segment)
    return total


def require_map(it: Tensors, what: str) -> None:
    """A diagnostic unless the operand is a feature map."""
    if not it.x.is_map:
        raise OpError("E0402", f"`{what}` needs a feature map, and its input is a flat vector")


def resolve_argument(argument: Argument, it: Tensors, size: Callable[[Value], Scalar]) -> Scalar:
    """An argument of a torch call as a scalar, `size` telling what a value is."""
    match argument.value:
        case Channels(of):
            layout = it.out.channels if of == "out" else it.operands[of].channels
            return sum(int(size(segment)) for segment in layout)
        case Attribute(name, halved):
            value = size(it[name])
            return int(value) // 2 if halved else value
        case constant:
            return constant
