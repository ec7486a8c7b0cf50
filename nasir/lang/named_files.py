"""Files that sections name, `latency("pi4.json")` and `init = "net.safetensors"`: looked up as imports are, read when
they are asked for."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from nasir.cost.profile import Profile, read_profile
from nasir.cost.registry import described
from nasir.cost.tabled import Tabled
from nasir.diagnostics import CompileError, Source, Span
from nasir.lang import syntax as s
from nasir.lang.imports import Module, located, roots_of
from nasir.lang.mistakes import Mistake
from nasir.lang.objectives import Objective


def costs_of_files(module: Module, objective: Objective) -> tuple[Tabled, ...]:
    """The costs of device files that an objective of the module's space has, each with its table.

    Raises:
        CompileError: where a file is not there, or is no device file.
    """
    return tuple(_read(module, objective))


def weights_file(module: Module, path: str) -> Path:
    """The file of weights that a section names.

    Raises:
        CompileError: where it is not there, or outside of where a program may read.
    """
    return _file(module, path, "*.safetensors")[0]


def files_of(costs: tuple[Tabled, ...]) -> Mapping[str, Profile]:
    """The device files of costs, by the paths that the program names them by."""
    return {cost.path: cost.table for cost in costs}


def _read(module: Module, objective: Objective) -> Iterator[Tabled]:
    profiles: dict[str, Profile] = {}
    for name in objective.costs:
        cost = described(name)
        if not isinstance(cost, Tabled):
            continue
        place, span = _file(module, cost.path, "*.json")
        try:
            if cost.path not in profiles:
                profiles[cost.path] = read_profile(place)
        except CompileError as error:
            raise CompileError([replace(one, span=span) for one in error.diagnostics]) from None
        yield type(cost)(cost.path, profiles[cost.path], cost.quantile, span)


def _file(module: Module, path: str, kind: str) -> tuple[Path, Span]:
    """Where a file is, and where it is named: beside the program; where an option names it, which has a text of its
    own, else in the current folder. `kind` is the pattern of such files' names.

    Raises:
        CompileError: where it is not there, or outside of where a program may read.
    """
    folder, where = module.path.parent, "beside this file"
    written = _written(module, path)
    if written is None:
        text = json.dumps(path, ensure_ascii=False)
        written = s.String(Span(Source("command line", text), 0, len(text)), path)
        where = "beside the program, in the current folder"
        folder = folder if (folder / path).is_file() else Path.cwd()
    try:
        return located(folder, roots_of(folder), written, kind, where), written.span
    except Mistake as mistake:
        raise CompileError(mistake.diagnostic) from None


def _written(module: Module, path: str) -> s.String | None:
    """The path where the program writes it; None where it does not."""
    sections = tuple(item for item in module.tree.items if isinstance(item, (s.Objective, s.Settings)))
    return next((tree for tree in s.walk(sections) if isinstance(tree, s.String) and tree.value == path), None)
