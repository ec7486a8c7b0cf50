"""A kernel read back from its one line (`Kernel.text`): what a runtime must be given to measure it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from nasir.ir.dims import DimTable
from nasir.ir.graph import Node, Type
from nasir.ir.ops import OPS, Tensors, elements
from nasir.ir.sizes import exact
from nasir.ir.values import Pair, Scalar

_SHAPE = re.compile(r"\d+(x\d+){0,2}")
_CALL = re.compile(r"(\w+)(?:\((.*)\))?")


class NoKernel(ValueError):
    """A line is no kernel; the argument says why, as the end of a sentence."""


@dataclass(frozen=True)
class Applied:
    """One op of a kernel, with decided attributes and types. `chained` is the label of the operand that is the result
    of the op before; the others are read from outside, in this order."""

    it: Tensors
    chained: str = ""

    @property
    def op(self) -> str:
        return self.it.node.op

    @property
    def outside(self) -> list[Type]:
        """The types of what it reads from outside of the kernel."""
        return [type for label, type in self.it.operands.items() if label != self.chained]


@dataclass(frozen=True)
class Written:
    """A kernel of decided sizes. It reads `inputs`, types without their batch."""

    steps: tuple[Applied, ...]

    @property
    def ops(self) -> tuple[str, ...]:
        return tuple(step.op for step in self.steps)

    @property
    def inputs(self) -> list[Type]:
        return [type for step in self.steps for type in step.outside]

    @property
    def out(self) -> Type:
        return self.steps[-1].it.out

    def macs(self) -> int:
        """Multiply-adds of one image."""
        return sum(int(_whole(OPS[step.op].macs(step.it, _SIZE))) for step in self.steps)

    def numbers(self) -> int:
        """Numbers that it reads and writes for one image, weights included; what its ops hand on is not written."""
        moved = sum(int(_whole(elements(type, _SIZE))) for type in (*self.inputs, self.out))
        return moved + sum(int(_whole(OPS[step.op].params(step.it, _SIZE))) for step in self.steps)


_SIZE = exact({})


def _whole(number: object) -> int:
    assert isinstance(number, int), "sizes are exact"
    return number


def read_kernel(text: str) -> Written:
    """The kernel of a line.

    Raises:
        NoKernel: where it is none.
    """
    first, *calls = text.split(" -> ")
    if not calls:
        raise NoKernel("it has no op")
    given = [_type(shape) for shape in first.split(", ")]
    steps: list[Applied] = []
    try:
        for call in calls:
            steps.append(_applied(call, given if not steps else [], steps[-1].it.out if steps else None))
    except NoKernel:
        raise
    except Exception as error:  # whatever an op says of operands that do not fit
        raise NoKernel(str(error)) from error
    return Written(tuple(steps))


def parts_of(text: str) -> list[str]:
    """The ops of a kernel as kernels of their own, in order."""
    kernel = read_kernel(text)
    _, *calls = text.split(" -> ")
    found: list[str] = []
    for step, call in zip(kernel.steps, calls, strict=True):
        inputs = ", ".join(shape_text(type) for type in step.it.operands.values())
        found.append(f"{inputs} -> {_alone(call)}")
    return found


def shape_text(type: Type) -> str:
    """A decided type as kernels have it, `16x56x56`."""
    channels = sum(int(_whole(segment)) for segment in type.channels)
    return "x".join(map(str, (channels, *type.sizes)))


def _alone(call: str) -> str:
    """A call without what it reads from outside."""
    name, arguments = _split(call)
    kept = [argument for argument in arguments if "=" in argument]
    return f"{name}({', '.join(kept)})" if kept else name


def _split(call: str) -> tuple[str, list[str]]:
    found = _CALL.fullmatch(call)
    if not found or found[1] not in OPS:
        raise NoKernel(f"`{call}` is no op")
    return found[1], [argument for argument in (found[2] or "").split(", ") if argument]


def _applied(call: str, given: Sequence[Type], before: Type | None) -> Applied:
    name, arguments = _split(call)
    op = OPS[name]
    outside = [*given, *(_type(argument) for argument in arguments if "=" not in argument)]
    values = dict(_attributes(arguments))
    attributes = tuple((p.name, value) for p in op.parameters if (value := values.get(p.name, p.default)) is not None)
    every = outside if before is None else [before, *outside]
    if before is not None:  # the larger one first: a map is multiplied by a gate of its channels
        every.sort(key=lambda type: -int(_whole(elements(type, _SIZE))))
    labels = [str(i) for i in range(len(every))] if op.operands == ("...",) else list(op.operands)
    operands = dict(zip(labels, every, strict=True))
    chained = next((label for label, type in operands.items() if type is before), "")
    node = Node("kernel", name, tuple((label, label) for label in operands), attributes)
    it = Tensors(node, operands)
    dims = DimTable()
    settled = replace(node, attributes=op.settled(it, dims, lambda value: (value,)))  # pyright: ignore[reportArgumentType]
    it = Tensors(settled, operands)
    made = op.infer(it, dims, lambda value: (value,))  # pyright: ignore[reportArgumentType]
    return Applied(Tensors(replace(settled, type=made), operands), chained)


def _attributes(arguments: Sequence[str]) -> Iterator[tuple[str, Scalar]]:
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if equals:
            yield name, _scalar(value)


def _scalar(text: str) -> Scalar:
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return Pair(text) if Pair.FORM.fullmatch(text) else text


def _type(shape: str) -> Type:
    if not _SHAPE.fullmatch(shape):
        raise NoKernel(f"`{shape}` is no shape")
    channels, *sizes = map(int, shape.split("x"))
    return Type((channels,), tuple(sizes))
