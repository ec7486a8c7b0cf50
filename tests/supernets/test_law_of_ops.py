"""The law of ops: the op of the cut input equals the cut of the op of the masked input.

Each op that states a contract stands in random little spaces, on values of undecided widths: of the supernet's result
the channels that a network keeps are that network's result, the others are zero; and so are all gradients.
"""

import copy
import random
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from nasir.cost.registry import COSTS
from nasir.diagnostics import CompileError
from nasir.emission.source import model_source
from nasir.execution import network_class
from nasir.ir.dims import Decision, DimTable
from nasir.ir.distributions import Distributions
from nasir.ir.graph import Graph, Node, Type
from nasir.ir.ops import OPS, Argument, Call, Contract, Op, OpError
from nasir.ir.sizes import evaluate, resolve
from nasir.ir.values import Pair, Ref
from nasir.passes.base import run
from nasir.passes.pipeline import CHECKED, ELABORATED, FRONT, derivation
from nasir.supernets import build
from tests.supernets.test_equivalence import randomise, without_dropout

CASES = 12
INTERNAL = {"mask", "sum", "blend", "outputs"}
"""What passes make of other ops, which `test_folding.py` and `test_soft_gates.py` hold to those; and several outputs,
which `test_outputs.py` does."""


class Halves(Op):
    """A test's op of several results: the upper and the lower half of a map."""

    name = "halves"
    contract = Contract.CHANNELWISE

    def infer(self, it, dims, support):
        size = it.x.sizes[0] if it.x.sizes else 1
        if not isinstance(size, int) or size % 2:
            raise OpError("E0401", "halves of an even height")
        half = Type(it.x.channels, (size // 2, *it.x.sizes[1:]))
        return Type(parts=(half, half))

    def call(self, it):
        return Call("torch", "chunk", (Argument("chunks", 2), Argument("dim", 2)))


@pytest.fixture(autouse=True)
def _halves(monkeypatch):
    monkeypatch.setitem(OPS, Halves.name, Halves())


class Draw:
    """One little space around an op, a function of the seed."""

    def __init__(self, op: Op, seed: int) -> None:
        self.draw = random.Random(f"{op.name} {seed}")
        self.op = op
        self.table = DimTable()
        self.nodes: list[Node] = []

    def graph(self) -> Graph:
        rank = self.draw.choice([0, 1, 2])
        source = ("features", "signal", "image")[rank]
        sizes = ({}, {"length": 6}, {"size": 6})[rank]
        self.node("input", source, (), {"channels": 3, **sizes})
        widths = [self.width(f"w{i}") for i in range(self.draw.choice([1, 2]))]
        operands = self.operands(rank, widths)
        attributes = {p.name: self.attribute(p) for p in self.op.parameters}
        if "selector" in self.op.internal:
            attributes["selector"] = self.table.decide(Decision("which", tuple(label for label, _ in operands)))
        if "subset" in self.op.internal:
            subsets = ("0", "1") if len(operands) == 2 else ("0_1", "0_2", "1_2")
            attributes["subset"] = self.table.decide(Decision("which", subsets))
        if "index" in self.op.internal:
            attributes["index"] = self.draw.choice([0, 1])
            operands = (("x", self.node("both", Halves.name, operands, {})),)
        output = self.node("out", self.op.name, operands, attributes)
        if self.op.name == Halves.name or self.op.results(next(iter(attributes.values()), 1)) > 1:
            output = self.node("one", "result", (("x", output),), {"index": self.draw.choice([0, 1])})
        decisions, dims = self.table.decisions.values(), self.table.dims.values()
        return Graph("law", tuple(decisions), tuple(dims), (), tuple(self.nodes), output)

    def width(self, name: str) -> int | Ref:
        options = self.draw.choice([(4,), (2, 4), (1, 3, 4), (4, 2)])
        return self.table.decide(Decision(name, options))

    def attribute(self, parameter) -> object:
        match parameter.kind:
            case "window":
                return self.draw.choice([1, 2, 3, 5, Pair("3x1"), Pair("2x3")])
            case "padding":
                return self.draw.choice(["centred", "same", 0, 1, Pair("1x2")])
            case "several":
                return self.draw.choice([2, 4])
            case "flag":
                return self.draw.choice([True, False])
            case "number" | "positive":
                return self.draw.choice([0.5, 1.5])
            case "share":
                return 0.5
            case "mode":
                return self.draw.choice(["nearest", "bilinear"])
            case "margin":
                return self.draw.choice([0, 1, Pair("0x1")])
            case _ if not parameter.sizing or parameter.default is not None:
                return self.draw.choice([1, 2])
            case _:
                return self.width(parameter.name)

    def operands(self, rank: int, widths) -> tuple[tuple[str, str], ...]:
        several = tuple(map(str, range(self.draw.choice([2, 3]))))
        labels = several if self.op.operands == ("...",) else self.op.operands
        alike = self.draw.random() < 0.5
        found = []
        for i, label in enumerate(labels):
            own = widths if i == 0 or alike else [self.width(f"{label}{j}") for j in range(len(widths))]
            found.append((label, self.value(f"v{label}", rank, own)))
        return tuple(found)

    def value(self, name: str, rank: int, widths) -> str:
        """A value with these segments."""
        conv = {"kernel": 1, "bias": True}
        op, rest = ("conv", conv) if rank else ("linear", {"bias": True})
        parts = [
            self.node(f"{name}.{i}", op, (("x", "input"),), with_width(OPS[op], width, rest))
            for i, width in enumerate(widths)
        ]
        if len(parts) == 1:
            return parts[0]
        return self.node(name, "concat", tuple((f"x{i}", part) for i, part in enumerate(parts)), {})

    def node(self, name, op, operands, attributes) -> str:
        self.nodes.append(Node(name, op, tuple(operands), tuple(attributes.items()), flow="flow"))
        return name


def with_width(op: Op, width, rest) -> dict[str, object]:
    """An op's attributes in its order."""
    return {p.name: {"width": width, **rest}.get(p.name, p.default) for p in op.parameters}


def spaces(op: Op):
    """Little spaces that the op's own rules accept."""
    seed = found = 0
    while found < CASES and seed < 40 * CASES:
        seed += 1
        try:
            graph = run(Draw(op, seed).graph(), FRONT, ELABORATED)
        except (CompileError, IndexError):
            continue
        found += 1
        yield seed, graph


LAWFUL = sorted({name for name, op in OPS.items() if op.operands} - INTERNAL | {Halves.name})


@pytest.mark.parametrize("name", LAWFUL)
def test_the_op_of_the_cut_is_the_cut_of_the_op(name):
    op = OPS[name]
    undecided = checked = 0
    for seed, graph in spaces(op):
        checked += 1
        undecided += bool(graph.decisions)
        if op.contract is None:
            assert not graph.decisions, "an op without a contract takes decided channels alone"
        check_law(graph, seed)
    assert checked, "the op's rules accept some little space"
    assert undecided >= 3 or op.contract is None


def check_law(graph: Graph, seed: int) -> None:
    torch.manual_seed(seed)
    supernet = build(graph).double().train()
    randomise(supernet)
    draw = random.Random(seed)
    choices = {d.name: draw.choice(d.options) for d in graph.decisions}
    derived = run(graph, derivation(choices), CHECKED)
    network = network_class(Path("law.py"), model_source(derived))().double().train()
    network.load_state_dict(supernet.state_for(choices), strict=True)
    without_dropout(network)
    images = torch.randn(3, *graph.input.shape.values(), dtype=torch.float64)
    ours, theirs = (images.clone().requires_grad_() for _ in range(2))
    whole, cut = supernet(ours, choices=choices).logits, network(theirs)
    kept = kept_channels(graph, choices)
    close(whole[:, kept], cut)
    lost = [i for i in range(whole.shape[1]) if i not in kept]
    assert not whole[:, lost].any(), "channels that are cut off are zero"
    weight = torch.randn_like(cut)
    ((cut * weight).sum() + 0 * theirs.sum()).backward()
    ((whole[:, kept] * weight).sum() + 0 * ours.sum()).backward()
    close(gradient(ours), gradient(theirs))
    gradients = copy.deepcopy(supernet)
    with torch.no_grad():
        for mine, other in zip(gradients.weights(), supernet.weights(), strict=True):
            mine.copy_(gradient(other))
    sliced = gradients.state_for(choices)
    for parameter, value in network.named_parameters():
        close(sliced[parameter], gradient(value))
    total = sum(float(p.detach().abs().sum()) for p in gradients.weights())
    assert total == pytest.approx(sum(float(sliced[n].abs().sum()) for n, _ in network.named_parameters()), abs=1e-9)


def gradient(x: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(x) if x.grad is None else x.grad


def kept_channels(graph: Graph, choices) -> list[int]:
    known, distributions = evaluate(graph, choices), Distributions(graph.decision_map, graph.dim_map)
    kept, start = [], 0
    for segment in graph.by_name[graph.output].shape.channels:
        kept += range(start, start + int(resolve(segment, known)))
        start += distributions.largest(segment)
    return kept


def close(a: torch.Tensor, b: torch.Tensor) -> None:
    torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


def test_an_op_without_a_contract_is_refused_where_channels_are_undecided(monkeypatch, compiled):
    class Unstated(type(OPS["relu"])):
        contract = None

    monkeypatch.setitem(OPS, "unstated", Unstated("unstated", "relu", "ReLU", keeps_zero=True))
    text = """space s(classes = 2) {{
      x = image(1, size=8)
      y = x -> conv(3, {}) -> unstated
      return y -> global_avg_pool -> linear(classes)
    }}"""
    compiled(text.format("4"))
    with pytest.raises(CompileError, match="E0409"):
        compiled(text.format("{4, 8}"))


@pytest.mark.parametrize("norm", ["layer_norm", "rms_norm"])
@pytest.mark.parametrize("rank", [0, 2], ids=["vector", "map"])
def test_norms_weigh_their_statistics_by_the_mask(rank, norm):
    """At soft gates: mean = sum(M x) / sum(M), variance = sum(M (x - mean)^2) / sum(M), the survival M of the width; of
    an RMS norm the mean is 0."""
    draw = Draw(OPS[norm], 0)
    draw.node("input", "image" if rank else "features", (), {"channels": 3, **({"size": 4} if rank else {})})
    width = draw.table.decide(Decision("w", (2, 5, 6)))
    draw.node("norm", norm, (("x", draw.value("wide", rank, [width])),), {"eps": 1e-5})
    decisions = tuple(draw.table.decisions.values())
    graph = run(Graph("s", decisions, (), (), tuple(draw.nodes), "norm"), FRONT, ELABORATED)
    torch.manual_seed(0)
    supernet = build(graph).double()
    randomise(supernet)
    images = torch.randn(3, *graph.input.shape.values(), dtype=torch.float64)
    noise = torch.randn(3, dtype=torch.float64)
    got = supernet.train()(images, noise=noise).logits
    named = [p for name, p in supernet.named_parameters() if name != "gates.logits"]
    kernel, bias, scale, *shifts = sorted(named, key=lambda p: p.dim() != 2 + rank)
    gates = noise.softmax(0)
    survival = torch.stack([*[gates.sum()] * 2, *[gates[1] + gates[2]] * 3, gates[2]])

    def wide(channels: torch.Tensor) -> torch.Tensor:
        return channels.view(1, -1, *[1] * rank)

    x = torch.einsum("oc,nc...->no...", kernel.flatten(1), images) + wide(bias)
    mean = (wide(survival) * x).sum(1, keepdim=True) / survival.sum() if shifts else 0.0
    variance = (wide(survival) * (x - mean) ** 2).sum(1, keepdim=True) / survival.sum()
    normal = (x - mean) / (variance + 1e-5).sqrt()
    close(got, wide(survival) * (normal * wide(scale) + sum(map(wide, shifts))))


def test_every_op_and_cost_says_what_it_is():
    for one in (*OPS.values(), *COSTS.values()):
        assert type(one).__dict__.get("__doc__"), one.name


def test_no_file_outside_the_ops_asks_for_an_op_by_its_name():
    """A new op is one file: whoever must know something of an op asks its class. But for `cost/imported`: the tables of
    other projects have words for their own few ops, and none for a new one of ours."""
    names = "|".join(sorted(OPS))
    asks = re.compile(rf"""\.op\s*(==|!=|in\b|not in\b)|case\s+["']({names})["']|OPS\[["']""")
    found = [
        f"{path}:{number}: {line.strip()}"
        for path in sorted(Path("nasir").rglob("*.py"))
        if not any(part in path.as_posix() for part in ("ir/ops", "cost/imported"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if asks.search(line)
    ]
    assert not found


def test_the_verifier_holds_nodes_to_their_op_s_declaration():
    from nasir.ir.facts import Fact, InvalidGraph, verify

    source = Node("x", "image", (), (("channels", 3), ("size", 4)))
    conv = Node("y", "conv", (("x", "x"),), tuple(with_width(OPS["conv"], 4, {"kernel": 3}).items()))
    verify(Graph("s", nodes=(source, conv), output="y"), frozenset((Fact.WELL_FORMED,)))
    for broken, message in (
        (replace(conv, operands=(("a", "x"),)), "has the operands a, and conv takes x"),
        (replace(conv, operands=(("x", "x"), ("y", "x"))), "has the operands x, y"),
        (replace(conv, attributes=conv.attributes[1:]), "has no kernel"),
        (replace(conv, attributes=(*conv.attributes, ("scale", 2))), "has the attribute scale"),
        (
            replace(conv, attributes=(("kernel", 0), *conv.attributes[1:])),
            "kernel=0, which must be a whole number",
        ),
        (replace(conv, clears="out"), "clears out, which conv cannot"),
        (replace(conv, gates=(("z", ((),)),)), "has a gate on z"),
        (replace(conv, op="mix", operands=(), attributes=()), "has the operands of nothing"),
    ):
        with pytest.raises(InvalidGraph, match=message):
            verify(Graph("s", nodes=(source, broken), output="y"), frozenset((Fact.WELL_FORMED,)))
