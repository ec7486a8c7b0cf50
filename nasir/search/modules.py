"""Emitted source as a live module."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from torch import nn

from nasir.diagnostics import CompileError, Diagnostic


def network_class(path: Path) -> type[nn.Module]:
    """The network in an emitted file: the last module class that it defines.

    Raises:
        CompileError: where the file cannot be run, or defines no module.
    """
    name = f"nasir_emitted_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise CompileError(Diagnostic("E0703", f"`{path}` is no Python file"))
    module = importlib.util.module_from_spec(spec)
    writes_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # no __pycache__ beside the user's file
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever a file of the user's raises when it is run
        raise CompileError(Diagnostic("E0703", f"`{path}` cannot be run: {error!r}")) from error
    finally:
        sys.dont_write_bytecode = writes_bytecode
    return _last_module_class(module, path)


def _last_module_class(module: ModuleType, path: Path) -> type[nn.Module]:
    classes = [
        thing
        for thing in vars(module).values()
        if isinstance(thing, type) and issubclass(thing, nn.Module) and thing.__module__ == module.__name__
    ]
    if not classes:
        raise CompileError(Diagnostic("E0703", f"`{path}` defines no torch.nn.Module"))
    return classes[-1]
