"""A user's network as torch's own record of what it calls, by torch.export.

Not by torch.fx: its symbolic tracing gives a network no sizes, so that `x.view(x.size(0), -1)` and what asks for a
shape cannot be read, and it stops at modules that it knows. torch.export runs the network's Python once on shapes
alone, records calls at the level of `conv2d` and `batch_norm`, with each the modules around it and its line, and
refuses what depends on numbers.
"""

import inspect
import linecache
import logging
import os
import re
import traceback
import warnings
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.export.graph_signature import InputKind
from torch.fx.proxy import TracerBase
from torch.utils._pytree import tree_unflatten

from nasir.diagnostics import Source, Span
from nasir.lifting import mistakes
from nasir.lifting.steps import Place

BATCH = 2
_FRAME = re.compile(r' *File "([^"\n]+)", line (\d+), in ')
_SLICE = re.compile(r"slice\((?P<first>None|[0-9]+), (?:None|-?[0-9]+), (?P<step>None|[0-9]+)\)\.(?P<place>[0-9]+)")
"""What torch calls a module of `self.layers[:3]`."""
_TORCH = os.path.dirname(torch.__file__) + os.sep
_OURS = os.path.dirname(os.path.dirname(__file__)) + os.sep
_sources: dict[str, Source] = {}


@dataclass(frozen=True)
class Traced:
    """The calls in the order in which they ran, the tensors that were there before, by the names of their nodes, the
    input's nodes, and what the network returned, with nodes in the place of tensors."""

    nodes: tuple[fx.Node, ...]
    known: Mapping[str, Tensor]
    inputs: tuple[fx.Node, ...]
    result: Any


def traced(network: nn.Module, inputs: Sequence[Tensor], where: str) -> Traced:
    """The network in evaluation, as it runs on inputs of these shapes; `where` is what the user calls it.

    Raises:
        CompileError: where it cannot be run, or depends on the numbers of its input.
    """
    required = _required(network)
    if len(required) > len(inputs):
        raise mistakes.several_inputs(where, [one.name for one in required])
    if alone := next((one.name for one in required if one.kind is one.KEYWORD_ONLY), None):
        raise mistakes.named_input(where, alone)
    network.eval()
    with _quiet(), _all_frames(), torch.no_grad():
        try:
            program: Any = torch.export.export(network, tuple(inputs), strict=False)
            _inline(program.graph_module)
        except Exception as error:  # whatever the user's network raises
            raise mistakes.not_traced(where, error, _last_span(error)) from error
    known: dict[str, Tensor] = {}
    given: list[str] = []
    for one in program.graph_signature.input_specs:
        if one.kind is InputKind.USER_INPUT:
            given.append(one.arg.name)
        elif one.kind in {InputKind.PARAMETER, InputKind.BUFFER, InputKind.CONSTANT_TENSOR}:
            state = program.state_dict
            known[one.arg.name] = state[one.target] if one.target in state else program.constants[one.target]
    nodes = tuple(program.graph.nodes)
    by_name = {node.name: node for node in nodes}
    last = nodes[-1]
    result = tree_unflatten(list(last.args[0]), program.call_spec.out_spec)
    calls = tuple(node for node in nodes if callable(node.target))
    return Traced(calls, known, tuple(by_name[name] for name in given), result)


def _inline(module: fx.GraphModule) -> None:
    """Put what a region says in its place, where autocast does nothing there; others keep the place of their first
    call."""
    graph = module.graph
    for region in graph.find_nodes(op="call_function", target=torch.ops.higher_order.wrap_with_autocast):
        device, _, enabled, _, body, *given = region.args
        inner: Any = module.get_submodule(body.target)
        _inline(inner)
        if enabled and device == "cpu":
            calls = inner.graph.nodes
            region.meta |= next((node.meta for node in calls if callable(node.target)), region.meta)
            continue
        placeholders = inner.graph.find_nodes(op="placeholder")
        with graph.inserting_before(region):
            made: Any = graph.graph_copy(inner.graph, dict(zip(placeholders, given, strict=True)))
        for user in [*region.users]:
            user.replace_all_uses_with(made[user.args[1]])
            graph.erase_node(user)
        graph.erase_node(region)


def _required(network: nn.Module) -> list[inspect.Parameter]:
    """What the network must be given, by position or by name."""
    alone = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    try:
        found = inspect.signature(network.forward).parameters.values()
    except (TypeError, ValueError):  # a module that is no Python: torch.export says what it is
        return []
    return [one for one in found if one.default is one.empty and one.kind not in alone]


@contextmanager
def _quiet() -> Generator[None]:
    """Without what the user's packages warn of, and what torch logs and prints of a network that it cannot record."""
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)


@contextmanager
def _all_frames() -> Generator[None]:
    """torch keeps of where a call stands the frames that are called `forward`, and a network may have other methods.
    Versions of torch that cannot be asked for the others keep to that."""
    kept = getattr(TracerBase, "_filter_traceback_frames", None)
    if kept is None:
        yield
        return

    def behind_ours(self: TracerBase, user_stack_summary: traceback.StackSummary) -> traceback.StackSummary:
        frames = [*user_stack_summary]
        first = max((i + 1 for i, frame in enumerate(frames) if frame.filename.startswith(_OURS)), default=0)
        theirs = [frame for frame in frames[first:] if not frame.filename.startswith((_TORCH, "<"))]
        return traceback.StackSummary.from_list(theirs)

    TracerBase._filter_traceback_frames = behind_ours  # pyright: ignore[reportPrivateUsage]
    try:
        yield
    finally:
        TracerBase._filter_traceback_frames = kept  # pyright: ignore[reportPrivateUsage]


def place_of(node: fx.Node) -> Place:
    """Where a call stands."""
    stack: dict[str, tuple[str, object]] = node.meta.get("nn_module_stack") or {}
    owners = tuple((_SLICE.sub(_place_in, str(path)), _class_name(kind)) for path, kind in stack.values())
    frames = [(file, int(line)) for file, line in _FRAME.findall(node.meta.get("stack_trace") or "")]
    return Place(owners, _span(frames))


def _place_in(found: re.Match[str]) -> str:
    """The place in a list of modules of one of a slice of it."""
    first, step, place = found["first"], found["step"], int(found["place"])
    return str((0 if first == "None" else int(first)) + place * (1 if step == "None" else int(step)))


def _class_name(kind: object) -> str:
    return (kind.__name__ if isinstance(kind, type) else str(kind)).rpartition(".")[2]


def _last_span(error: BaseException) -> Span | None:
    return _span([(frame.filename, frame.lineno or 1) for frame in traceback.extract_tb(error.__traceback__)])


def _span(frames: Sequence[tuple[str, int]]) -> Span | None:
    """The last line that is neither torch's nor ours."""
    theirs = [one for one in frames if not one[0].startswith((_TORCH, _OURS, "<"))]
    return next(_spans(theirs), None)


def _spans(frames: Sequence[tuple[str, int]]) -> Iterator[Span]:
    for file, number in reversed(frames):
        source = _sources.setdefault(file, Source(_shown(file), "".join(linecache.getlines(file))))
        lines = source.text.splitlines(keepends=True)
        if 0 < number <= len(lines):
            line = lines[number - 1]
            start = sum(map(len, lines[: number - 1])) + len(line) - len(line.lstrip())
            yield Span(source, start, start + max(1, len(line.strip())))


def _shown(file: str) -> str:
    """A path as the user would write it."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file
