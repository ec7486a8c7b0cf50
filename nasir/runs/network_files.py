"""Files of networks that a user gives to train."""

import ast
import re
from pathlib import Path

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from nasir.data import DataSet, Input
from nasir.diagnostics import CompileError
from nasir.execution import measured, network_class
from nasir.runs import mistakes
from nasir.searching.fitting import Output


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
        raise mistakes.not_made(path, error) from error


def checked(module: nn.Module, path: Path, data: DataSet) -> tuple[dict[str, int], Output]:
    """The module's standard costs, as torch counts them for one input, and its output.

    Raises:
        CompileError: where it does not take the data's inputs, or gives no tensor of an output for each.
    """
    if not any(parameter.requires_grad for parameter in module.parameters()):
        raise mistakes.nothing_to_train(path)
    image, _ = next(data.train.batches([torch.tensor([0])], 0))
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            output = module.eval()(image)
    except Exception as error:  # whatever a module of the user's raises
        raise mistakes.images_not_taken(path, error, data.name, image.shape[1:]) from None
    if not isinstance(output, torch.Tensor) or output.dim() < 2 or len(output) != 1:
        raise mistakes.no_output(path)
    return measured(counter, module), Output(tuple(output.shape[1:]), f"the output of `{path}`")


def written_input(source: bytes) -> Input | None:
    """What an emitted file's network takes, by the file's docstring; None where it does not say."""
    text = ast.get_docstring(ast.parse(source)) or ""
    found = re.search(r"(?:images|sequences|vectors) of shape \[N, (\d+(?:, \d+){0,2})\]", text)
    channels, *sizes = map(int, found[1].split(", ")) if found else (0,)
    return Input(channels, tuple(sizes)) if found else None
