"""The 1,797 handwritten 8x8 digits that ship with scikit-learn (UCI, CC BY 4.0); every fifth is a test image."""

import numpy as np
import torch

from nasir.diagnostics import CompileError, Diagnostic
from nasir.search.data.base import SPLIT_SEED, TEST_SHARE, DataSet, Input, check_channels
from nasir.search.data.memory import TensorSplit

_SIZE = 8


def load_digits(rest: str, input: Input | None, skip: bool = False) -> DataSet:
    """The digits, resized where the network takes another size.

    Raises:
        CompileError: where they are not installed, or the network takes coloured images.
    """
    try:
        from sklearn.datasets import load_digits as load  # pyright: ignore[reportUnknownVariableType]
    except ImportError:
        hint = "pip install 'nasir[digits]'"
        raise CompileError(Diagnostic("E0801", "the digits come with scikit-learn", hints=(hint,))) from None
    if rest:
        raise CompileError(Diagnostic("E0801", f"`digits` takes no folder, and has `{rest}`"))
    check_channels(input, 1, f"write `image(1, size={_SIZE})`")
    pixels, target = load(return_X_y=True)  # pyright: ignore[reportUnknownVariableType]
    images = torch.from_numpy(np.asarray(pixels, dtype=np.uint8)).reshape(-1, 1, _SIZE, _SIZE)  # pyright: ignore[reportUnknownArgumentType]
    labels = torch.from_numpy(np.asarray(target, dtype=np.int64))  # pyright: ignore[reportUnknownArgumentType]
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(SPLIT_SEED))
    images, labels = images[order], labels[order]
    tests = len(labels) // TEST_SHARE
    mean, std = float(images[tests:].float().mean()), float(images[tests:].float().std())
    every = TensorSplit(images, labels, mean, std, input and input.size)
    numbers = torch.arange(len(labels))
    return DataSet("digits", 10, every.take(numbers[tests:]), every.take(numbers[:tests]), (mean,), (std,))
