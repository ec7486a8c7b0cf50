"""The network that a user names, and its input."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn

from nasir.files import Unreadable, read_regular
from nasir.lifting import mistakes
from nasir.mistakes import unreadable
from nasir.named import NotNamed, named, told

SEED = 0


@dataclass(frozen=True)
class Network:
    """A user's module in evaluation, its name, and the shape of one input."""

    name: str
    module: nn.Module
    input: tuple[int, ...]


def network(where: str, arguments: Mapping[str, Any], input: str | None, weights: Path | None) -> Network:
    """What `module:factory` or `file.py:factory` makes of the arguments: a class's or a function's network, with random
    weights of a seed, or those of a file; or a network that is there.

    Raises:
        CompileError: where there is none, it cannot be made, or its input's shape is not known.
    """
    place, _, name = where.rpartition(":")
    if not (place and name):
        raise mistakes.no_factory(where)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(SEED)
        try:
            thing = named(where)
        except NotNamed as error:
            raise mistakes.no_factory(where, str(error.args[0]), error.hints) from None
        except (Exception, SystemExit) as error:  # whatever the user's code raises
            raise mistakes.not_loaded(where, told(error, __file__)) from error
        try:
            made = thing if isinstance(thing, nn.Module) and not arguments else thing(**arguments)
        except (Exception, SystemExit) as error:
            raise mistakes.not_made(where, told(error, __file__)) from error
    if not isinstance(made, nn.Module):
        raise mistakes.no_network(where, type(made).__name__)
    if weights is not None:
        _load(made, weights)
    return Network(name, made.float().eval(), _shape(made, where, input))


def _load(module: nn.Module, path: Path) -> None:
    try:
        state: dict[str, Tensor] = load(read_regular(path, None))
    except (Unreadable, SafetensorError) as error:
        raise unreadable(path, error) from None
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        lines = str(error).splitlines()
        raise mistakes.other_weights(path, " ".join(lines[1].split()) if len(lines) > 1 else str(error)) from None


def _shape(module: nn.Module, where: str, written: str | None) -> tuple[int, ...]:
    """The shape of one input: as it is written, `3x224x224`, else as timm's networks say themselves."""
    if written is not None:
        parts = written.split("x")
        if not all(part.isdigit() and int(part) > 0 for part in parts) or len(parts) > 3:
            raise mistakes.no_shape(written)
        return tuple(map(int, parts))
    for name in ("pretrained_cfg", "default_cfg"):
        said: Any = getattr(module, name, None)
        size: Any = cast("Any", said).get("input_size") if isinstance(said, dict) else getattr(said, "input_size", None)
        if isinstance(size, (tuple, list)):
            return tuple(map(int, cast("tuple[int, ...]", size)))
    raise mistakes.shape_missing(where)
