"""`idx:DIR`: the four files of MNIST and its likes, plain or gzipped (http://yann.lecun.com/exdb/mnist/)."""

import gzip
import hashlib
import math
import os
import zlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from nasir.data import mistakes
from nasir.data.base import DataSet, check_labels
from nasir.data.forms import Input, check_input
from nasir.data.memory import in_memory

_UNSIGNED_BYTES = 8


def load_idx(path: str, input: Input | None, skip: bool = False) -> DataSet:
    """`DIR/train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, and the same of `t10k`, each plain or `.gz`.

    Raises:
        CompileError: where a file is missing, damaged, empty or no such file, or a label names no class.
    """
    root = Path(path)
    if not path or not os.path.isdir(root):
        raise mistakes.no_data_folder(path, "idx", "train-images-idx3-ubyte.gz and its three companions")
    images, labels = _part(root, "train")
    check_input(input, (1, *images.shape[1:]), f"idx:{root.name}")
    tests, test_labels = _part(root, "t10k")
    found = torch.from_numpy(labels.astype(np.int64)), torch.from_numpy(test_labels.astype(np.int64))
    where = f"`{_path(root, 'train-labels', 1)}`", f"`{_path(root, 't10k-labels', 1)}`"
    check_labels(found, where, all_tested=True)
    parts = [(torch.from_numpy(x).unsqueeze(1), y) for x, y in zip((images, tests), found, strict=True)]
    digest = hashlib.sha256(b"".join(part.tobytes() for part in (images, labels, tests, test_labels))).hexdigest()
    return in_memory(f"idx:{root.name}", parts, 255, input, digest)


def _part(root: Path, name: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images [N, H, W] and labels [N]."""
    images, labels = _array(root, f"{name}-images", 3), _array(root, f"{name}-labels", 1)
    if len(images) != len(labels):
        raise mistakes.other_count(root, name, len(images), len(labels))
    return images, labels


def _path(root: Path, name: str, dimensions: int) -> Path:
    names = [f"{name}{dash}idx{dimensions}-ubyte{gz}" for gz in ("", ".gz") for dash in "-."]
    path = next((root / n for n in names if os.path.isfile(root / n)), None)
    if path is None:
        raise mistakes.no_idx_file(root, (names[0], names[2]))
    return path


def _array(root: Path, name: str, dimensions: int) -> NDArray[np.uint8]:
    """An IDX file of unsigned bytes: two zeros, the type, the number of dimensions, each dimension, the data."""
    path = _path(root, name, dimensions)
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise mistakes.damaged_idx_file(path, f"cannot be read: {error}") from None
    header = 4 + 4 * dimensions
    if len(data) < header or data[:4] != bytes((0, 0, _UNSIGNED_BYTES, dimensions)):
        wrong = f"is no IDX file of bytes in {dimensions} dimension{'s' * (dimensions > 1)}"
        raise mistakes.damaged_idx_file(path, wrong)
    shape = tuple(int(n) for n in np.frombuffer(data[4:header], dtype=">u4"))
    content = np.frombuffer(data[header:], dtype=np.uint8)
    if content.size != math.prod(shape):
        raise mistakes.damaged_idx_file(path, f"is cut off: {content.size:,} bytes of {math.prod(shape):,}")
    if not content.size:
        raise mistakes.damaged_idx_file(path, f"holds nothing: {' x '.join(map(str, shape))}")
    return content.reshape(shape).copy()
