"""An export is proved, whole and alone in its folder, or there is none."""

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

import nasir
from nasir.api import emit
from nasir.cli.main import app
from nasir.diagnostics import CompileError
from nasir.exporting.formats import FORMATS
from nasir.lifting.network import UserNetwork
from nasir.lifting.program import lift
from nasir.runs import exports
from nasir.runs.exports import Order, export
from nasir.runs.request import Request
from nasir.runs.run import train_network
from nasir.runs.subjects import of_program, of_run

QUIET = Console(quiet=True)
NETWORK = """
space net(classes = 10) {
  y = image(1, size=8) -> conv(3, 8, stride=2) -> bn -> relu -> conv(3, 16) -> bn -> relu
  return y -> global_avg_pool -> linear(classes)
}
train { epochs = 4  batch = 64 }
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A network trained on the digits."""
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("exports")
    (root / "net.nas").write_text(NETWORK, encoding="utf-8")
    train_network(nasir.load(root / "net.nas"), Request("digits", root / "run"), QUIET)
    return root / "run"


@pytest.fixture
def order(tmp_path):
    return Order(FORMATS["onnx"], tmp_path / "out")


def test_a_run_is_exported_with_its_deployment_and_proved_on_its_images(run, order):
    record = export(of_run(run, "", 0), order, QUIET)
    assert sorted(os.listdir(order.out)) == ["deploy.json", "export.json", "model.onnx"]
    assert record == json.loads((order.out / "export.json").read_text())
    content = (order.out / "model.onnx").read_bytes()
    assert (record["bytes"], record["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert record["input"] == {"name": "image", "shape": ["N", 1, 8, 8], "dtype": "float32"}
    assert record["outputs"] == [{"name": "output", "shape": ["N", 10]}]
    assert record["inputs"] == "the first 16 test inputs of digits"
    assert [one["batch"] for one in record["differences"]] == [1, 16]
    assert all(one["exported"]["absolute"] <= record["tolerance"] == 1e-4 for one in record["differences"])
    facts = json.loads((order.out / "deploy.json").read_text())
    of_the_run = json.loads((run / "deploy.json").read_text())
    assert facts == {**of_the_run, "input": {**of_the_run["input"], "name": "image"}}


def test_the_file_alone_says_how_to_use_it(run, order):
    """A deployment without nasir: what the file says is enough to tell a digit as `nasir predict` does."""
    onnxruntime = pytest.importorskip("onnxruntime")
    export(of_run(run, "", 0), order, QUIET)
    session = onnxruntime.InferenceSession(str(order.out / "model.onnx"), providers=["CPUExecutionProvider"])
    told = {
        key: json.loads(text) for key, text in session.get_modelmeta().custom_metadata_map.items() if key != "network"
    }
    assert told["shape"] == ["N", 1, 8, 8]
    assert told["classes"] == told["deploy"]["classes"] == [str(i) for i in range(10)]
    pixels = np.linspace(0, 255, 64, dtype=np.float32).reshape(1, 1, 8, 8)
    image = (pixels / 255 - told["mean"][0]) / told["std"][0]
    (output,) = session.run(None, {"image": image.astype(np.float32)})
    found = of_run(run, "", 0)
    with torch.no_grad():
        expected = found.network(torch.from_numpy(image.astype(np.float32)))
    assert np.allclose(output, expected.numpy(), atol=1e-5)


def test_an_emitted_file_beside_its_weights_is_the_run(run, order):
    export(of_run(run, "", 0), order, QUIET)
    before = (order.out / "model.onnx").read_bytes()
    export(of_run(run / "model.py", "", 0), replace(order, overwrite=True), QUIET)
    assert json.loads((order.out / "export.json").read_text())["network"] == "model"
    assert len((order.out / "model.onnx").read_bytes()) - len(before) == len("model") - len("net")


def test_int8_says_what_it_is_worth(run, order):
    """The accuracy of the module is that which the run has found; that of the file is near."""
    pytest.importorskip("onnx")
    record = export(of_run(run, "", 0), replace(order, dtype="int8"), QUIET)
    accuracy = record["metrics"]["accuracy"]
    assert accuracy["float32"] == json.loads((run / "summary.json").read_text())["test_accuracy"]
    assert accuracy["int8"] > accuracy["float32"] - 0.03
    assert 1e-4 < record["differences"][0]["exported"]["relative"] < record["tolerance"] == 0.5


def test_an_int8_file_that_is_broken_is_not_left(run, order):
    class Wrong(type(FORMATS["onnx"])):
        def quantise(self, module, example, path, batches, told=None):
            self.write(torch.nn.Sequential(module, torch.nn.Tanh()), example, path, told)

    wrong = replace(order, format=Wrong(), dtype="int8")
    assert code_of(lambda: export(of_run(run, "", 0), wrong, QUIET)) == "E0953"
    assert not order.out.exists()


def test_int8_needs_data(order, compiled):
    subject = of_program(compiled(NETWORK), "", 0)
    assert code_of(lambda: export(subject, replace(order, dtype="int8"), QUIET)) == "E0954"
    assert not order.out.exists()


def test_data_that_are_named_are_those_it_is_proved_on(order, compiled):
    record = export(of_program(compiled(NETWORK), "digits", 0), replace(order, format=FORMATS["pt2"]), QUIET)
    assert record["inputs"] == "the first 16 test inputs of digits"


def test_a_program_has_torchs_weights_by_its_seed(order, compiled):
    space = compiled(NETWORK)
    digests = [
        export(of_program(space, "", seed), replace(order, overwrite=True), QUIET)["sha256"] for seed in (1, 1, 2)
    ]
    assert digests[0] == digests[1] != digests[2]
    record = json.loads((order.out / "export.json").read_text())
    assert record["inputs"] == "normal noise, seed 2: no data are named"
    assert record["weights"].startswith("torch's initialisation, seed 2")
    assert not (order.out / "deploy.json").exists()


def test_a_lifted_network_is_exported_with_its_weights(order, tmp_path):
    """All of them, by whatever names they are kept; a file of another network says what differs."""
    torch.manual_seed(3)
    module = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.ReLU()).eval()
    torch.nn.init.normal_(module[1].running_mean)
    found = lift(UserNetwork("Net", module, (1, 8, 8)), "Net")
    net, weights = tmp_path / "net.nas", tmp_path / "net.safetensors"
    net.write_text(found.text, encoding="utf-8")
    weights.write_bytes(found.weights())
    x = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    run = CliRunner().invoke
    options = ["--to", "pt2", "--overwrite", "-o", str(order.out)]
    emitted = tmp_path / "other.py"
    emitted.write_text(emit(nasir.load(net)), encoding="utf-8")
    for file in (net, emitted):
        done = run(app, ["export", str(file), "--init", str(weights), *options])
        assert done.exit_code == 0, done.output
        assert f"weights: {weights}" in " ".join(done.output.split())
        deployed = torch.export.load(order.out / "model.pt2").module()
        with torch.no_grad():
            assert torch.allclose(deployed(x), module(x), atol=1e-5)
    new = run(app, ["export", str(net), *options])
    assert f"`--init {weights}` takes those that lie beside" in " ".join(new.output.split())
    short = tmp_path / "short.safetensors"
    save_file({name: value for name, value in load_file(weights).items() if "weight" in name}, short)
    with pytest.raises(CompileError, match=r"E0907: .*does not fit the network: Missing key"):
        of_program(nasir.load(net), "", 0, short)
    for init, code in ((tmp_path / "none.safetensors", "E0932"), (emitted, "E0932"), (tmp_path, "E0932")):
        with pytest.raises(CompileError, match=code):
            of_program(nasir.load(net), "", 0, init)
    refused = run(app, ["export", str(tmp_path), "--init", str(weights), *options])
    assert "a run has weights of its own" in " ".join(refused.output.replace("│", " ").split())


def test_an_opened_network_is_exported_as_what_its_weights_are_of(order, tmp_path):
    module = torch.nn.Sequential(torch.nn.Conv2d(1, 16, 3), torch.nn.ReLU(), torch.nn.Conv2d(16, 4, 3)).eval()
    found = lift(UserNetwork("Net", module, (1, 8, 8)), "Net", ("widths",))
    net, weights = tmp_path / "net.nas", tmp_path / "net.safetensors"
    net.write_text(found.text, encoding="utf-8")
    weights.write_bytes(found.weights())
    options = ["--to", "pt2", "-o", str(order.out), "--init", str(weights)]
    assert nasir.load(net).decisions
    assert CliRunner().invoke(app, ["export", str(net), *options]).exit_code == 0
    x = torch.randn(3, 1, 8, 8)
    with torch.no_grad():
        assert torch.allclose(torch.export.load(order.out / "model.pt2").module()(x), module(x), atol=1e-5)


def test_the_run_of_the_current_folder_is_exported(run, order, monkeypatch):
    monkeypatch.chdir(run)
    assert CliRunner().invoke(app, ["export", ".", "--to", "pt2", "-o", str(order.out)]).exit_code == 0


def test_data_of_code_that_a_run_names_are_not_loaded(run, tmp_path, order):
    """A run folder is data; what its plan says is not run."""
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    for name in ("arch.nas", "model.safetensors", "deploy.json"):
        (stranger / name).write_bytes((run / name).read_bytes())
    plan = {**json.loads((run / "plan.json").read_text()), "data": "python:this:that"}
    (stranger / "plan.json").write_text(json.dumps(plan))
    record = export(of_run(stranger, "", 0), order, QUIET)
    assert "made by code: name them, `--data python:this:that`" in record["inputs"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("plan.json", b"{"),
        ("plan.json", b'{"data": "digits", "given": 3}'),
        ("plan.json", b'{"data": "idx:/nowhere"}'),
        ("deploy.json", b"[]"),
        ("deploy.json", b'{"input": 3}'),
    ],
)
def test_a_damaged_file_beside_the_network_costs_what_it_said(run, tmp_path, order, name, text):
    broken = tmp_path / "broken"
    broken.mkdir()
    for one in ("arch.nas", "model.safetensors", "deploy.json", "plan.json"):
        (broken / one).write_bytes((run / one).read_bytes())
    (broken / name).write_bytes(text)
    assert export(of_run(broken, "", 0), order, QUIET)["bytes"] > 0


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [("model.safetensors", b"{}", "E0932"), ("deploy.json", b"{", "E0926"), ("arch.nas", b"space", "E01")],
)
def test_a_damaged_network_is_refused(run, tmp_path, name, text, code):
    broken = tmp_path / "broken"
    broken.mkdir()
    for one in ("arch.nas", "model.safetensors", "deploy.json", "plan.json"):
        (broken / one).write_bytes((run / one).read_bytes())
    (broken / name).write_bytes(text)
    with pytest.raises(CompileError) as raised:
        of_run(broken, "", 0)
    assert raised.value.diagnostics[0].code.startswith(code)


