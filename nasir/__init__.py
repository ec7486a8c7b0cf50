"""nasir: a compiler for neural architecture search spaces.

A `.nas` file describes a space of networks; nasir compiles it to a masked supernet (DMaskingNAS of FBNetV2, Wan et
al., CVPR 2020), searches it within a budget, and emits the network it finds as one standalone PyTorch file.
"""

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasir.api import Space, emit, load, supernet
from nasir.diagnostics import CompileError, Diagnostic

if TYPE_CHECKING:
    from collections.abc import Callable

    from nasir.runs.run import Result
    from nasir.searching.own_loop import Bounds
    from nasir.supernets import Supernet, SupernetOutput

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
    data: str = "",
    out: "str | Path | None" = None,
    *,
    loss: "Callable[[Any, Any], Any] | str | None" = None,
    quiet: bool = False,
    **options: Any,
) -> "Result":
    """Search a space, derive the network it finds, emit it, and train it; everything into the run folder `out`. It is
    `nasir search`: the same options give the same files.

    `options` are those of the command line (`nasir.runs.request.Request`): `bound` and `set` are lists of texts as
    there, `["macs <= 20M"]`, `["epochs=30"]`; `seed`, `device`, `resume`, `overwrite`, `classes`, `skip_broken`,
    `synchronised`, `tensorboard`, `threads`, `teacher` and `supernet`. `loss` stands in for those of the settings: a
    name, or a function of outputs, [N, ...], and targets, as class labels, int64 [N], that gives their mean over the
    batch. A run with a function cannot be repeated from the command line.

    Raises:
        CompileError: where the space, the data, the bounds or the folder do not do.
        TypeError, ValueError: where an option is of another kind, or out of range.
    """
    from nasir.runs.request import request_of

    request = request_of(data=data, out=out, loss=loss, **options)
    loaded = space if isinstance(space, Space) else load(space)
    from nasir.runs.run import search as run_search  # imports torch
    from nasir.terminal import Terminal

    settled = replace(loaded, settings=request.settle(loaded.settings))
    request = replace(request, out=request.out or Path("runs") / loaded.name)
    return run_search(settled, request, Terminal(highlight=False, quiet=quiet))


def __getattr__(name: str) -> Any:
    """Names whose modules import torch, on demand."""
    if name in {"Supernet", "SupernetOutput"}:
        from nasir import supernets

        return getattr(supernets, name)
    if name == "__version__":
        return version("nasir")
    if name == "Bounds":
        from nasir.searching.own_loop import Bounds

        return Bounds
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
