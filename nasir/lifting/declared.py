"""The ops by the torch calls that they declare: what a call of a traced network is in the language.

Each op's declared call is made once on a sample and traced as the user's network is; what torch records of it is what
the op is known by. So an op that declares its call can be lifted, also one of another package.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pkgutil import resolve_name
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nasir.ir.dims import DimTable
from nasir.ir.graph import Node, Type
from nasir.ir.ops import OPS, Argument, Attribute, Call, Contract, Op, OpError, Tensors, torch_argument
from nasir.ir.ops.parameters import MODES
from nasir.ir.values import Scalar, Value, Word
from nasir.lifting.forms import FORMS
from nasir.lifting.reading import Reader
from nasir.lifting.steps import Step, TorchCall
from nasir.lifting.tracing import BATCH, traced
from nasir.lifting.views import View

_CHANNELS, _SIZES = 8, (9, 10)
_OTHER_SIZES = (13, 17)
_SAMPLES: Mapping[str, Scalar] = {
    "window": 3,
    "several": 2,
    "share": 0.25,
    "number": 2.5,
    "positive": 0.5,
    "flag": True,
}


@dataclass(frozen=True)
class Signature:
    """How torch records an op's call. `fixed` are the arguments of the sample; `read` says which of them is which
    attribute, `weights` which tensor which weight."""

    op: Op
    words: tuple[tuple[str, Scalar], ...]
    operands: int
    fixed: Mapping[str, Any]
    read: Mapping[str, str]
    weights: Mapping[str, str]


@dataclass(frozen=True)
class _Sample:
    """An op on tensors of some rank with attributes of a kind."""

    op: Op
    it: Tensors
    call: Call
    words: tuple[tuple[str, Scalar], ...]


class _Made(nn.Module):
    """A declared call as a module, of as many tensors as the op has."""

    def __init__(self, sample: _Sample) -> None:
        super().__init__()
        self.call = sample.call
        self.arguments = {a.name: torch_argument(a, sample.it, _decided) for a in sample.call.arguments}
        if self.call.is_module:
            kind = resolve_name(self.call.target) if self.call.kind == "helper" else getattr(nn, self.call.target)
            self.module = kind(**self.arguments)

    def forward(self, *x: Tensor) -> Any:
        call, first = self.call, x[0]
        match call.kind:
            case "module" | "helper" if call.channels_last:
                return self.module(first.movedim(1, -1)).movedim(-1, 1)
            case "module" | "helper":
                return self.module(first)
            case "padded":
                return F.pad(first, call.pad, value=call.filler)
            case "factor":
                return first * self.arguments["factor"]
            case "operator":
                return {"+": torch.add, "-": torch.sub, "*": torch.mul}[call.target](*x)
            case "sequence":
                return getattr(torch, call.target)(list(x), **self.arguments)
            case _:
                size = {"size": x[1].shape[2:]} if call.like else {}
                return getattr(torch if call.kind == "torch" else F, call.target)(first, **self.arguments, **size)


class _Samples(nn.Module):
    """All samples, one after another, each on tensors of its own."""

    def __init__(self, samples: Sequence[_Sample]) -> None:
        super().__init__()
        self.made = nn.ModuleList(_Made(sample) for sample in samples)
        self.counts = [len(sample.it.operands) for sample in samples]

    def forward(self, *x: Tensor) -> list[Any]:
        starts = [sum(self.counts[:i]) for i in range(len(self.counts))]
        return [made(*x[at : at + n]) for made, at, n in zip(self.made, starts, self.counts, strict=True)]


class _Noted:
    """Notes the calls that a reader makes of one sample after another, as a writer of steps that are none."""

    def __init__(self) -> None:
        self.calls: list[TorchCall] = []
        self.steps: dict[str, Step] = {}

    def given(self, name: str, shape: Sequence[int]) -> None:
        self.steps[name] = Step(name, "", (), shape=tuple(shape))

    def emit(self, call: TorchCall) -> str:
        self.calls.append(call)
        name = f"%{len(self.calls)}"
        self.steps[name] = Step(name, "", call.operands, shape=call.shape, parts=call.parts)
        return name

    def results(self, name: str) -> Sequence[str]:
        parts = self.steps[name].parts
        names = [f"{name}.{i}" for i in range(parts)]
        for one in names:
            self.given(one, (self.steps[name].shape[0] // parts, *self.steps[name].shape[1:]))
        return names

    def step(self, name: str) -> Step:
        return self.steps[name]

    def place(self, name: str) -> int:
        return list(self.steps).index(name)

    def call(self, name: str) -> None:
        return None

    def joined(self, operands: Sequence[str]) -> None:
        return None

    def knows(self, target: str) -> bool:
        return True

    def sized(self, sizes: Sequence[int]) -> str | None:
        return next((name for name, step in self.steps.items() if step.shape[1:] == tuple(sizes)), None)


@cache
def signatures() -> Mapping[str, Sequence[Signature]]:
    """The ops' signatures by the name of torch's call, those of few parameters first."""
    samples = [sample for op in OPS.values() for sample in _samples(op)]
    module = _Samples(samples)
    types = [type for sample in samples for type in sample.it.operands.values()]
    inputs = [torch.zeros(BATCH, *(size for size in type.values() if isinstance(size, int))) for type in types]
    trace = traced(module, inputs, "the ops")
    noted = _Noted()
    for node, tensor in zip(trace.inputs, inputs, strict=True):
        noted.given(node.name, tensor.shape[1:])
    reader = Reader(noted, FORMS)
    reader.read(trace, {node.name: reader.whole(node.name) for node in trace.inputs})
    for result in trace.result:
        if isinstance(view := reader.seen(result), View):
            reader.plain(view)
    found: dict[str, list[Signature]] = {}
    starts = iter(trace.inputs)
    for sample, made in zip(samples, module.made, strict=True):
        names = {next(starts).name for _ in sample.it.operands}
        calls = [call for call in noted.calls if call.operands[0] in names]
        if len(calls) == 1:
            found.setdefault(calls[0].target, []).append(_signature(sample, made, calls[0]))
    return {target: sorted(every, key=lambda one: len(one.op.parameters)) for target, every in found.items()}


def _samples(op: Op) -> Iterator[_Sample]:
    """The op on vectors, sequences and maps, with each word that a parameter of it can be."""
    is_written = op.in_language or not (op.internal or op.operands == ("...",))
    if op.is_soft or op.contract is Contract.SOURCE or not is_written:
        return
    modes = [p.name for p in op.parameters if p.kind == "mode"]
    for words in [((name, Word(mode)),) for name in modes for mode in MODES] or [()]:
        for rank in range(3):
            node = Node(op.name, op.name, attributes=tuple({**_sampled(op), **dict(words)}.items()))
            labels = ("x0", "x1") if op.operands == ("...",) else op.operands
            first = Type((_CHANNELS,), _SIZES[:rank])
            other = Type((_CHANNELS,), _OTHER_SIZES[:rank] if "like" in labels else _SIZES[:rank])
            operands = dict(zip(labels, (first, other), strict=False))
            if (it := inferred(op, Tensors(node, operands))) is not None:
                call = _called(op, it)
                if call is not None:
                    yield _Sample(op, it, call, words)


def _sampled(op: Op) -> dict[str, Scalar]:
    """The attributes of a sample: of each kind a value that a trace tells from the others, or the default."""
    counts = iter((4, 2))
    found: dict[str, Scalar] = {}
    for p in op.parameters:
        least = next(counts) if p.kind == "count" and p.default is None else 1
        found[p.name] = _SAMPLES.get(p.kind, least if p.default is None else p.default)
    return found


def _called(op: Op, it: Tensors) -> Call | None:
    """The op's call; None where it stands for none."""
    try:
        return op.call(it)
    except NotImplementedError:
        return None