def code_of(call) -> str:
    with pytest.raises(CompileError) as raised:
        call()
    return raised.value.diagnostics[0].code


def test_an_export_that_is_there_stays(run, order):
    export(of_run(run, "", 0), order, QUIET)
    before = {path.name: path.read_bytes() for path in order.out.iterdir()}
    assert code_of(lambda: export(of_run(run, "", 0), order, QUIET)) == "E0950"
    assert {path.name: path.read_bytes() for path in order.out.iterdir()} == before


def test_a_file_that_is_not_the_network_is_not_left(run, order, monkeypatch):
    class Wrong(type(FORMATS["onnx"])):
        def load(self, path, threads=1):
            runner = super().load(path, threads)
            return lambda inputs: [one + 1e-3 for one in runner(inputs)]

    wrong = replace(order, format=Wrong())
    assert code_of(lambda: export(of_run(run, "", 0), wrong, QUIET)) == "E0953"
    assert not order.out.exists()


def test_outputs_that_are_no_numbers_are_not_the_network(run, order):
    found = of_run(run, "", 0)
    with torch.no_grad():
        next(found.network.parameters()).fill_(float("nan"))
    assert code_of(lambda: export(found, order, QUIET)) == "E0953"
    assert not order.out.exists()


@pytest.mark.parametrize("written", range(3))
def test_an_interrupted_export_leaves_nothing(run, order, monkeypatch, written):
    """Interrupted after so many files."""
    count = iter(range(10))

    def interrupted(path, data):
        if next(count) == written:
            raise KeyboardInterrupt
        path.write_bytes(data)

    monkeypatch.setattr(exports, "replace_atomically", interrupted)
    with pytest.raises(KeyboardInterrupt):
        export(of_run(run, "", 0), order, QUIET)
    assert not order.out.exists()


def test_a_missing_library_is_named(run, order, monkeypatch):
    class Missing(type(FORMATS["onnx"])):
        def load(self, path, threads=1):
            return self.library("no_such_runtime")

    assert code_of(lambda: export(of_run(run, "", 0), replace(order, format=Missing()), QUIET)) == "E0951"
    assert not order.out.exists()


def test_what_a_format_does_not_take_is_told(run, order):
    class Foreign(torch.nn.Module):
        def forward(self, x):
            return torch.fft.fft(x).real

    found = replace(of_run(run, "", 0), network=Foreign())
    assert code_of(lambda: export(found, order, QUIET)) == "E0952"


def test_a_network_whose_input_nobody_knows(run, tmp_path):
    (tmp_path / "model.py").write_text((run / "model.py").read_text().replace("images of shape", "pictures of"))
    (tmp_path / "model.safetensors").write_bytes((run / "model.safetensors").read_bytes())
    (tmp_path / "deploy.json").write_text("{}")
    assert code_of(lambda: of_run(Path(tmp_path / "model.py"), "", 0)) == "E0956"
