"""A user's network as steps."""

import re
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any

import torch

from nasir.diagnostics import CompileError, Diagnostic
from nasir.ir.ops.inputs import Features, Image, Signal
from nasir.ir.path import fresh
from nasir.ir.values import Scalar, pair_of
from nasir.lifting import mistakes
from nasir.lifting.building import Builder
from nasir.lifting.forms import FORMS
from nasir.lifting.network import UserNetwork
from nasir.lifting.reading import Reader, Unliftable
from nasir.lifting.steps import Lifted, Step
from nasir.lifting.tracing import BATCH, traced
from nasir.lifting.views import View

ONE = "value"
"""What the output is called where there is one."""


def read(network: UserNetwork, where: str) -> Lifted:
    """The network as steps; `where` is what the user calls it.

    Raises:
        CompileError: with each call that cannot be lifted.
    """
    trace = traced(network.module, [torch.zeros(BATCH, *network.input)], where)
    builder = Builder(*_input(network.input), network.input)
    reader = Reader(builder, FORMS)
    reader.read(trace, {trace.inputs[0].name: reader.whole("x")})
    try:
        outputs = tuple(_outputs(reader, trace.result))
    except Unliftable as error:
        raise CompileError(mistakes.not_liftable(where, f"of its output, {error}", None)) from None
    steps = builder.steps([name for _, name in outputs])
    if shared := list(_shared(steps)):
        raise CompileError(shared)
    return Lifted(network.name, steps, outputs)


def _input(shape: Sequence[int]) -> tuple[str, tuple[tuple[str, Scalar], ...]]:
    """The input's op, and its attributes."""
    channels, *sizes = shape
    match sizes:
        case []:
            return Features.name, (("channels", channels),)
        case [length]:
            return Signal.name, (("channels", channels), ("length", length))
        case _:
            return Image.name, (("channels", channels), ("size", pair_of(*sizes)))


_NO_CHANNELS = (
    "its channels are dropped, and outputs of a program are [N, C, ...]: leave out the `squeeze` or `flatten` at the"
    " end; losses compare [N, 1] with targets of either shape"
)


def _outputs(reader: Reader, result: Any) -> Iterator[tuple[str, str]]:
    """The names of what a network returns, each with its step."""
    named = list(_named(result, ""))
    taken: set[str] = set()
    for name, node in named:
        view = reader.seen(node)
        if not isinstance(view, View):
            raise Unliftable("it is no tensor that follows from the input")
        own = reader.whole(view.step)
        if view.dims == own.dims[:1] + own.dims[2:] or len(view.dims) < 2:
            raise Unliftable(_NO_CHANNELS)
        step = reader.plain(view)
        shape = reader.writer.step(step).shape
        if len(view.dims) == 2 and len(shape) > 1:
            step = reader.emit("flatten", [step], [prod(shape)], start_dim=1, end_dim=-1).step
        free = fresh(_said(name) if len(named) > 1 else ONE, taken)
        taken.add(free)
        yield free, step


def _said(name: str) -> str:
    """A name of the language."""
    plain = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return plain if plain[:1].isalpha() else f"output_{plain}".rstrip("_")


def _named(result: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The tensors of a result, dicts by their keys, and sequences by their places."""
    items: Any = ()
    if isinstance(result, Mapping):
        items = result.items()  # pyright: ignore[reportUnknownVariableType]
    elif isinstance(result, (list, tuple)):
        items = enumerate(result)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    elif result is not None:
        yield name or "output", result
    for key, one in items:
        yield from _named(one, f"{name}_{key}" if name else f"output_{key}" if isinstance(key, int) else str(key))


def _shared(steps: Sequence[Step]) -> Iterator[Diagnostic]:
    """A mistake for each step whose weights an earlier one has."""
    first: dict[int, Step] = {}
    for step in steps:
        owners = [first.setdefault(tensor.data_ptr(), step) for tensor in step.weights.values()]
        if other := next((owner for owner in owners if owner is not step), None):
            yield mistakes.shared(step.op, step.place.span, other.place.span)
