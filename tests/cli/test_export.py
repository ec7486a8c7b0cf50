"""`nasir export` as a user runs it."""

import json
import os

import pytest

from tests.processes import nasir

NETWORK = """
space net(classes = 3) {
  y = image(1, size=8) -> conv(3, {4, 8}, stride=2) -> bn -> relu
  return y -> global_avg_pool -> linear(classes)
}
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "net.nas").write_text(NETWORK, encoding="utf-8")
    return tmp_path


def test_a_table_and_a_folder(files):
    done = nasir("export", "net.nas", "--largest", "--to", "onnx", "-o", "out", cwd=files)
    assert (done.returncode, done.stderr) == (0, "")
    assert "outputs are off, batch 16" in done.stdout
    assert "out/model.onnx: float32; on normal noise, seed 0: no data are named" in done.stdout
    assert sorted(os.listdir(files / "out")) == ["export.json", "model.onnx"]


def test_json_is_the_record(files):
    done = nasir("export", "net.nas", "--smallest", "--to", "onnx", "-o", "out", "--json", cwd=files)
    assert json.loads(done.stdout) == json.loads((files / "out" / "export.json").read_text())


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["net.nas", "--to", "onnx"], 2, "'-o'"),
        (["net.nas", "--to", "onnx", "-o", "out"], 1, "E0604"),
        (["net.nas", "--to", "onxx", "-o", "out"], 1, "E0957"),
        (["net.nas", "--smallest", "--to", "onnx", "--dtype", "int4", "-o", "out"], 2, "float32"),
        (["net.nas", "--smallest", "--to", "onnx", "--dtype", "int8", "-o", "out"], 1, "E0954"),
        (["nowhere.nas", "--to", "onnx", "-o", "out"], 1, "E0701"),
        (["nowhere.py", "--to", "onnx", "-o", "out"], 1, "E0702"),
        ([".", "--to", "onnx", "-o", "out"], 1, "E0912"),
        ([".", "--largest", "--to", "onnx", "-o", "out"], 1, "E0958"),
        (["net.nas", "--smallest", "--to", "onnx", "-o", "net.nas"], 1, "E0903"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_written(files, arguments, status, words):
    done = nasir("export", *arguments, cwd=files)
    assert done.returncode == status
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert os.listdir(files) == ["net.nas"]
