"""What the compiler must know about an op: all of it is here as data, and nothing else asks for an op by its name."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction

from nasir.ir.dims import DimTable
from nasir.ir.gates import Gate
from nasir.ir.graph import Graph, Node, Type
from nasir.ir.ops import mistakes
from nasir.ir.ops.parameters import Parameter
from nasir.ir.sizes import Number, Sizing
from nasir.ir.values import Pair, Ref, Scalar, Value


class Contract(Enum):
    """What an op does with a cut of its channels, where widths are undecided.

    A value of undecided width has as many channels as it can ever have; a network keeps the first of each segment. One
    law holds for each op, whatever its contract (`tests/supernets/test_law_of_ops.py`): *the op of the cut input equals
    the cut of the op of the masked input*, the op's weights cut alike.
    """

    SOURCE = "makes decided channels: nothing to cut"
    MIXES = "reads every channel into fresh ones: its input's mask is due before it, its own pends after it"
    CHANNELWISE = "a channel of the result follows from that channel alone: a pending mask moves past it"
    STATISTICS = "a channel follows from itself and from statistics over all: it reads the mask beside its input"
    PRODUCT = "multiplies operands of one layout: their masks pend once, not squared"
    SUM = "adds or joins operands, each channel on its own: a mask pends only where it pends on all"
    GATED = "adds operands that are laid out apart under gates: all masks are due before it"
    MIXTURE = "adds operands under gates: a SUM where all have the result's layout, else GATED"
    CLEARS = "applies the mask that pends on its operand"
    ZERO = "makes zeros of its operand's channels: nothing pends"


# The arguments of a call


@dataclass(frozen=True)
class Channels:
    """The channel count of the operand `of`, or of the node itself where `of` is `out`."""

    of: str


@dataclass(frozen=True)
class Attribute:
    """The node's attribute `name`; halved for a padding that keeps a map's size at stride 1; real where
    torch.jit.script takes no integer."""

    name: str
    halved: bool = False
    real: bool = False


@dataclass(frozen=True)
class Argument:
    """An argument of a torch call. An emitted file leaves it out where it equals `default`."""

    name: str
    value: Attribute | Channels | Scalar
    positional: bool = False
    default: Scalar | None = None


# What a call of the supernet takes beside maps


@dataclass(frozen=True)
class Operand:
    """The operand of this label."""

    label: str


@dataclass(frozen=True)
class Operands:
    """All operands, as a list."""


@dataclass(frozen=True)
class Mask:
    """The mask of an operand's channels, or of the node's own where `of` is `out`, [C]; None where all are decided."""

    of: str


@dataclass(frozen=True)
class Chances:
    """The probabilities of an attribute's options, [options]: those that the operands are named by, or `options`."""

    attribute: str
    options: tuple[Scalar, ...] | None = None


@dataclass(frozen=True)
class OperandGates:
    """The node's gates, [gates]; None where it has none."""


@dataclass(frozen=True)
class GatedOperands:
    """Which of the operands have a gate, by their places."""


@dataclass(frozen=True)
class Labels:
    """The labels of all operands, as a list."""


@dataclass(frozen=True)
class Options:
    """The options of an attribute, as a list: those that `Chances` are of."""

    attribute: str


SoftArgument = Operand | Operands | Mask | Chances | OperandGates | GatedOperands | Channels | Labels | Options


@dataclass(frozen=True)
class Call:
    """The torch call an op stands for, as data: `supernets/` resolves it, `emission/` prints it.

    `kind` is `module` (a class of torch.nn), `helper` (a class of another package, `package.module:Class`, whose text
    an emitted file carries), `function` (of torch.nn.functional), `torch` (a function of torch), `sequence` (one that
    is applied to the list of operands), `operator` (`+`, `*`, between the operands), `factor` (times an argument),
    `padded` (the padding alone), `item` (of several results) or `named` (all operands, by the names in `target`).

    `flatten` flattens a module's input first; `channels_last` moves its channels behind the sizes, and back; `pad` pads
    its input first, by `filler`, as the arguments of torch's own `pad`; `like` takes the sizes of its last operand for
    its own. `search` is the class that stands in for the module in a supernet, as `package.module:Class`.
    """

    kind: str
    target: str
    arguments: tuple[Argument, ...] = ()
    flatten: bool = False
    channels_last: bool = False
    search: str = ""
    pad: tuple[int, ...] = ()
    filler: float = 0.0
    like: bool = False

    @property
    def is_module(self) -> bool:
        return self.kind in {"module", "helper"}

    @property
    def class_name(self) -> str:
        """The module's class as an emitted file calls it."""
        return self.target.rpartition(":")[2] if self.kind == "helper" else f"nn.{self.target}"


@dataclass(frozen=True)
class SoftCall:
    """A call that only a supernet makes: `function` is `package.module:name`, given what `arguments` stand for."""

    function: str
    arguments: tuple[SoftArgument, ...]


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


def tensors(graph: Graph, name: str) -> Tensors:
    """A node with its operands' types, as its op sees it."""
    node = graph.by_name[name]
    return Tensors(node, {label: graph.by_name[operand].shape for label, operand in node.operands})


