"""Files of weights that users name."""

import pickle

import pytest
import torch
from safetensors.torch import save

from nasir.diagnostics import CompileError
from nasir.weights import first_difference, read_weights


def test_a_file_is_read_however_its_header_begins(tmp_path):
    """A header's length comes first: it may look like what a pickle begins with."""
    path, beginnings = tmp_path / "w.safetensors", set()
    for extra in range(256):
        path.write_bytes(data := save({"w": torch.arange(3.0)}, {"note": "x" * extra}))
        beginnings.add(data[:1])
        found = read_weights(path)
        assert len(found.digest) == 64
        assert found.tensors["w"].tolist() == [0.0, 1.0, 2.0]
        assert found.metadata == {"note": "x" * extra}
    assert b"\x80" in beginnings


def test_files_of_torch_save_are_told_from_damaged_ones(tmp_path):
    state = {"state_dict": {"w": torch.zeros(1)}}
    for name, data in (
        ("whole.pt", None),
        ("old.pt", pickle.dumps(state)),
        ("cut.safetensors", save({"w": torch.zeros(8)})[:-4]),
        ("empty.safetensors", b""),
    ):
        path = tmp_path / name
        torch.save(state, path) if data is None else path.write_bytes(data)
        with pytest.raises(CompileError) as raised:
            read_weights(path)
        (told,) = raised.value.diagnostics
        assert told.code == "E0932"
        assert ("torch.save" in told.message) == (path.suffix == ".pt")
        assert path.suffix != ".pt" or f'torch.load("{path}"' in told.hints[0]


def test_what_differs_first_is_told_in_few_words():
    with pytest.raises(RuntimeError) as raised:
        torch.nn.Linear(2, 2).load_state_dict({"weight": torch.zeros(2, 2)})
    assert first_difference(raised.value) == 'Missing key(s) in state_dict: "bias".'
    with pytest.raises(RuntimeError) as raised:
        torch.nn.Linear(2, 2).load_state_dict({f"layer_{i}": torch.zeros(1) for i in range(99)})
    assert len(first_difference(raised.value)) < 220
    assert first_difference(RuntimeError("")) == "RuntimeError"
    assert first_difference(RuntimeError("first\nsecond")) == "first"
