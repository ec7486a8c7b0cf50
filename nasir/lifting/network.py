"""The network that a user names, and its input."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from nasir.data.preparation import MOST_NUMBERS
from nasir.lifting import mistakes
from nasir.named import NotNamed, named, told
from nasir.weights import read_weights

SEED = 0


@dataclass(frozen=True)
class UserNetwork:
    """A user's module in evaluation, its name, and the shape of one input."""

    name: str
    module: nn.Module
    input: tuple[int, ...]


def network(where: str, arguments: Mapping[str, Any], input: str | None, weights: Path | None) -> UserNetwork:
    """What `module:factory` or `file.py:factory` makes of the arguments: a class's or a function's network, with random
    weights of a seed, or those of a file; or a network that is there.

    Raises:
        CompileError: where there is none, it cannot be made, or its input's shape is not known.
    """
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(SEED)
        try:
            thing = named(where)
        except NotNamed as error:
            raise mistakes.no_factory(where, error) from None
        except (Exception, SystemExit) as error:  # whatever the user's code raises
            raise mistakes.not_loaded(where, told(error, __file__)) from error
        try:
            made = thing if isinstance(thing, nn.Module) and not arguments else thing(**arguments)
        except (Exception, SystemExit) as error:
            names = _arguments(thing) if isinstance(error, TypeError) else ()
            raise mistakes.not_made(where, told(error, __file__), names) from error
    if not isinstance(made, nn.Module):
        raise mistakes.no_network(where, type(made).__name__)
    _check_recordable(made, where)
    if weights is not None:
        read_weights(weights).fill(made)
    made.float()
    made.eval()  # what it returns is the user's, who may have written a `train` of their own
    return UserNetwork(where.rpartition(":")[2], made, _shape(made, where, input))


def _arguments(thing: Any) -> Sequence[str]:
    """What may be given to what makes a network, by name."""
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    try:
        return [one.name for one in inspect.signature(thing).parameters.values() if one.kind in kinds]
    except (TypeError, ValueError):
        return ()


def _check_recordable(module: nn.Module, where: str) -> None:
    of_script: type[nn.Module] = torch.jit.ScriptModule  # pyright: ignore[reportUnknownMemberType,reportUnknownVariableType]
    found = cast("Iterator[tuple[str, nn.Module]]", module.named_modules())
    for name, one in found:
        if isinstance(one, of_script):
            raise mistakes.scripted(where, name)
        if any(map(is_lazy, one.parameters(recurse=False))):
            raise mistakes.not_begun(where, name)


def _shape(module: nn.Module, where: str, written: str | None) -> tuple[int, ...]:
    """The shape of one input: as it is written, `3x224x224`, else as timm's networks say themselves."""
    if written is not None:
        parts = written.split("x")
        if not all(part.isdigit() and int(part) > 0 for part in parts) or len(parts) > 3:
            raise mistakes.no_shape(written)
        return _not_too_large(list(map(int, parts)))
    for name in ("pretrained_cfg", "default_cfg"):
        said: Any = getattr(module, name, None)
        size: Any = cast("Any", said).get("input_size") if isinstance(said, dict) else getattr(said, "input_size", None)
        if isinstance(size, (tuple, list)):
            return _not_too_large(list(map(int, cast("tuple[int, ...]", size))))
    raise mistakes.shape_missing(where)


def _not_too_large(shape: list[int]) -> tuple[int, ...]:
    if prod(shape) > MOST_NUMBERS:
        raise mistakes.too_large(shape, MOST_NUMBERS)
    return tuple(shape)
