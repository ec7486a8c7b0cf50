"""Which op a call in normal form is, with which attributes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from torch import Tensor

from nasir.ir.graph import Node, Type
from nasir.ir.ops import Op, Parameter, Tensors, torch_argument
from nasir.ir.ops.parameters import CENTRED, SAME
from nasir.ir.ops.reshape import Crop, Pad
from nasir.ir.values import Scalar, Value, pair_of, text
from nasir.lifting.declared import Signature, inferred, plain_value, signatures
from nasir.lifting.reading import UNKNOWN, Unliftable
from nasir.lifting.steps import TorchCall
from nasir.lifting.views import written

Attributes = dict[str, Scalar]


@dataclass(frozen=True)
class Match:
    """An op with its attributes as a program writes them, and its weights by their names in its module."""

    op: Op
    attributes: Attributes
    weights: Mapping[str, Tensor]


@dataclass(frozen=True)
class Around:
    """A constant around a call's input, as torch's `pad` takes it: to be the call's own padding."""

    pad: tuple[int, ...]
    value: float


def matched(call: TorchCall, operands: Sequence[Type], around: Around | None = None) -> Match:
    """The op that a call is; with `around`, one that pads by as much itself.

    Raises:
        Unliftable: where it is none.
    """
    if call.target == Pad.name and around is None:
        return _margins(call)
    known = signatures().get(call.target, ())
    why: list[str] = []
    for signature in known:
        if signature.op.operands != ("...",) and signature.operands != len(operands):
            continue
        if not call.tensors.keys() <= signature.weights.keys():
            continue
        for attributes in _attributes(signature, call, operands, around):
            wrong = _differences(signature, attributes, call, operands, around)
            if not wrong:
                simple = _simplest(signature, attributes, call, operands, around)
                weights = {signature.weights[name]: tensor for name, tensor in call.tensors.items()}
                return Match(signature.op, {**simple, **_starts(signature, weights)}, weights)
            why += wrong
    if not known:
        raise Unliftable(UNKNOWN)
    raise Unliftable(why[0] if why else "no op of the language takes tensors so")


def _starts(signature: Signature, weights: Mapping[str, Tensor]) -> Attributes:
    """The numbers that an op's weights begin with, which no argument tells, where the weights are all alike."""
    values = {float(f"{float(n):.7g}") for tensor in weights.values() for n in tensor.detach().aminmax()}
    unread = [p.name for p in signature.op.parameters if p.kind == "number" and p.name not in signature.read]
    return dict.fromkeys(unread, *values) if len(values) == 1 else {}


def _attributes(
    signature: Signature, call: TorchCall, operands: Sequence[Type], around: Around | None
) -> Iterator[Attributes]:
    """The attributes that a call says; of a padding, each that could be meant."""
    found: Attributes = dict(signature.words)
    for parameter in signature.op.parameters:
        if parameter.name not in found:
            value = _read(signature, parameter, call)
            if value is None:
                return
            found[parameter.name] = value
    if around is None:
        yield found
        return
    for padding in (CENTRED, SAME, *_even(around)):
        if "padding" in found:
            yield {**found, "padding": padding}


def _even(around: Around) -> Iterator[Scalar]:
    before, behind = around.pad[::2], around.pad[1::2]
    if before == behind:
        yield _scalar(list(reversed(before)))


def _read(signature: Signature, parameter: Parameter, call: TorchCall) -> Scalar | None:
    given = {signature.weights[name]: tensor for name, tensor in call.tensors.items()}
    if parameter.name in signature.read:
        value = _scalar(call.arguments.get(signature.read[parameter.name]))
        return int(value) if parameter.kind == "window" and isinstance(value, float) else value
    if parameter.name in signature.weights.values():
        return parameter.name in given
    if parameter.kind == "window" and given:
        return _scalar(list(next(iter(given.values())).shape[2:]))
    if parameter.sizing and parameter.default is None:
        return call.shape[0]
    return parameter.default


def _scalar(value: Any) -> Any:
    """An argument of torch's as a program's value."""
    if isinstance(value, (list, tuple)):
        return pair_of(*value) if len(value) == 2 else value[0]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return value


