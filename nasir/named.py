"""What a user names on a command line as `module:function` or `file.py:function`: code, which nothing else may name."""

import importlib
import os
import sys
import traceback
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from nasir.diagnostics import closest
from nasir.files import Unreadable, read_regular

PYTHON = "python:"
"""What such a name begins with."""


class NotNamed(Exception):
    """There is nothing of that name: why, as the end of a sentence, and what may help."""

    def __init__(self, why: str, *hints: str) -> None:
        super().__init__(why)
        self.why, self.hints = why, hints


def named(text: str) -> Any:
    """What a module, or a file, has under a name: `my_data:load`, `my_data.py:load`.

    Raises:
        NotNamed: where it is not there.
        Exception: whatever the user's code raises as it is loaded.
    """
    place, _, name = text.rpartition(":")
    if not (place and name):
        raise NotNamed("a module, or a file, and a name in it are two, with a colon between")
    try:
        module = _module_of(Path(place)) if place.endswith(".py") else module_named(place)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{place}.".startswith(f"{error.name}."):
            raise  # another module, which theirs imports
        hint = f"name the module as `import` does, or its file, `{place.rpartition('.')[2]}.py:{name}`"
        raise NotNamed(f"there is no module `{error.name}` in this folder, nor among those installed", hint) from None
    except Unreadable as error:
        raise NotNamed(f"`{place}` cannot be read: {error}") from None
    try:
        return getattr(module, name)
    except AttributeError:
        raise NotNamed(f"`{place}` has no `{name}`", *closest(name, vars(module))) from None


def _module_of(path: Path) -> ModuleType:
    """The module that a file is; it finds what lies beside it, after the modules that are installed."""
    source = read_regular(path)
    module = ModuleType(path.stem)
    module.__file__ = str(path)
    sys.modules.setdefault(path.stem, module)  # where a dataclass looks for its module
    sys.path.append(str(path.parent))
    exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)
    return module


def module_named(name: str) -> ModuleType:
    """The module that the user named. The current folder comes last among those that Python looks in for modules, so
    that no file of it stands in for one that nobody named; but what is named is looked for here first."""
    here = os.getcwd()
    if here not in sys.path:
        sys.path.append(here)
    top = name.partition(".")[0]
    if top not in sys.modules and (spec := PathFinder.find_spec(top, [here])) is not None and spec.loader is not None:
        module = module_from_spec(spec)
        sys.modules[top] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[top]
            raise
    return importlib.import_module(name)


def name_of(thing: object) -> str:
    """What a function that was given in Python is called, or an object by its class."""
    named = thing if hasattr(thing, "__qualname__") else type(thing)
    return f"{named.__module__}.{named.__qualname__}"  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


def told(error: BaseException, *ours: str) -> str:
    """An error of the user's code, and the last line of theirs on the way to it; `ours` are files of nasir's."""
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {error.msg} ({error.filename}, line {error.lineno})"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename not in {__file__, *ours}]
    theirs = [f for f in frames if not f.filename.startswith("<") and "site-packages" not in Path(f.filename).parts]
    where = f" ({theirs[-1].filename}, line {theirs[-1].lineno})" if theirs else ""
    return f"{type(error).__name__}: {error}{where}"
