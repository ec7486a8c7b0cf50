"""What many networks write by hand is lifted, whatever numbers their weights begin with."""

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load
from torch import Tensor, nn
from torch.fx.proxy import TracerBase
from typer.testing import CliRunner

from nasir.api import compiled, emit
from nasir.cli.main import app
from nasir.diagnostics import CompileError, Source
from nasir.execution import network_class
from nasir.lifting.network import UserNetwork, network
from nasir.lifting.program import lift
from nasir.lifting.proof import TOLERANCE
from nasir.lifting.tracing import _all_frames

SHAPE = (3, 12, 12)


class Net(nn.Module):
    """What `made` makes of the network and of its first layer's map. Numbers of one kind are all alike, as most begin,
    where `spread` is 0."""

    def __init__(self, made: Callable[["Net", Tensor], Tensor | dict[object, Tensor]], spread: float = 0.0) -> None:
        super().__init__()
        self.made = made
        self.stem, self.depthwise = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.up = nn.ConvTranspose2d(8, 8, (3, 4), stride=2, padding=1, output_padding=(1, 0))
        self.norm = nn.InstanceNorm2d(8, affine=True)
        self.gamma = nn.Parameter(1e-2 + spread * torch.rand(8))
        self.shift = nn.Parameter(0.3 + spread * torch.rand(1, 8, 1, 1))
        self.one, self.zero = nn.Parameter(torch.tensor(0.3)), nn.Parameter(spread * torch.rand(1))
        self.shares = nn.Parameter(spread * torch.rand(2))
        for name, low in (("mean", 0.4), ("deviation", 0.2)):
            self.register_buffer(name, low + spread * torch.rand(8, 1, 1))
        self.register_buffer("queue", torch.empty(0))

    def forward(self, x: Tensor) -> Tensor | dict[object, Tensor]:
        return self.made(self, self.stem(x))


def frozen(net: Net, x: Tensor) -> Tensor:
    """A batch norm that stays as it is, as detection networks have it."""
    factor = net.gamma.reshape(1, -1, 1, 1) * (net.shift + 1e-5).rsqrt()
    return x * factor + (net.shift - 0.1 * factor)


def mixed(net: Net, x: Tensor) -> Tensor:
    shares = torch.softmax(net.shares, 0)
    return shares[0] * x + shares[1] * net.depthwise(x)


def mixed_in_a_loop(net: Net, x: Tensor) -> Tensor:
    found = torch.zeros(())
    for share, one in zip(F.relu(net.shares) + 0.1, (x, net.depthwise(x)), strict=True):
        found = found + share * one
    return found


def gated(net: Net, x: Tensor) -> Tensor:
    other = net.depthwise(x)
    gate = other.relu().sigmoid()
    return (1 - gate) * x + gate * other


def gated_twice(net: Net, x: Tensor) -> Tensor:
    return x * (1 + net.depthwise(x).tanh()) * (2 * x.sigmoid() - 0.5)


IDIOMS = {
    "layer scale": lambda net, x: x + net.depthwise(x).mul(net.gamma.reshape(1, -1, 1, 1)),
    "layer scale by an index": lambda net, x: x * net.gamma[:, None, None],
    "layer scale, unsqueezed": lambda net, x: x * net.gamma.unsqueeze(-1).unsqueeze(-1),
    "a learned number": lambda net, x: x * net.one + net.zero * net.depthwise(x),
    "the exponential of one": lambda net, x: x * net.one.exp(),
    "a shift": lambda net, x: x + net.shift,
    "less a shift": lambda net, x: x.relu() - net.shift,
    "a shift less": lambda net, x: net.shift - x,
    "a shift and a factor": lambda net, x: net.shift + net.gamma[:, None, None] * x,
    "inputs that are normalised": lambda net, x: net.depthwise((x - net.mean) / net.deviation),
    "a frozen batch norm": frozen,
    "learned shares": mixed,
    "learned shares in a loop": mixed_in_a_loop,
    "a shift of what is pooled": lambda net, x: x.mean((2, 3)) + net.gamma,
    "whole numbers": lambda net, x: x * torch.arange(1, 9)[:, None, None],
    "gates": gated,
    "gates of one more": gated_twice,
    "a part of a tensor": lambda net, x: torch.add(x, net.depthwise(x), alpha=0.5),
    "less a part": lambda net, x: torch.sub(x, net.depthwise(x), alpha=2),
    "an instance norm with weights": lambda net, x: net.norm(x),
    "an output padding": lambda net, x: net.up(x).relu(),
    "a pool that pads by itself": lambda net, x: F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-torch.inf), 3, 2),
    "numbers as keys": lambda net, x: {"0": x, 1: net.depthwise(x), "ü b": x.relu()},
}


