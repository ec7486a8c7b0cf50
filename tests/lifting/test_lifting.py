"""A network of PyTorch becomes a program that is the same network; what cannot is named by its line.

`NASIR_UPDATE=1 pytest tests/lifting` writes what programs are now into `tests/cases/lifting`.
"""

import json
import os
from collections import OrderedDict
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load, save_file
from torch import Tensor, nn

import nasir
from benchmarks.references import published
from nasir.api import compiled, emit
from nasir.cli.main import app
from nasir.diagnostics import CompileError, Source
from nasir.execution import network_class
from nasir.ir.ops import OPS, Argument, Call, Channels, Contract, Op, layout_size
from nasir.ir.values import key
from nasir.lang.reformat import formatted
from nasir.lifting import program as lifted_programs
from nasir.lifting.declared import signatures
from nasir.lifting.folding import Folded, flat
from nasir.lifting.lines import FUNCTION
from nasir.lifting.network import UserNetwork
from nasir.lifting.network import network as named_network
from nasir.lifting.program import CHOICES, Program, lift
from nasir.lifting.proof import TOLERANCE, _difference
from nasir.lifting.steps import Lifted
from tests.lifting import networks
from tests.lifting.networks import LIFTED, UNLIFTABLE, Reused, Stages

CASES = Path(__file__).parent.parent / "cases" / "lifting"
NETWORKS = Path(__file__).parent / "networks.py"


def network(name: str, cases=LIFTED) -> UserNetwork:
    kind, shape = cases[name]
    torch.manual_seed(0)
    return UserNetwork(name, kind().eval(), shape)


@pytest.fixture(scope="module")
def programs() -> dict[str, Program]:
    return {name: lift(network(name), name) for name in LIFTED}


def outputs(module: nn.Module, shape) -> list[torch.Tensor]:
    inputs = torch.randn(4, *shape, generator=torch.Generator().manual_seed(7))
    with torch.no_grad():
        found = module.eval()(inputs)
    return [*found.values()] if isinstance(found, dict) else [found] if isinstance(found, torch.Tensor) else [*found]


def emitted(program: Program) -> nn.Module:
    """The network of a program as a user would load it: its emitted source, and the file of weights."""
    network = program.space.at(program.choices) if program.choices else program.space
    module = network_class(Path("net.py"), emit(network))()
    missing, unexpected = module.load_state_dict(load(program.weights()), strict=False)
    assert not unexpected
    assert {name.rpartition(".")[2] for name in missing} <= {"num_batches_tracked"}
    return module


def assert_equal(first: nn.Module, second: nn.Module, shape) -> None:
    for a, b in zip(outputs(first, shape), outputs(second, shape), strict=True):
        assert a.shape == b.shape
        assert (a - b).abs().max() <= TOLERANCE * a.abs().max()


