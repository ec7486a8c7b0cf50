"""Each format, each kind of network: what is written and run again gives the network's outputs."""

import json
import warnings

import pytest
import torch
from torch import nn

import nasir
from nasir.exporting.format import INPUTS
from nasir.exporting.formats import FORMATS
from nasir.exporting.named import listed, named_outputs
from nasir.exporting.proof import TOLERANCE, exact, proofs, settle
from tests.conftest import CASES, SMALLER
from tests.spaces import TINY

SAMPLE = {
    "pads, depthwise": "zoo/ds_cnn",
    "signals": "zoo/tc_resnet8",
    "vectors": "zoo/tabular_mlp",
    "maps, transposed convolutions": "zoo/autoencoder",
    "norms of channels last": CASES / "spaces" / "modern.nas",
    "shuffles, splits": CASES / "spaces" / "parts.nas",
    "windows": CASES / "spaces" / "windows.nas",
    "resized maps": "unets",
    "cells": "nasbench201",
}
TWO = """
space two() {
  a = image(1, size=8) -> conv(3, 4) -> bn -> relu
  b = a -> conv(3, 6, stride=2) -> bn
  return { small: b, large: a }
}
"""


WIDE = """
space wide(classes = 7) {
  y = image(1, size=8) -> conv(3, 64) -> bn -> relu -> conv(3, 64) -> bn -> relu
  return y -> global_avg_pool -> linear(classes)
}
"""
REFUSED = {("executorch", "windows"): "adaptive_max_pool2d", ("litert", "windows"): "adaptive_max_pool2d"}
"""What a format has no word for."""


@pytest.fixture(params=FORMATS.values(), ids=FORMATS)
def form(request):
    missing = set(request.param.libraries) - set(request.param.versions())
    if missing:
        pytest.skip(f"{' and '.join(sorted(missing))} not installed")
    return request.param


def network_of(source, emitted):
    space = nasir.load(source, **SMALLER.get(str(source), {}))
    network = space.at(space.sample(0)) if space.decisions else space
    torch.manual_seed(0)
    module = emitted(network).eval()
    shape = [size for size in network.graph.input.shape.values() if isinstance(size, int)]
    inputs = torch.randn(8, *shape, generator=torch.Generator().manual_seed(1))
    settle(module, inputs)
    return module, inputs


@pytest.mark.parametrize("name", SAMPLE)
def test_a_file_gives_the_networks_outputs_for_batches_of_any_size(form, name, emitted, tmp_path):
    module, inputs = network_of(SAMPLE[name], emitted)
    path = tmp_path / f"net{form.suffix}"
    if (form.name, name) in REFUSED:
        with pytest.raises(Exception, match=REFUSED[form.name, name]):
            form.write(module, inputs[:1], path)
        return
    form.write(module, inputs[:1], path)
    found = proofs(module, form.load(path), inputs, (1, 3, 8) if form.any_batch else (1,))
    assert all(one.exported.size <= TOLERANCE for one in found), found
    assert float(exact(module, inputs)[0].std(0).max()) > 1e-3, "outputs that hardly depend on the input prove nothing"


def test_a_file_of_other_weights_is_told_apart(form, compiled, emitted, tmp_path):
    module, inputs = network_of("zoo/tabular_mlp", emitted)
    form.write(module, inputs[:1], tmp_path / "net")
    with torch.no_grad():
        next(module.parameters()).view(-1)[0] += 0.1
    assert not any(one.holds for one in proofs(module, form.load(tmp_path / "net"), inputs, (1,)))


def test_several_outputs_come_in_their_order(form, compiled, emitted, tmp_path):
    module = emitted(compiled(TWO)).eval()
    inputs = torch.randn(2, 1, 8, 8)
    settle(module, inputs)
    form.write(module, inputs[:1], tmp_path / "net")
    assert named_outputs(module, inputs)[1] == ["small", "large"]
    found = form.load(tmp_path / "net")(inputs[:1].numpy())
    assert [one.shape for one in found] == [(1, 6, 4, 4), (1, 4, 8, 8)]
    assert proofs(module, form.load(tmp_path / "net"), inputs, (1,))[0].holds