def outputs(module: nn.Module) -> list[Tensor]:
    inputs = torch.randn(4, *SHAPE, generator=torch.Generator().manual_seed(7))
    with torch.no_grad():
        found = module.eval()(inputs)
    return [*found.values()] if isinstance(found, dict) else [found]


@pytest.mark.parametrize("spread", [0.0, 0.5], ids=["alike", "apart"])
@pytest.mark.parametrize("name", IDIOMS)
def test_what_is_written_by_hand_is_lifted(name, spread):
    torch.manual_seed(0)
    module = Net(IDIOMS[name], spread).eval()
    program = lift(UserNetwork("net", module, SHAPE), "net")
    emitted = network_class(Path("net.py"), emit(compiled(Source("net.nas", program.text))))()
    emitted.load_state_dict(load(program.weights()))
    for theirs, ours in zip(outputs(module), outputs(emitted), strict=True):
        assert ours.shape == theirs.shape
        assert (ours - theirs).abs().max() <= TOLERANCE * theirs.abs().max()


class Freezing(Net):
    """As detection code bases have it: `train` returns nothing."""

    def train(self, mode: bool = True) -> None:
        super().train(mode)


def test_a_train_of_its_own_may_return_nothing(monkeypatch):
    monkeypatch.setattr("tests.lifting.test_idioms.made", Freezing(lambda net, x: x), raising=False)
    program = lift(network("tests.lifting.test_idioms:made", {}, "3x12x12", None), "made")
    assert "conv(3, 8" in program.text


class Helping(Net):
    """The call that cannot be lifted stands in another method."""

    def __init__(self) -> None:
        super().__init__(lambda net, x: x)

    def helper(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = torch.sin(x)
        return x.relu()

    def forward(self, x: Tensor) -> Tensor:
        return self.helper(x)


def test_a_line_of_another_method_is_underlined():
    with pytest.raises(CompileError) as raised:
        lift(UserNetwork("net", Helping(), SHAPE), "net")
    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.span is not None
    assert diagnostic.span.text == "x = torch.sin(x)"


class Wrong(Net):
    """Mistakes one behind the other, of which one is made twice."""

    def __init__(self) -> None:
        super().__init__(lambda net, x: F.selu(F.hardshrink(turned(turned(x)))).softmax(1))


def turned(x: Tensor) -> Tensor:
    return torch.sin(x)


def test_all_mistakes_are_told_at_once():
    with pytest.raises(CompileError) as raised:
        lift(UserNetwork("net", Wrong(), SHAPE), "net")
    calls = [one.message.partition("`")[2].partition("`")[0] for one in raised.value.diagnostics]
    assert sorted(calls) == ["hardshrink", "selu", "sin", "softmax"]


class Sliced(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(nn.Conv2d(3, 3, 3, padding=i, dilation=i) for i in range(1, 6)))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:2]:
            x = layer(x)
        for layer in self.layers[2::2]:
            x = layer(x).relu()
        return x


def test_modules_of_a_slice_are_called_what_they_are():
    text = lift(UserNetwork("net", Sliced().eval(), SHAPE), "net").text
    assert "slice" not in text
    names = re.findall(r"^  (\w+) +=.*conv", text, re.MULTILINE)
    assert names == ["layers_0", "layers_1", "layers_2"]  # the last one is what is returned


@dataclass
class Output:
    """As some libraries return what they make."""

    logits: Tensor


class ByName(Net):
    def forward(self, *, x: Tensor) -> Tensor:
        return super().forward(x)


def test_versions_of_torch_that_keep_to_forward_do(monkeypatch):
    monkeypatch.delattr(TracerBase, "_filter_traceback_frames")
    with _all_frames():
        assert not hasattr(TracerBase, "_filter_traceback_frames")