def assert_golden(name: str, text: str) -> None:
    path = CASES / f"{name}.nas"
    if os.environ.get("NASIR_UPDATE"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
    assert formatted(Source("net.nas", text)).text == text


@pytest.mark.parametrize("name", LIFTED)
def test_a_program_reads_as_one_that_is_written(name, programs):
    assert_golden(name, programs[name].text)
    assert nasir.load(CASES / f"{name}.nas").decisions == ()


@pytest.mark.parametrize("name", LIFTED)
def test_the_emitted_module_with_the_weights_is_the_network(name, programs):
    assert_equal(network(name).module, emitted(programs[name]), LIFTED[name][1])


UNSAYABLE = {
    "attention": ("E0970", ["# no op multiplies two tensors so", "return scores.softmax(-1)"]),
    "branching": ("E0971", ["# asks the input"]),
    "shared": ("E0979", ["# the second time"]),
    "tied": ("E0979", ["self.b(self.a(x))"]),
    "positions": ("E0970", ["# a parameter for each pixel"]),
    "arguments": ("E0970", ["# pads by a reflection", 'approximate="tanh"', "# also in", "0.2)", "x + 1.5", "y.sum()"]),
    "written": ("E0970", ["# changes y"]),
}


@pytest.mark.parametrize("name", UNLIFTABLE)
def test_what_cannot_be_lifted_is_named_with_its_line(name):
    code, lines = UNSAYABLE[name]
    with pytest.raises(CompileError) as raised:
        lift(network(name, UNLIFTABLE), name)
    found = raised.value.diagnostics
    assert [one.code for one in found] == [code] * len(lines)
    for one, line in zip(found, lines, strict=True):
        assert Path(one.span.source.name).name == "networks.py"
        assert line in one.span.text


@pytest.mark.parametrize("name", ["resnet8", "ds_cnn", "tc_resnet8", "tabular_mlp", "mobilenetv1"])
def test_an_emitted_network_comes_back_as_the_same_network(name):
    space = nasir.load(f"zoo/{name}")
    torch.manual_seed(1)
    module = network_class(Path(f"{name}.py"), emit(space))()
    shape = tuple(space.graph.input.shape.values())
    program = lift(UserNetwork(name, module.eval(), shape), name)
    assert (program.space.macs(), program.space.params()) == (space.macs(), space.params())
    assert_equal(module, emitted(program), shape)


def test_weights_that_hide_what_is_before_them_are_made_random_for_the_proof(monkeypatch):
    module, compared = Stages().eval(), []
    nn.init.zeros_(module.layer1[0].bn2.weight)

    def difference(first, second, inputs):
        compared.append(len(module.layer1[0].bn2.weight.unique()))
        return _difference(first, second, inputs)

    monkeypatch.setattr("nasir.lifting.proof._difference", difference)
    proof = lift(UserNetwork("stages", module, (1, 16, 16)), "stages").proof
    assert proof.stirred is not None
    assert proof.holds
    assert compared[-2] == 1 < compared[-1], "as it is, then at random"
    assert not module.layer1[0].bn2.weight.any(), "the user's network is as it was"


class Counting(nn.Module):
    """Another network at each call."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def forward(self, x):
        self.count += 1
        return x * (1.0 + self.count)


def test_a_network_that_is_another_one_each_time_is_refused():
    with pytest.raises(CompileError) as raised:
        lift(UserNetwork("counting", Counting(), (3,)), "counting")
    assert raised.value.diagnostics[0].code == "E0980"


def test_a_form_that_says_something_else_is_not_taken(monkeypatch):
    def with_another_activation(lifted: Lifted) -> Folded:
        relu = ((FUNCTION, "relu"),)
        items = (replace(item, arguments=relu) if item.kind == FUNCTION else item for item in flat(lifted).items)
        return Folded({}, tuple(items))

    monkeypatch.setattr(lifted_programs, "folded", with_another_activation)
    program = lift(network("reused"), "reused")
    assert_equal(network("reused").module, emitted(program), LIFTED["reused"][1])


# Ops


def test_every_op_of_the_language_is_known_by_its_call():
    known = {one.op.name for several in signatures().values() for one in several}
    written = {op.name for op in OPS.values() if op.in_language and op.contract is not Contract.SOURCE}
    # A path is dropped in training alone; a shortcut is a sum, or nothing, once its ends are known.
    assert written - known == {"drop_path", "shortcut"}


class PReLU(Op):
    name = "prelu"
    contract = Contract.CHANNELWISE
    weights = {"weight": ("out",)}

    def params(self, it, size):
        return layout_size(it.out.channels, size)

    def call(self, it):
        return Call("module", "PReLU", (Argument("num_parameters", Channels("out"), positional=True),))


def test_an_op_of_another_package_is_lifted_by_being_declared(monkeypatch):
    module = nn.Sequential(nn.Conv2d(3, 4, 1), nn.PReLU(4)).eval()
    monkeypatch.setitem(OPS, "prelu", PReLU())
    signatures.cache_clear()
    try:
        assert "-> prelu" in lift(UserNetwork("slopes", module, (3, 4, 4)), "slopes").text
    finally:
        signatures.cache_clear()


# Sets


@pytest.fixture(scope="module")
def opened() -> Program:
    torch.manual_seed(0)
    module = Stages((16, 32, 32), depth=3).eval()
    return lift(UserNetwork("stages", module, (1, 16, 16)), "stages", ("widths", "kernels", "depth"))


def test_an_opened_network_is_a_space_with_the_network_in_it(opened):
    assert_golden("opened", opened.text)
    assert opened.closed == ()
    torch.manual_seed(0)
    assert_equal(Stages((16, 32, 32), depth=3), emitted(opened), (1, 16, 16))


def test_widths_of_linear_layers_are_opened_but_for_the_last():
    module = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 4)).eval()
    found = lift(UserNetwork("mlp", module, (12,)), "mlp", ("widths",))
    assert [one.options for one in found.space.decisions] == [(16, 24, 32), (8, 16)]
    nasir.supernet(found.space)(torch.randn(4, 12))


def test_a_command_that_opens_nothing_says_so(tmp_path, capsys):
    command(tmp_path, f"{NETWORKS}:Reused", "--input", "3x9x9", "--open", "depth")
    assert "nothing to open: no depth of it can be another" in capsys.readouterr().out


def test_a_supernet_of_an_opened_network_runs(opened):
    supernet = nasir.supernet(opened.space)
    torch.manual_seed(0)
    made = supernet(torch.randn(2, 1, 16, 16), choices=opened.choices)
    assert made.logits["colour"].shape == (2, 3)
    made.logits["shape"].sum().backward()
    opened.space.at(opened.space.smallest())


def test_widths_that_a_sum_ties_are_one_decision():
    program = lift(UserNetwork("reused", Reused(width=16).eval(), (3, 9, 9)), "reused", ("widths",))
    assert "let width_1 = {8, 16}" in program.text
    assert [key(decision.name) for decision in program.space.decisions] == ["width_1"]


# The command


def command(tmp_path, *arguments: str) -> Path:
    out = tmp_path / "net.nas"
    app(["lift", *arguments, "-o", str(out)], standalone_mode=False)
    return out


def test_the_command_writes_a_program_and_its_weights(tmp_path, capsys):
    where = f"{NETWORKS}:Mobile", "--input", "3x16x16", "--with", "classes=4"
    out = command(tmp_path, *where, "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["proof"]["error"] <= told["proof"]["tolerance"]
    assert told["lines"] == len(out.read_text().splitlines())
    assert "classes = 4" in out.read_text()
    before = out.read_bytes(), (weights := out.with_suffix(".safetensors")).read_bytes()
    with pytest.raises(CompileError) as raised:
        command(tmp_path, *where)
    assert raised.value.diagnostics[0].code == "E0981"
    assert capsys.readouterr().err == ""
    command(tmp_path, *where, "--overwrite")
    said = capsys.readouterr()
    assert "outputs differ by" in said.out
    assert said.err.split("\n")[:4] == ["recorded 0/1", "recorded 1/1", "compared 0/2", "compared 2/2"]
    assert (out.read_bytes(), weights.read_bytes()) == before
    module = network_class(out, emit(nasir.load(out)))()
    module.load_state_dict(load(weights.read_bytes()), strict=False)


def test_the_weights_say_which_network_of_a_space_they_are_of(tmp_path):
    out = command(tmp_path, f"{NETWORKS}:Stages", "--input", "1x16x16", "--open", "kernels")
    with safe_open(out.with_suffix(".safetensors"), "pt") as file:
        choices = json.loads(file.metadata()[CHOICES])
        names = set(file.keys())
    space = nasir.load(out)
    assert choices.keys() == {decision.name for decision in space.decisions}
    assert names <= network_class(out, emit(space.at(choices)))().state_dict().keys()


def test_weights_of_a_file_are_the_network_s(tmp_path):
    torch.manual_seed(5)
    module = Reused()
    save_file(module.state_dict(), tmp_path / "mine.safetensors")
    given = f"{NETWORKS}:Reused", "--input", "3x9x9", "--weights", str(tmp_path / "mine.safetensors")
    out = command(tmp_path, *given)
    made = network_class(out, emit(nasir.load(out)))()
    made.load_state_dict(load(out.with_suffix(".safetensors").read_bytes()))
    assert_equal(module, made, (3, 9, 9))
    save_file({"fc.weight": torch.zeros(4, 8)}, tmp_path / "mine.safetensors")
    with pytest.raises(CompileError) as raised:
        command(tmp_path, *given, "--overwrite")
    assert raised.value.diagnostics[0].code == "E0907"
    assert raised.value.diagnostics[0].hints == ("take the weights that were written with the network",)
    save_file({f"module.{name}": value for name, value in module.state_dict().items()}, tmp_path / "mine.safetensors")
    with pytest.raises(CompileError) as raised:
        command(tmp_path, *given, "--overwrite")
    assert "begin with `module.`" in raised.value.diagnostics[0].hints[0]
    first = min(module.state_dict())
    save_file({f"module.{first}": module.state_dict()[first]}, tmp_path / "mine.safetensors")
    with pytest.raises(CompileError) as raised:
        command(tmp_path, *given, "--overwrite")
    assert "begin with" not in raised.value.diagnostics[0].hints[0]  # without it they would not fit either
    torch.save(module.state_dict(), tmp_path / "mine.safetensors")
    with pytest.raises(CompileError) as raised:
        command(tmp_path, *given, "--overwrite")
    assert "save_file" in raised.value.diagnostics[0].hints[0]


class Scored(nn.Module):
    """One number an input, by a layer in a form of its own at the end."""

    def __init__(self, last=lambda x: x, image: bool = False) -> None:
        super().__init__()
        self.body = nn.Conv2d(3, 1, 3) if image else nn.Linear(6, 1)
        self.spare, self.last = nn.Linear(10, 10), last

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.body(x))


@pytest.mark.parametrize("image", [False, True])
@pytest.mark.parametrize(
    ("last", "why"),
    [
        (lambda x: x.squeeze(1), "its channels are dropped"),
        (lambda x: x[:, 0], "its channels are dropped"),
        (lambda x: x.expand(-1, 2, *x.shape[2:])[:, 0], "a slice keeps it"),
        (lambda x: x[:, :1].squeeze(1), "its channels are dropped"),
        (lambda x: x.flatten(), "its channels are dropped|permuted, repeated or reshaped"),
    ],
)
def test_outputs_without_channels_are_told(last, why, image):
    shape = (3, 6, 6) if image else (6,)
    with pytest.raises(CompileError, match=f"E0970: .*({why})"):
        lift(UserNetwork("Scored", Scored(last, image).eval(), shape), "Scored")


NORMS = {
    "layer_norm": lambda: nn.LayerNorm(8),
    "rms_norm": lambda: nn.RMSNorm(8),
    "bn": lambda: nn.BatchNorm1d(8),
    "group_norm": lambda: nn.GroupNorm(2, 8),
}
POOLS = {
    1: (nn.Flatten(), nn.AdaptiveAvgPool1d(1), nn.Conv1d),
    2: (nn.Flatten(), nn.AdaptiveMaxPool2d(1), nn.Conv2d),
}
BEHIND = (nn.ReLU(), nn.GELU(), nn.Dropout(), nn.AlphaDropout(), nn.Identity())


@pytest.mark.parametrize("rank", POOLS)
@pytest.mark.parametrize("norm", NORMS)
def test_heads_of_pooled_maps_are_lifted_in_any_order(norm, rank):
    """What stands behind the pooling, before and after the map is flattened, with a layer in between or none."""
    flat, pool, conv = POOLS[rank]
    shape = (3, *[6] * rank)
    for i, behind in enumerate(BEHIND):
        middle = [NORMS[norm](), behind, *([nn.Linear(8, 8), NORMS[norm]()] if i % 2 else [])]
        module = nn.Sequential(conv(3, 8, 3), pool, flat, *middle, nn.Linear(8, 5)).eval()
        for one in module.modules():
            if isinstance(one, nn.BatchNorm1d):
                nn.init.normal_(one.running_mean)
        program = lift(UserNetwork("Head", module, shape), "Head")
        assert_equal(module, emitted(program), shape)
        assert f"-> {norm}" in program.text


def test_channels_are_dropped_in_training_alone():
    for drop in (nn.Dropout1d, nn.Dropout2d, nn.AlphaDropout, nn.FeatureAlphaDropout):
        module = nn.Sequential(nn.Conv1d(3, 8, 3) if drop is nn.Dropout1d else nn.Conv2d(3, 8, 3), drop()).eval()
        shape = (3, 6) if drop is nn.Dropout1d else (3, 6, 6)
        program = lift(UserNetwork("Net", module, shape), "Net")
        assert_equal(module, emitted(program), shape)
        assert "drop" not in program.text


class Written(nn.Module):
    """An activation by hand, behind a layer."""

    def __init__(self, activation) -> None:
        super().__init__()
        self.conv, self.activation = nn.Conv2d(3, 8, 3), activation

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.conv(x))


@pytest.mark.parametrize(
    ("activation", "name"),
    [
        (lambda x: x * nn.functional.relu6(x + 3) / 6, "hswish"),
        (lambda x: x.mul(nn.functional.relu6(x + 3)).div(6), "hswish"),
        (lambda x: nn.functional.relu6(x + 3) * (1 / 6) * x, "hswish"),
        (lambda x: x / 6 * nn.functional.hardtanh(3 + x, 0, 6), "hswish"),
        (lambda x: x * (torch.clamp(x + 3, 0, 6) / 6), "hswish"),
        (lambda x: x * nn.functional.hardsigmoid(x), "hswish"),
        (lambda x: torch.sigmoid(x) * x, "swish"),
        (lambda x: 0.5 * x * (2 * torch.sigmoid(x)), "swish"),
    ],
)
def test_activations_by_hand_are_what_they_are(activation, name):
    module = Written(activation).eval()
    program = lift(UserNetwork("Written", module, (3, 6, 6)), "Written")
    assert_equal(module, emitted(program), (3, 6, 6))
    assert f"-> {name}" in program.text
    assert "*" not in program.text


@pytest.mark.parametrize("gate", [torch.sigmoid, nn.functional.hardsigmoid])
def test_an_activation_of_a_multiple_is_one(gate):
    def activation(x):
        twice = 2 * x
        return twice * gate(twice)

    module = Written(activation).eval()
    program = lift(UserNetwork("Written", module, (3, 6, 6)), "Written")
    assert_equal(module, emitted(program), (3, 6, 6))
    assert "-> swish" in program.text or "-> hswish" in program.text


class Of(nn.Module):
    """What a function makes of a layer and of what the network is given."""

    def __init__(self, made) -> None:
        super().__init__()
        self.layer, self.made = nn.Conv2d(3, 8, 3, padding=1), made

    def forward(self, x: Tensor) -> Tensor:
        return self.made(self.layer, x)


def in_half(layer, x: Tensor) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        return layer(x)


def without_autocast(x: Tensor) -> Tensor:
    with torch.autocast("cpu", enabled=False), torch.autocast("cpu", enabled=False):
        return x.sigmoid() * x


def in_parts(x: Tensor) -> Tensor:
    """Two regions, one of several results."""
    with torch.autocast("cpu", enabled=False):
        a, b = x.float().chunk(2, 1)
        with torch.autocast("cuda", enabled=False):
            b = b.relu()
    return torch.cat([a, b], 1)


def without_gradients(x: Tensor) -> Tensor:
    with torch.no_grad():
        return x.relu()


class Unsigned(nn.Module):
    """What it takes is not to be known, as of a module of TorchScript."""

    forward = max


class Pair(Of):
    def forward(self, x: Tensor, other: Tensor, scale: float = 1.0) -> Tensor:
        return self.layer(x) + scale * self.layer(other)


@pytest.mark.parametrize(
    ("module", "code", "why"),
    [
        (Pair(None), "E0985", "takes 2 inputs, `x`, `other`: a program takes one"),
        (Of(lambda layer, x: layer(x) * layer(x).sum(1, keepdim=True)), "E0970", "`sum` cannot be lifted"),
        (Of(lambda layer, x: layer(x) * x[:, :1]), "E0970", r"does not take \[8, 6, 6\] and \[1, 6, 6\] so"),
        (
            Of(lambda layer, x: torch.stack([x, x]).mean(0)),
            "E0970",
            "`stack` .*no op of the language takes these tensors",
        ),
        (Of(lambda layer, x: layer(nn.functional.dropout2d(x))), "E0970", "drops at random in evaluation too"),
        (Of(lambda layer, x: layer(nn.functional.dropout(x))), "E0970", "drops at random in evaluation too"),
        (Of(lambda layer, x: layer(x).half().float()), "E0970", "`half` .*another kind than float32"),
        (Of(lambda layer, x: layer(x.double().float())), "E0970", "`double` .*another kind than float32"),
        (Of(in_half), "E0970", "`autocast` .*another kind than float32"),
        (Unsigned(), "E097[12]", ""),
    ],
)
def test_what_cannot_be_lifted_says_why(module, code, why):
    with pytest.raises(CompileError, match=f"{code}: .*{why}"):
        lift(UserNetwork("net", module.eval(), (3, 6, 6)), "net")


@pytest.mark.parametrize(
    "between",
    [
        lambda x: x.float(),
        lambda x: x.to(torch.float32),
        lambda x: x.to(x.dtype),
        lambda x: x.to(x.device),
        lambda x: x.to("cpu", torch.float32),
        lambda x: x.to(x.relu()),
        lambda x: x.type(torch.float32),
        lambda x: x.type_as(x),
        lambda x: x.float().type_as(x).to(x),
        lambda x: x.contiguous(memory_format=torch.channels_last),
        lambda x: x.clone().detach().requires_grad_(False),
        lambda x: torch.utils.checkpoint.checkpoint(torch.relu, x, use_reentrant=False),
        without_gradients,
        without_autocast,
        in_parts,
    ],
)
def test_what_changes_no_number_is_seen_through(between):
    """Conversions to what a tensor is already, and regions that change nothing: most networks that train in half have
    them."""
    module = Of(lambda layer, x: between(layer(between(x)))).eval()
    program = lift(UserNetwork("net", module, (3, 6, 6)), "net")
    made = network_class(Path("net.py"), emit(compiled(Source("net.nas", program.text))))()
    made.load_state_dict(load(program.weights()))
    assert_equal(module, made, (3, 6, 6))


def test_an_input_that_is_too_large_is_told():
    with pytest.raises(CompileError, match=r"E0986: 3 x 99999999 x 99999999 is an input of 29,"):
        named_network(f"{NETWORKS}:Reused", {}, "3x99999999x99999999", None)


def test_parameters_that_no_layer_has_are_told():
    assert lift(UserNetwork("Scored", Scored().eval(), (6,)), "Scored").unused == {"spare": 110}


def test_a_network_of_numbers_that_are_none_is_told_before_it_is_compared():
    module = Scored().eval()
    torch.nn.init.constant_(module.body.weight, torch.nan)
    with pytest.raises(CompileError, match="E0984"):
        lift(UserNetwork("Scored", module, (6,)), "Scored")


def test_a_network_that_is_there_is_named_as_one_that_is_made():
    assert named_network("tests.lifting.networks:MADE", {}, "3x9x9", None).module is networks.MADE
    for where, why in ((f"{NETWORKS}:Reusd", "did you mean `Reused`"), ("nowhere:Net", "no module `nowhere`")):
        with pytest.raises(CompileError) as raised:
            named_network(where, {}, "3x9x9", None)
        (diagnostic,) = raised.value.diagnostics
        assert diagnostic.code == "E0973"
        assert why in " ".join([diagnostic.message, *diagnostic.hints])


def test_names_of_a_network_are_names_of_the_language():
    names = ("import", "x", "größe", 'a" -> b', "conv", "9", "__x", "width")
    module = nn.Sequential(OrderedDict((name, nn.Conv2d(3, 3, 1)) for name in names)).eval()
    text = lift(UserNetwork("Space; let", module, (3, 4, 4)), "names").text
    assert compiled(Source("net.nas", text)).name == "space_let"
    assert text.count("conv(1, 3") == len(names)


def test_a_network_of_timm_is_lifted():
    if find_spec("timm") is None:
        pytest.skip("timm is not here")
    module = published.timm("resnet18").eval()
    program = lift(UserNetwork("resnet18", module, (3, 32, 32)), "resnet18")
    assert "| basic_block | 512   | 2     | 2      |" in program.text
