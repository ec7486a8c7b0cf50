"""Class folders of `wav` files."""

import numpy as np
import pytest
import torch

import nasir
from nasir.data import Input, batches, load_data
from nasir.data.prepared import prepared_as

soundfile = pytest.importorskip("soundfile")
RATE = 800


def write(path, length=100, rate=RATE, channels=1, level=0.5):
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.full((length, channels), level, dtype=np.float32)
    samples[:, 1:] = 0
    soundfile.write(path, samples, rate, subtype="FLOAT")


@pytest.fixture
def folder(tmp_path):
    for name, level in (("high", 0.5), ("low", -0.5)):
        for i in range(10):
            write(tmp_path / name / f"{i}.wav", 60 + 10 * i, level=level)
    return tmp_path


def test_recordings_are_cut_or_filled_up_and_have_their_folder_s_class(folder):
    data = load_data(f"folder:{folder}", Input(1, (100,)))
    assert (data.names, data.kind, len(data.train), len(data.test)) == (("high", "low"), "signals", 16, 4)
    for signals, labels in batches(data.train, 4, 0, 0):
        assert signals.shape == (4, 1, 100)
        assert torch.equal(signals[:, 0, 0] < 0, labels == 1)
    lengths = {
        int((signal != 0).sum()) for signal, _ in [*data.train.batches([torch.tensor([i]) for i in range(16)], 0)]
    }
    assert lengths <= {60, 70, 80, 90, 100}
    assert max(lengths) == 100


def test_a_network_of_one_channel_hears_the_mean(folder):
    write(folder / "high" / "stereo.wav", channels=2)
    data = load_data(f"folder:{folder}", Input(1, (50,)))
    (level,) = {float(x) for x in data.preparation.read(str(folder / "high" / "stereo.wav")).flatten()}
    assert level == 0.25
    with pytest.raises(nasir.CompileError, match=r"E0848: .*2 channels, and `.*wav` has 1"):
        load_data(f"folder:{folder}", Input(2, (50,)))


def test_what_is_wrong_names_the_file(folder):
    write(folder / "low" / "odd.wav", rate=RATE * 2)
    with pytest.raises(nasir.CompileError, match=r"E0847: `.*odd.wav` has 1,600 samples a second, and `.*` has 800"):
        load_data(f"folder:{folder}", Input(1, (50,)))
    (folder / "low" / "odd.wav").write_bytes(b"no sound")
    data = load_data(f"folder:{folder}", Input(1, (50,)))
    part = next(part for part in (data.train, data.test) if any("odd" in name for name in part.file_names()))
    with pytest.raises(nasir.CompileError, match=r"E0805: `.*odd.wav` cannot be read"):
        list(part.batches([torch.arange(len(part))], None))
    data = load_data(f"folder:{folder}", Input(1, (50,)), skip_broken=True)
    assert sum(len(y) for _, y in batches(data.train, len(data.train), 0, 0)) == len(data.train)
    with pytest.raises(nasir.CompileError, match=r"E0846: .*length of the network's signals is undecided"):
        load_data(f"folder:{folder}", Input(1, (50,), decided=False))
    for path in (folder / "high").iterdir():
        path.unlink()
    with pytest.raises(nasir.CompileError, match=r"E0818: .*has no recordings"):
        load_data(f"folder:{folder}", Input(1, (50,)))


def test_deploy_json_prepares_a_recording_as_the_training_did(folder):
    data = load_data(f"folder:{folder}", Input(1, (80,)))
    again, names = prepared_as(data.preparation.as_json(data.names))
    assert names == ["high", "low"]
    file = str(folder / "low" / "3.wav")
    assert (again.read(file) == data.preparation.read(file)).all()
    assert again.shape == (1, 80)