def test_the_same_network_makes_the_same_bytes(form, compiled, emitted, tmp_path):
    space = compiled(TINY)
    module, example = emitted(space.at(space.sample(3))).eval(), torch.zeros(1, 1, 8, 8)
    for name in ("one", "other"):
        form.write(module, example, tmp_path / name, {"classes": "[1]"})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_int8_is_smaller_and_near(form, compiled, emitted, tmp_path):
    """Of a network of many weights; the ranges of its maps are those of the batches."""
    if not form.quantises:
        pytest.skip("no quantiser")
    module, inputs = emitted(compiled(WIDE)).eval(), torch.randn(8, 1, 8, 8)
    settle(module, inputs)
    form.write(module, inputs[:1], tmp_path / "whole")
    off = []
    for scale in (1, 100):
        form.quantise(module, inputs[:1], tmp_path / "small", [scale * inputs])
        (found,) = proofs(module, form.load(tmp_path / "small"), inputs, (1,))
        off.append(found.exported.relative)
    assert TOLERANCE < off[0] < 0.25 < off[1]
    assert (tmp_path / "small").stat().st_size < 0.5 * (tmp_path / "whole").stat().st_size


@pytest.mark.parametrize("name", ["signals", "norms of channels last", "shuffles, splits"])
def test_torch_compiles_a_network_whole(name, emitted):
    """`python -m benchmarks.exports` does it to many."""
    module, inputs = network_of(SAMPLE[name], emitted)
    torch.compiler.reset()
    compiled = torch.compile(module, fullgraph=True, backend="eager")
    with torch.no_grad():
        assert all(map(torch.equal, listed(compiled(inputs)), listed(module(inputs))))


def test_an_onnx_file_says_what_a_deployment_needs(compiled, emitted, tmp_path):
    onnx = pytest.importorskip("onnx")
    module = emitted(compiled(TWO)).eval()
    told = {"classes": json.dumps(["blå", 'gr"n'])}
    FORMATS["onnx"].write(module, torch.zeros(1, 1, 8, 8), tmp_path / "net", told)
    model = onnx.load(str(tmp_path / "net"))
    assert {one.key: one.value for one in model.metadata_props} == told
    assert [one.name for one in model.graph.input] == ["image"]
    assert [one.name for one in model.graph.output] == ["small", "large"]
    assert b"site-packages" not in (tmp_path / "net").read_bytes(), "no place of this machine is in the file"
    onnx.checker.check_model(model, full_check=True)


def test_torchs_exporter_is_left_as_it_was(tmp_path):
    """What it is taught it knows within an export alone."""

    def written_by_torch():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(nn.ZeroPad2d(1), (example,), str(tmp_path / "net"), dynamo=False)
        return (tmp_path / "net").read_bytes()

    example = torch.zeros(1, 4, 2, 2)
    before = written_by_torch()
    FORMATS["onnx"].write(nn.ZeroPad2d(1), example, tmp_path / "ours")
    assert written_by_torch() == before


def test_an_exporter_that_fails_prints_nothing(tmp_path, capfd):
    class Foreign(nn.Module):
        def forward(self, x):
            return torch.fft.fft(x).real

    with pytest.raises(torch.onnx.errors.OnnxExporterError):
        FORMATS["onnx"].write(Foreign(), torch.zeros(1, 4), tmp_path / "net")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("rank", range(3))
def test_a_single_call_is_a_network_too(rank, tmp_path):
    """As a profile measures them."""
    layer = (nn.Linear, nn.Conv1d, nn.Conv2d)[rank](4, 6, *[1] * bool(rank))
    example = torch.randn(1, 4, *[5] * rank)
    FORMATS["onnx"].write(layer, example, tmp_path / "net")
    found = FORMATS["onnx"].load(tmp_path / "net")(example.numpy())
    assert torch.allclose(layer(example), torch.from_numpy(found[0]), atol=TOLERANCE)
    assert INPUTS[rank].encode() in (tmp_path / "net").read_bytes()
