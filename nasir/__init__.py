"""nasir: a compiler for neural architecture search spaces.

A `.nas` file describes a space of networks; nasir compiles it to a masked supernet (DMaskingNAS of FBNetV2, Wan et
al., CVPR 2020), searches it within a budget, and emits the network it finds as one standalone PyTorch file.
"""

import operator
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasir.api import Space, emit, load, supernet
from nasir.diagnostics import CompileError, Diagnostic

if TYPE_CHECKING:
    from nasir.runs.run import Result
    from nasir.searching.own_loop import Bounds
    from nasir.supernets import Supernet, SupernetOutput

__version__ = "0.1.0"

__all__ = [
    "Bounds",
    "CompileError",
    "Diagnostic",
    "Space",
    "Supernet",
    "SupernetOutput",
    "emit",
    "load",
    "search",
    "supernet",
]


def search(
    space: "Space | str | Path",
    data: str = "digits",
    out: "str | Path | None" = None,
    *,
    bound: Sequence[str] = (),
    set: Sequence[str] = (),
    quiet: bool = False,
    **options: Any,
) -> "Result":
    """Search a space, derive the network it finds, emit it, and train it; everything into the run folder `out`. It is
    `nasir search`: the same options give the same files.

    `bound` and `set` are texts as on the command line, `"macs <= 20M"`, `"epochs=30"`; `options` are `seed`, `device`,
    `resume`, `overwrite`, `classes`, `skip_broken`, `synchronised`, `tensorboard` and `threads`.

    Raises:
        CompileError: where the space, the data, the bounds or the folder do not do.
        TypeError, ValueError: where an option is of another kind, or out of range.
    """
    if isinstance(bound, str) or isinstance(set, str):
        raise TypeError('`bound` and `set` are lists of texts: set=["epochs=30"]')
    if out is not None and not str(out):
        raise ValueError("the run folder has no name")
    if options.get("resume") and options.get("overwrite"):
        raise ValueError("one of `resume` and `overwrite`")
    for name in ("seed", "threads"):
        if options.get(name) is not None:
            options[name] = _whole(name, options[name])
    if options.get("classes") is not None:
        options["classes"] = str(options["classes"])
    from nasir.lang.settings import override, with_bounds
    from nasir.runs.plan import Request
    from nasir.runs.run import search as run_search  # imports torch
    from nasir.terminal import Terminal

    loaded = space if isinstance(space, Space) else load(space)
    settled = replace(loaded, settings=override(with_bounds(loaded.settings, list(bound)), list(set)))
    folder = Path(out) if out is not None else Path("runs") / loaded.name
    given = {"set": list(set), "bound": list(bound)}
    request = Request(data, folder, given=given, **options)
    return run_search(settled, request, Terminal(highlight=False, quiet=quiet))


def _whole(name: str, value: Any) -> int:
    least, most = {"seed": (0, 2**31 - 1), "threads": (1, 1_024)}[name]
    number = operator.index(value)
    if not least <= number <= most:
        raise ValueError(f"`{name}` is a whole number from {least} to {most:,}, not {number}")
    return number


def __getattr__(name: str) -> Any:
    """Names whose modules import torch, on demand."""
    if name in {"Supernet", "SupernetOutput"}:
        from nasir import supernets

        return getattr(supernets, name)
    if name == "Bounds":
        from nasir.searching.own_loop import Bounds

        return Bounds
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
