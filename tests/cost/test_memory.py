"""Peak memory against a count over the emitted module's own trace, and under the gates."""

import pytest
import torch
from torch import fx, nn

import nasir
from nasir.cost.registry import COSTS
from nasir.supernets import build
from tests.conftest import each_searched_space, load_small

_ROOTS = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.Linear)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
_ACTIVATIONS = {
    "relu",
    "relu6",
    "hardswish",
    "hardsigmoid",
    "sigmoid",
    "silu",
    "gelu",
    "mish",
    "elu",
    "tanh",
    "leaky_relu",
}
_VIEWS = {"flatten", "dropout", "getitem", "chunk", "movedim", "identity"}


class _Leaves(fx.Tracer):
    def is_leaf_module(self, m, qualified_name):
        return type(m).__module__.startswith("torch.nn") and not isinstance(m, (nn.Sequential, nn.ModuleList))


def _kind(node, modules):
    if node.op == "call_module":
        return type(modules[node.target])
    return node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")


def traced_peak(module: nn.Module, example: torch.Tensor) -> int:
    """The most bytes alive at once of a module's own trace: its ops in the order in which it calls them, each value
    until its last reader; a convolution with what is computed while it is written is one step."""
    tracer = _Leaves()
    graph = tracer.trace(module.eval())
    modules = dict(module.named_modules())
    sizes: dict[fx.Node, int] = {}

    class Sizing(fx.Interpreter):
        def run_node(self, n):
            value = super().run_node(n)
            sizes[n] = value.numel() * 4 if isinstance(value, torch.Tensor) else 0
            return value

    with torch.no_grad():
        Sizing(fx.GraphModule(module, graph)).run(example)
    home: dict[fx.Node, fx.Node] = {}  # the node whose memory a value is
    steps: list[tuple[list[fx.Node], list[fx.Node]]] = []
    of_root: dict[fx.Node, int] = {}
    for node in graph.nodes:
        reads = list(dict.fromkeys(home[one] for one in node.all_input_nodes))
        kind = _kind(node, modules)
        name = kind.__name__.lower() if isinstance(kind, type) else kind
        (first, *_) = [*reads, None]
        alone = first is not None and len(node.all_input_nodes[0].users) == 1
        elementwise = name in _ACTIVATIONS or kind in _NORMS
        folds = first in of_root and (of_root[first] == 0 or (of_root[first] == 1 and kind not in _NORMS))
        if node.op in {"placeholder", "get_attr"} or name == "getitem":
            home[node] = node
        elif name == "chunk":
            home[node] = node
            steps.append((reads, [*node.users]))
        elif node.op == "output" or name in _VIEWS:
            home[node] = first
        elif elementwise and alone and folds:
            home[node] = first
            of_root[first] = 1 if kind in _NORMS else 2
        elif elementwise and alone and first.op != "placeholder":
            home[node] = first
            of_root.pop(first, None)
            steps.append((reads, []))
        else:
            home[node] = node
            of_root.pop(first, None) if first is not None and not alone else None
            if kind in _ROOTS:
                of_root[node] = 0
            steps.append((reads, [node]))
    last = {}
    for place, (reads, _) in enumerate(steps):
        last.update(dict.fromkeys(reads, place))
    results = [home[node] for node in graph.nodes if node.op == "output"]
    last.update({one: len(steps) for one in results if one is not None})
    alive, peak = {node for node in graph.nodes if node.op == "placeholder"}, 0
    for place, (_, writes) in enumerate(steps):
        alive.update(writes)
        peak = max(peak, sum(sizes[one] for one in alive))
        alive = {one for one in alive if last.get(one, -1) > place}
    return peak


@pytest.mark.parametrize("name", ["digits", "signals", "mnasnet", "resnets", "unets", "spos", "densenets"])
def test_peak_memory_is_that_of_the_emitted_module(name, emitted):
    space = load_small(next(p for p in _paths() if p.stem == name))
    for seed in range(3):
        network = space.at(space.sample(seed))
        example = torch.zeros(1, *network.graph.input.shape.values())
        assert network.costs.at({}, ("memory",))["memory"] == traced_peak(emitted(network), example)


def _paths():
    from tests.conftest import all_spaces

    return [path for path in all_spaces() if path.parent.name != "zoo"]


@each_searched_space
def test_a_space_has_the_memory_of_its_networks(path):
    space = load_small(path)
    for seed in range(2):
        choices = space.sample(seed)
        names = ("memory", "memory(int8)", "flash(int8)")
        assert space.costs.at(choices, names) == space.at(choices).costs.at({}, names)


def test_under_the_gates_it_is_the_largest_place_and_exact_at_one_hot():
    space = nasir.load("digits")
    supernet = build(space.graph, costs=(COSTS["memory"],))
    for seed in range(5):
        choices = space.sample(seed)
        assert int(supernet.cost(choices)["memory"]) == space.costs.at(choices, ("memory",))["memory"]
    even = supernet.cost()["memory"]
    least, most = space.range("memory")
    assert least < float(even.detach()) < most
    (gradient,) = torch.autograd.grad(even, [next(supernet.architecture())])
    assert gradient.abs().sum() > 0


def test_flash_is_what_weights_take():
    network = nasir.load("zoo/fbnetv2_f1")
    costs = network.costs.at({}, ("params", "flash", "flash(int8)"))
    assert costs["flash"] == 4 * costs["params"] == 4 * costs["flash(int8)"]


def test_an_activation_alone_writes_over_what_it_alone_reads(compiled):
    head = "space a(c = 1) { x = image(1, size=8)\n y = x -> conv(1, 1) -> upsample(2)\n"
    alone = compiled(head + " return y -> relu -> conv(1, c, stride=2) }")
    assert alone.costs.at({}, ("memory",))["memory"] == 4 * (64 + 256)  # the upsampling, not 256 and 256
    shared = compiled(head + " return y * (y -> relu) -> conv(1, c, stride=2) }")
    assert shared.costs.at({}, ("memory",))["memory"] == 4 * 3 * 256
    image = compiled("space a(c = 1) { x = image(2, size=8)\n return x -> relu -> conv(1, c) }")
    assert image.costs.at({}, ("memory",))["memory"] == 4 * 2 * (2 * 64)  # the image is not written over
