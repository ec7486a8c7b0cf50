"""Whether a network's output, the targets of the data and the losses fit each other."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from nasir.data import DataSet, Shape, Target
from nasir.diagnostics import Span
from nasir.ir.graph import Graph, is_decided
from nasir.lang.settings import Settings
from nasir.named import name_of
from nasir.searching import mistakes
from nasir.searching.loss import Function, Loss, loss_of
from nasir.searching.measures import Measure


@dataclass(frozen=True)
class Output:
    """What a network gives for one input: its shape, None where that is undecided; and where a user finds it."""

    shape: Shape | None
    what: str
    span: Span | None = None


def output_of(graph: Graph) -> Output:
    """That of a network, or of a space.

    Raises:
        CompileError: where it has several.
    """
    node = graph.by_name[graph.output]
    if node.shape.parts:
        raise mistakes.several_outputs(node.span)
    channels, sizes = ([v for v in values if isinstance(v, int)] for values in (node.shape.channels, node.shape.sizes))
    decided = all(map(is_decided, node.shape.values()))
    return Output((sum(channels), *sizes) if decided else None, "the space's output", node.span)


def fitted(
    data: DataSet, output: Output, settings: Settings, given: Callable[[Any, Any], Any] | None = None, *, search: bool
) -> tuple[DataSet, Measure]:
    """The data, whose targets are checked to be in the range of the losses, and how networks are measured on them: by
    the loss of the training. The losses are that one and, for a `search`, that of the search; or the one `given` in
    Python.

    Raises:
        CompileError: where a loss cannot be loaded, or cannot compare the output with the targets.
    """
    phases = [settings.search, settings.train] if search else [settings.train]
    for phase in phases:
        name = phase.loss if given is None else name_of(given)
        data = _fitted(data, output, name, loss_of(phase, given))
    assert output.shape is not None, "there is a loss, and it fits"
    return data, loss_of(settings.train, given).measure(output.shape, data.target)


def _fitted(data: DataSet, output: Output, name: str, loss: Loss) -> DataSet:
    target, shape = data.target, output.shape
    if data.classes and loss.tells_classes(target):
        wrong = shape != (data.classes,) if target.is_class else shape is not None and shape[0] != data.classes
        if wrong:
            raise mistakes.other_classes(output.span, output.what, data.name, data.classes, bool(target.shape))
    if shape is None:
        raise mistakes.undecided_output(output.span, output.what, name)
    fits = loss.fits(shape, target)
    limits = loss.limits(shape, target) if fits else None
    if not fits or (limits is not None and data.classes > limits[1] + 1):
        told = f"{data.classes} {target}" if target.is_class else str(target)
        raise mistakes.other_output(output.span, output.what, shape, (name, loss.wants), (data.name, told))
    if isinstance(loss, Function):
        _tried(loss, name, shape, target)
    return data if limits is None else data.within(*limits)


def _tried(loss: Loss, name: str, shape: Shape, target: Target) -> None:
    """A function says nothing of what it takes: it is called once.

    Raises:
        CompileError: where it fails, or gives no scalar.
    """
    targets = torch.zeros(2, *target.shape, dtype=torch.int64 if target.whole else torch.float32)
    try:
        found = loss(torch.zeros(2, *shape), targets)
        if found.dim():
            raise TypeError(f"it gives {[*found.shape]}, and no scalar")
    except Exception as error:  # whatever the user's code raises
        why = " ".join(f"{type(error).__name__}: {error}".split())
        raise mistakes.failed_loss(name, shape, str(target), why) from error
