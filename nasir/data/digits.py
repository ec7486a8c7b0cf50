"""The 1,797 handwritten 8x8 digits that ship with scikit-learn (UCI, CC BY 4.0); a fifth of each are test images."""

from dataclasses import replace

import numpy as np
import torch

from nasir.data import mistakes
from nasir.data.base import SPLIT_SEED, STRATIFIED, TEST_SHARE, DataSet, stratified
from nasir.data.forms import Input, check_input
from nasir.data.memory import in_memory

_SIZE = 8
_MOST = 16  # of a pixel


def load_digits(rest: str, input: Input | None, skip: bool = False) -> DataSet:
    """The digits, resized where the network takes another size.

    Raises:
        CompileError: where they are not installed, or the network takes something else than grey images.
    """
    try:
        from sklearn.datasets import load_digits as load  # pyright: ignore[reportUnknownVariableType]
    except ImportError:
        raise mistakes.no_digits() from None
    if rest:
        raise mistakes.takes_no_folder("digits", rest)
    check_input(input, (1, _SIZE, _SIZE), "digits")
    pixels, target = load(return_X_y=True)  # pyright: ignore[reportUnknownVariableType]
    images = torch.from_numpy(np.asarray(pixels, dtype=np.uint8)).reshape(-1, 1, _SIZE, _SIZE)  # pyright: ignore[reportUnknownArgumentType]
    labels = torch.from_numpy(np.asarray(target, dtype=np.int64))  # pyright: ignore[reportUnknownArgumentType]
    test, train = stratified(labels, TEST_SHARE, SPLIT_SEED)
    data = in_memory("digits", [(images[part], labels[part]) for part in (train, test)], _MOST, input)
    return replace(data, split=STRATIFIED)
