"""Emitted source as a live module."""

import ast
import re
from pathlib import Path
from types import ModuleType

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from nasir.diagnostics import CompileError, Diagnostic
from nasir.files import Unreadable, read_regular
from nasir.search.data import DataSet, Input

_MOST_SOURCE = 2**24  # bytes


def source_of(path: Path) -> bytes:
    """The text of a Python file, which says itself how it is encoded.

    Raises:
        CompileError: where it cannot be read.
    """
    try:
        return read_regular(path, _MOST_SOURCE)
    except Unreadable as error:
        raise CompileError(Diagnostic("E0702", f"`{path}` cannot be read: {error}")) from None


def network_class(path: Path, source: bytes | str | None = None) -> type[nn.Module]:
    """The network that a file defines, or that `source` would define in its place: its last module class.

    It is compiled from this text alone. Python's own loader would run bytecode that lies in `__pycache__` beside the
    file in its place, whoever put it there.

    Raises:
        CompileError: where it cannot be read or run, or defines no module.
    """
    source = source_of(path) if source is None else source
    module = ModuleType(f"nasir_emitted_{path.stem}")
    module.__file__ = str(path)
    try:
        exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)
    except (Exception, SystemExit) as error:  # whatever a file of the user's raises when it is run
        raise CompileError(Diagnostic("E0703", f"`{path}` cannot be run: {error!r}")) from error
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


def made(path: Path, source: bytes | str) -> nn.Module:
    """The module of a file's source, made as an emitted one is: without arguments.

    Raises:
        CompileError: where that cannot be.
    """
    try:
        return network_class(path, source)()
    except CompileError:
        raise
    except Exception as error:  # whatever a class of the user's raises
        message = f"the network of `{path}` cannot be made without arguments: {error}"
        raise CompileError(Diagnostic("E0703", message)) from error


def checked(module: nn.Module, path: Path, data: DataSet) -> int:
    """The module's multiply-adds for one image.

    Raises:
        CompileError: where it does not take the data's images, or does not tell their classes apart.
    """
    if not any(parameter.requires_grad for parameter in module.parameters()):
        raise CompileError(Diagnostic("E0703", f"the network of `{path}` has no weights to train"))
    image, _ = next(data.train.batches([torch.tensor([0])], 0))
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            logits = module.eval()(image)
    except Exception as error:  # whatever a module of the user's raises
        hint = f"the images of `{data.name}` are {list(image.shape[1:])}"
        raise CompileError(Diagnostic("E0802", f"`{path}` does not take the images: {error}", hints=(hint,))) from None
    if getattr(logits, "shape", None) != (1, data.classes):
        message = f"`{path}` does not tell the {data.classes} classes of `{data.name}` apart"
        raise CompileError(Diagnostic("E0802", message))
    return int(counter.get_total_flops()) // 2


def written_input(source: bytes) -> Input | None:
    """What an emitted file's network takes, by the file's docstring; None where it does not say."""
    text = ast.get_docstring(ast.parse(source)) or ""
    found = re.search(r"images of shape \[N, (\d+), (\d+), \2\]", text)
    return Input(int(found[1]), int(found[2])) if found else None
