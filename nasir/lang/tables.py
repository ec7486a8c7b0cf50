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
from nasir.lang.mistakes import Mistake
from nasir.lang.modules import Module, located, roots_of
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
    try:
        return located(module.path.parent, roots_of(module.path), _written(module, path)[0], "*.safetensors")
    except Mistake as mistake:
        raise CompileError(mistake.diagnostic) from None


def files_of(costs: tuple[Tabled, ...]) -> Mapping[str, Profile]:
    """The device files of costs, by the paths that the program names them by."""
    return {cost.path: cost.table for cost in costs}


def _read(module: Module, objective: Objective) -> Iterator[Tabled]:
    profiles: dict[str, Profile] = {}
    for name in objective.costs:
        cost = described(name)
        if not isinstance(cost, Tabled):
            continue
        written, is_given = _written(module, cost.path)
        try:
            if cost.path not in profiles:
                profiles[cost.path] = read_profile(_located(module, written, is_given=is_given))
        except Mistake as mistake:
            raise CompileError(mistake.diagnostic) from None
        except CompileError as error:
            raise CompileError([replace(one, span=written.span) for one in error.diagnostics]) from None
        yield type(cost)(cost.path, profiles[cost.path], cost.quantile, written.span)


def _located(module: Module, written: s.String, *, is_given: bool) -> Path:
    """Where a device file is: one that an option names is looked up in the current folder too.

    Raises:
        Mistake: where there is none.
    """
    beside = module.path.parent / written.value
    if is_given and not beside.is_file():
        return located(Path.cwd(), roots_of(Path.cwd() / "option"), written, "*.json", "beside the program, here")
    return located(module.path.parent, roots_of(module.path), written, "*.json")


def _written(module: Module, path: str) -> tuple[s.String, bool]:
    """The path where the program writes it; one that an option gives, which is told, has a text of its own."""
    sections = tuple(item for item in module.tree.items if isinstance(item, (s.Objective, s.Settings)))
    trees = s.walk(sections)
    found = next((tree for tree in trees if isinstance(tree, s.String) and tree.value == path), None)
    if found is not None:
        return found, False
    text = json.dumps(path, ensure_ascii=False)
    return s.String(Span(Source("--bound", text), 0, len(text)), path), True
