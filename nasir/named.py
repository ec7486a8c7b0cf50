"""What a user names on a command line as `python:module:function`: code, which nothing else may name."""

import importlib
import os
import sys
import traceback
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType

PYTHON = "python:"
"""What such a name begins with."""


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
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename not in {__file__, *ours}]
    theirs = [f for f in frames if not f.filename.startswith("<") and "site-packages" not in Path(f.filename).parts]
    where = f" ({theirs[-1].filename}, line {theirs[-1].lineno})" if theirs else ""
    return f"{type(error).__name__}: {error}{where}"