def _shape(type: Type) -> str:
    """A shape as torch has it, without the batch."""
    channels = sum(one for one in type.channels if isinstance(one, int))
    return written([channels, *(one for one in type.sizes if isinstance(one, int))])


def _differences(
    signature: Signature,
    attributes: Attributes,
    call: TorchCall,
    operands: Sequence[Type],
    around: Around | None,
) -> list[str]:
    """What tells a call from that of the op with these attributes; nothing where they are one."""
    op = signature.op
    wrong = [f"`{p.name}` must be {words}" for p in op.parameters if (words := p.problem(attributes[p.name]))]
    given = {signature.weights[name] for name in call.tensors}
    missing = [name for name in signature.weights.values() if attributes.get(name, True) != (name in given)]
    if wrong or missing:
        return wrong or [f"the language has it with a {missing[0]} alone"]
    labels = tuple(f"x{i}" for i in range(len(operands))) if op.operands == ("...",) else op.operands
    node = Node(op.name, op.name, attributes=tuple(attributes.items()))
    it = inferred(op, Tensors(node, dict(zip(labels, operands, strict=True))))
    if it is None:
        return [f"`{op.name}` does not take {' and '.join(map(_shape, operands))} so"]
    if not call.parts and (it.out.channels != (call.shape[0],) or it.out.sizes != call.shape[1:]):
        return [f"`{op.name}` makes {_shape(it.out)} of it, and not {written(call.shape)}"]
    declared = op.call(it)
    expected = dict(signature.fixed)
    for argument in declared.arguments:
        name = next((n for n in (argument.name, f"{argument.name}s") if n in expected), None)
        name = name or signature.read.get(getattr(argument.value, "name", ""))
        if name is not None:
            expected[name] = plain_value(torch_argument(argument, it, _decided))
    found = {name: plain_value(value) for name, value in call.arguments.items()}
    if around is not None:
        own, expected["padding"] = expected.get("padding", 0), found.get("padding", 0)
        pad = declared.pad or _sides(own, len(around.pad) // 2)
        if pad != around.pad or declared.filler != around.value or found.get("padding", 0) != 0:
            return [f"`{op.name}` pads otherwise"]
    elif declared.pad:
        return [f"`{op.name}` pads otherwise"]
    names = [name for name in {**expected, **found} if found.get(name) != expected.get(name)]
    return [f"the language has it with {name}={expected.get(name)} alone, not {found.get(name)}" for name in names]


def _sides(padding: Any, rank: int) -> tuple[int, ...]:
    """A padding as torch's `pad` takes it."""
    each = cast("tuple[int, ...]", padding if isinstance(padding, tuple) else (padding,) * rank)
    return tuple(n for side in reversed(each) for n in (side, side))


def _simplest(
    signature: Signature,
    attributes: Attributes,
    call: TorchCall,
    operands: Sequence[Type],
    around: Around | None,
) -> Attributes:
    """The attributes with defaults where those say the same."""
    for parameter in signature.op.parameters:
        is_word = parameter.name in dict(signature.words)  # the sample's own, which no argument tells
        if parameter.default is not None and attributes[parameter.name] != parameter.default and not is_word:
            plainer = {**attributes, parameter.name: parameter.default}
            if not _differences(signature, plainer, call, operands, around):
                attributes = plainer
    return attributes


def _margins(call: TorchCall) -> Match:
    """A constant around a map, or less of it."""
    pad = call.arguments["pad"]
    before, behind = (_scalar([*reversed(pad[side::2])]) for side in (0, 1))
    if min(pad) >= 0:
        return Match(Pad(), {"before": before, "behind": behind, "value": _whole(call.arguments["value"])}, {})
    if max(pad) <= 0:
        less = [[-n for n in reversed(pad[side::2])] for side in (0, 1)]
        return Match(Crop(), dict(zip(("before", "behind"), map(_scalar, less), strict=True)), {})
    raise Unliftable("it pads one side and crops another")


def _whole(value: float) -> Scalar:
    return int(value) if float(value).is_integer() else value


def _decided(value: Value) -> Scalar:
    assert isinstance(value, (int, float, str)), f"{text(value)} is decided"
    return value