def refused(module: nn.Module, shape=SHAPE) -> str:
    with pytest.raises(CompileError) as raised:
        lift(UserNetwork("net", module.eval(), shape), "net")
    (diagnostic,) = raised.value.diagnostics
    return " ".join([diagnostic.code, diagnostic.message, *diagnostic.hints])


def test_what_is_refused_says_the_reason_that_is_so():
    gru = nn.GRU(8, 8, batch_first=True)
    laid_out = Net(lambda net, x: gru(x.flatten(2).transpose(1, 2))[0])
    laid_out.gru = gru
    assert "`gru` cannot be lifted: no op of the language calls it" in refused(laid_out)
    ended = Net(lambda net, x: F.log_softmax(x.mean((2, 3)), 1))
    assert "leave it out: losses" in refused(ended)
    running = Net(lambda net, x: x)
    running.stem = nn.Sequential(nn.InstanceNorm2d(3, affine=True, track_running_stats=True))
    assert "in evaluation it takes running statistics" in refused(running)
    for made, why in (
        (lambda net, x: torch.add(x, x.relu() + 1, alpha=2), "adds tensors, and no numbers"),
        (lambda net, x: (x + 1) * net.gamma[:, None, None], "adds tensors, and no numbers"),
        (lambda net, x: net.gamma[:, None, None] / x, "divides by numbers alone"),
        (lambda net, x: x.relu() / 0, "divides by zero"),
        (lambda net, x: x + net.gamma[:6, None], "no number for each channel"),
        (
            lambda net, x: F.linear(x.flatten(1), torch.ones(4, 288)) + net.one,
            "to vectors the language adds no parameters",
        ),
    ):
        assert why in refused(Net(made, 0.5))
    classed = Net(lambda net, x: Output(x))
    assert "what it returns is of a class of its own" in refused(classed)
    assert "takes `x` by its name alone" in refused(ByName(lambda net, x: x))
    more = Net(lambda net, x: net.up(x))
    more.up = nn.ConvTranspose2d(8, 8, 2, stride=2, output_padding=1)
    assert "pads its output by more than it crops" in refused(more)


def test_widths_that_are_too_small_for_a_set_are_named():
    layers = nn.Sequential(nn.Conv2d(3, 32, 3), nn.ReLU(), nn.Conv2d(32, 8, 3), nn.ReLU(), nn.Conv2d(8, 16, 3))
    program = lift(UserNetwork("net", layers.eval(), SHAPE), "net", ("widths",))
    assert program.text.count("{") == 2  # the space's own, and the first layer's set
    assert len(program.closed) == 1
    assert program.closed[0].endswith(": it is too small for another")


def test_a_folder_that_is_not_there_is_told_before_the_work(tmp_path):
    out = tmp_path / "none" / "net.nas"
    done = CliRunner().invoke(app, ["lift", f"{__file__}:Helping", "--input", "3x12x12", "-o", str(out)])
    assert isinstance(done.exception, CompileError)
    (diagnostic,) = done.exception.diagnostics
    assert diagnostic.code == "E0903"  # and nothing of the network, which cannot be lifted
    assert f"there is no folder {out.parent}" in diagnostic.message


class Lazy(nn.Module):
    def __init__(self, width: int = 8, deep: bool = False) -> None:
        super().__init__()
        self.body = nn.LazyConv2d(width, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


class Scripted(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            self.body = torch.jit.trace(nn.Conv2d(3, 8, 3), torch.zeros(1, *SHAPE))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


@pytest.mark.parametrize(
    ("name", "given", "code", "why"),
    [
        ("Lazy", {}, "E0972", "`body` of .* has no weights yet"),
        ("Scripted", {}, "E0972", "`body` of .* is TorchScript"),
        ("Lazy", {"widht": 3}, "E0974", "unexpected keyword argument"),
    ],
)
def test_what_cannot_be_recorded_is_told_before(name, given, code, why):
    with pytest.raises(CompileError, match=f"{code}: .*{why}") as raised:
        network(f"{__file__}:{name}", given, "3x12x12", None)
    hints = " ".join(raised.value.diagnostics[0].hints)
    assert not given or "`--with width=...`, `--with deep=...`" in hints