Support = Callable[[Value], Sequence[Scalar]]
Condition = tuple[Ref, tuple[Scalar, ...]]
"""A decision or a dim, and the options of it under which something holds."""


class Op:
    """One op. Instances hold no state: a node's attributes carry everything.

    `operands` are the labels of its operands, or `...` for as many as there are. `parameters` are its attributes that
    programs write, `internal` those that passes set. `weights` names the parameters and buffers of the op's torch
    module with, per axis, what its length is: `out` (the node's own channels), `x` (the operand's) or `-` (undecided
    sizes never cut it). `carries` says what its weights can take over in a supernet: `x`, the mask on its input; `out`,
    mask and gate of its output. `mixes_by` is the parameter, or `function`, in which ops of one input may differ that a
    supernet mixes as one. `module` is the class of torch.nn that is the same function, of an element-wise op without
    parameters. `is_soft` ops are in no network, only in spaces and supernets. `is_free` ones are nothing that a
    deployed network does: an input, a view, something of the training.
    """

    name: str
    operands: tuple[str, ...] = ("x",)
    parameters: tuple[Parameter, ...] = ()
    internal: tuple[str, ...] = ()
    contract: Contract | None = None
    """Without one it takes decided channels alone."""
    keeps_zero: bool = True
    weights: Mapping[str, tuple[str, ...]] = {}
    carries: str = ""
    mixes_by: str = ""
    module: str = ""
    in_language: bool = True
    is_soft: bool = False
    is_free: bool = False

    def mixed_as(self, node: Node) -> object:
        """What nodes have in common that a supernet can mix as one, where they differ in `mixes_by`; None where this
        one cannot be mixed so."""
        return self.name, tuple(a for a in node.attributes if a[0] != self.mixes_by)

    @property
    def multiplies(self) -> bool:
        """Whether it does multiply-adds."""
        return type(self).macs is not Op.macs

    @property
    def is_priced(self) -> bool:
        """Whether it has a rule for what a network costs."""
        rules = ("macs", "params", "weight_count", "pooled")
        return any(getattr(type(self), rule) is not getattr(Op, rule) for rule in rules)

    def results(self, value: Value) -> int:
        """How many results it has where `value` is its first parameter; one has no parts."""
        return 1

    def fills(self, node: Node) -> bool:
        """Whether it puts something into a channel of zeros."""
        return not self.keeps_zero

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        """The node's type from its operands' types.

        Raises:
            OpError: where the operands do not fit.
        """
        return it.x

    def settled(self, it: Tensors, dims: DimTable, support: Support) -> tuple[tuple[str, Value], ...]:
        """The node's attributes once its operands have types."""
        return it.node.attributes

    def decided(self, node: Node, support: Support) -> Node:
        """The node with the operands alone that some choice reads: what none reads need not have a shape."""
        return node

    def simplified(self, node: Node) -> Node | str:
        """The node in its simplest form, or the name of the operand it equals."""
        return node

    def live(self, node: Node, support: Support) -> Iterator[tuple[str, Condition | None]]:
        """The operands, each with the condition under which the node needs it in a network; None: it always does."""
        yield from ((operand, None) for operand in dict.fromkeys(node.inputs))

    def terms(self, it: Tensors, support: Support) -> Iterator[tuple[str, Gate]]:
        """The operands' labels with their gates, where the op adds up its operands under gates; else nothing."""
        yield from ()

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

    def strides(self, it: Tensors) -> tuple[int | Fraction, ...]:
        """How many places of the operand lie between two neighbours of the result, along each axis; empty: one."""
        return ()

    def closes(self, it: Tensors) -> bool:
        """Whether it leaves no places of a map: a pooling over all of it, or its one window, or a vector made of it."""
        return False

    def call(self, it: Tensors) -> Call:
        """The torch call; sizes are still values, to be resolved by whoever builds it."""
        raise NotImplementedError(f"{self.name} stands for no torch call")

    def soft_call(self, it: Tensors) -> SoftCall | None:
        """What a supernet calls in place of the torch call, where it is something else."""
        return None


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


def area(type: Type, size: Sizing) -> Number:
    """Pixels of a map, steps of a sequence, 1 of a vector."""
    if not type.sizes:
        return 1
    first, *others = map(size, type.sizes)
    for other in others:
        first = first * other
    return first


def elements(type: Type, size: Sizing) -> Number:
    """The numbers of one image that a value holds."""
    return layout_size(type.channels, size) * area(type, size)


def require_map(it: Tensors, what: str) -> None:
    """A diagnostic unless the operand is a feature map or a sequence."""
    if not it.x.rank:
        raise mistakes.no_map(what)


def torch_argument(argument: Argument, it: Tensors, size: Callable[[Value], Scalar]) -> Scalar | tuple[int, int]:
    """An argument of a torch call as torch takes it: a pair is a tuple."""
    value = resolve_argument(argument, it, size)
    return value.numbers if isinstance(value, Pair) else value


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
