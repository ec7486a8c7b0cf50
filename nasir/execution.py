"""Source text as a live module, and the proof that what is emitted runs."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, cast

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from nasir import mistakes
from nasir.api import Space, emit
from nasir.cost.base import Counters
from nasir.cost.registry import COSTS, STANDARD
from nasir.files import Unreadable, read_regular
from nasir.named import told

_MOST_SOURCE = 2**24  # bytes


def source_of(path: Path) -> bytes:
    """The text of a Python file, which says itself how it is encoded.

    Raises:
        CompileError: where it cannot be read.
    """
    try:
        return read_regular(path, _MOST_SOURCE)
    except Unreadable as error:
        raise mistakes.unreadable(path, error) from None


def network_class(path: Path, source: bytes | str | None = None) -> type[nn.Module]:
    """The network that a file defines, or that `source` would define in its place: the one module class that no other
    class of it uses.

    It is compiled from this text alone. Python's own loader would run bytecode that lies in `__pycache__` beside the
    file in its place, whoever put it there.

    Raises:
        CompileError: where it cannot be read or run, or defines no module, or several.
    """
    source = source_of(path) if source is None else source
    module = ModuleType(f"nasir_emitted_{path.stem}")
    module.__file__ = str(path)
    try:
        code = compile(source, str(path), "exec", dont_inherit=True)
        exec(code, module.__dict__)
    except (Exception, SystemExit) as error:  # whatever a file of the user's raises when it is run
        raise mistakes.source_fails(path, told(error, __file__)) from error
    classes = {
        thing.__name__: thing
        for thing in vars(module).values()
        if isinstance(thing, type) and issubclass(thing, nn.Module) and thing.__module__ == module.__name__
    }
    if not classes:
        raise mistakes.no_module(path)
    uses = _uses(code, vars(module))
    used = {inner for one in classes for inner in _reached(one, uses) if inner != one}
    found = [one for one in classes if one not in used] or [*classes][-1:]  # where each uses another, the last
    if len(found) > 1:
        raise mistakes.several_modules(path, found)
    return classes[found[0]]


def _uses(code: CodeType, names: Mapping[str, object]) -> Mapping[str, set[str]]:
    """By the names of a module's classes, functions and collections, the names that each of them uses."""
    uses: dict[str, set[str]] = {}
    for one in code.co_consts:
        if isinstance(one, CodeType):
            uses.setdefault(one.co_name, set()).update(_names_in(one))
    for name, thing in names.items():
        uses.setdefault(name, set()).update(str(getattr(item, "__name__", "")) for item in _items(thing))
    return uses


def _items(thing: Any) -> Iterable[Any]:
    """What a collection has, or a class is derived from."""
    if isinstance(thing, type):
        return thing.__bases__
    if isinstance(thing, dict):
        return cast("dict[Any, Any]", thing).values()
    return cast("list[Any]", thing) if isinstance(thing, (list, tuple)) else ()


def _names_in(code: CodeType) -> set[str]:
    inner = (one for one in code.co_consts if isinstance(one, CodeType))
    return {*code.co_names}.union(*map(_names_in, inner))


def _reached(name: str, uses: Mapping[str, set[str]]) -> set[str]:
    """All names that are used on the way from one, itself where it uses itself."""
    found: set[str] = set()
    due = [name]
    while due:
        new = uses.get(due.pop(), set()) - found
        found |= new
        due += new
    return found


def proved(network: Space, notes: Sequence[str] = ()) -> str:
    """The source of a decision-free space, after its module has run once: an image of zeros of the network's size comes
    out in the shape that the graph has, and the costs are those of the graph. `notes` are lines for its docstring.

    Raises:
        CompileError: where decisions are left, or the module does not run, which is a fault of nasir's.
    """
    source = emit(network, notes)
    try:
        wrong = _difference(network, network_class(Path(f"{network.name}.py"), source)())
    except Exception as error:  # whatever a module that is wrong raises
        wrong = f"{type(error).__name__}: {error}"
    if wrong:
        raise mistakes.emitted_wrongly(network.name, wrong)
    return source


def _difference(network: Space, module: nn.Module) -> str:
    """How a module differs from its network in shape or costs; nothing where it does not."""
    graph = network.graph
    image = graph.input.shape
    sizes = [size for size in image.values() if isinstance(size, int)]
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        result: torch.Tensor | dict[str, torch.Tensor] = module.eval()(torch.zeros(1, *sizes))
    type = graph.by_name[graph.output].shape
    results = list(result.values()) if isinstance(result, dict) else [result]
    for made, one in zip(results, type.parts or (type,), strict=True):
        expected = [1, *(n for n in one.values() if isinstance(n, int))]
        if list(made.shape) != expected:
            return f"it makes {list(made.shape)} of one input, and not {expected}"
    costs = network.costs.at({})
    found = measured(counter, module)
    different = [f"{found[name]:,} {name}, and not {costs[name]:,}" for name in found if found[name] != costs[name]]
    return ", ".join(different)


def measured(counter: FlopCounterMode, module: nn.Module) -> dict[str, int]:
    """The standard costs of a module as torch tells them, after it ran on one image under the counter."""
    counters = Counters(counter.get_total_flops(), sum(p.numel() for p in module.parameters()))
    told = {name: COSTS[name].told(counters) for name in STANDARD}
    return {name: figure for name, figure in told.items() if figure is not None}