def inferred(op: Op, it: Tensors) -> Tensors | None:
    """The node with its type and its attributes as they are then; None where its operands do not fit."""
    try:
        type = op.infer(it, DimTable(), _support)
        typed = Tensors(replace(it.node, type=type), it.operands)
        return Tensors(replace(typed.node, attributes=op.settled(typed, DimTable(), _support)), it.operands)
    except OpError:
        return None


def _support(value: Value) -> Sequence[Scalar]:
    return (_decided(value),)


def _decided(value: Value) -> Scalar:
    assert isinstance(value, (int, float, str)), "a network's values are decided"
    return value


def _signature(sample: _Sample, made: nn.Module, call: TorchCall) -> Signature:
    """The sample's signature; each declared argument is one of torch's by its name, or by its value."""
    arguments = {name: plain_value(value) for name, value in call.arguments.items()}
    read = {p.name: p.name for p in sample.op.parameters if p.name in arguments}
    declared = [a for a in sample.call.arguments if isinstance(a.value, Attribute) and not a.value.halved]
    for argument in declared:
        if named := [name for name in (argument.name, f"{argument.name}s") if name in arguments]:
            read[_attribute(argument)] = named[0]
    for argument in declared:
        value = torch_argument(argument, sample.it, _decided)
        alike = [name for name, one in arguments.items() if one == plain_value(value) and name not in read.values()]
        if _attribute(argument) not in read and len(alike) == 1 and not isinstance(value, bool):
            read[_attribute(argument)] = alike[0]
    owned = {one.data_ptr(): name for name, one in (*made.named_parameters(), *made.named_buffers())}
    found = {name: owned.get(tensor.data_ptr(), "") for name, tensor in call.tensors.items()}
    weights = {name: path.rpartition(".")[2] for name, path in found.items() if path}
    return Signature(sample.op, sample.words, len(call.operands), arguments, read, weights)


def _attribute(argument: Argument) -> str:
    assert isinstance(argument.value, Attribute), "the others follow from shapes"
    return argument.value.name


def plain_value(value: Any) -> Any:
    """An argument as one compares it: a list of equal numbers is the number."""
    if isinstance(value, (list, tuple)):
        items = [plain_value(one) for one in value]  # pyright: ignore[reportUnknownVariableType]
        return items[0] if items and all(one == items[0] for one in items) else tuple(items)
    return value
