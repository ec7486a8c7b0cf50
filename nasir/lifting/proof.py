"""That a program is the network: step by step, and on inputs."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from nasir.api import Space, emit
from nasir.execution import network_class
from nasir.ir.graph import Node
from nasir.ir.naming import module_paths
from nasir.ir.ops import OPS, Tensors
from nasir.ir.ops.arithmetic import Add, Mul
from nasir.ir.ops.outputs import Outputs
from nasir.ir.values import Value
from nasir.jobs.progress import Stages, silent
from nasir.lifting import mistakes
from nasir.lifting.declared import inferred
from nasir.lifting.network import UserNetwork
from nasir.lifting.steps import Lifted, Step
from nasir.weights import load_all

TOLERANCE = 1e-5
INPUTS = 3
_SEED = 20


@dataclass(frozen=True)
class Proof:
    """The greatest difference between the outputs of the network and of the emitted module, as a share of the largest
    output: with the network's weights, and with those of its layers random that are all alike. A batch norm that begins
    at zero would hide what is before it; None where such weights are made of others."""

    error: float
    stirred: float | None

    @property
    def worst(self) -> float:
        """The greater one."""
        return max(self.error, self.stirred or 0.0)

    @property
    def holds(self) -> bool:
        return self.worst <= TOLERANCE


# Step by step


def steps_of(space: Space, lifted: Lifted) -> Mapping[str, Step] | None:
    """The step that each node of a decided space is; None where it is another network."""
    forms: dict[object, int] = {}
    nodes, ours = space.graph.by_name, dict[str, int]()
    for node in space.graph.nodes:
        ours[node.name] = _form(node.op, dict(node.attributes), [ours[one] for one in node.inputs], forms)
    steps, theirs = {step.name: step for step in lifted.steps}, dict[str, int]()
    for step in lifted.steps:
        theirs[step.name] = _form(step.op, _settled(step, steps), [theirs[one] for one in step.operands], forms)
    last = nodes[space.graph.output]
    ends = dict(last.operands) if isinstance(OPS[last.op], Outputs) else {lifted.outputs[0][0]: last.name}
    if ends.keys() != dict(lifted.outputs).keys():
        return None
    found: dict[str, Step] = {}
    pairs = [(nodes[ends[name]], steps[step]) for name, step in lifted.outputs]
    while pairs:
        node, step = pairs.pop()
        if ours[node.name] != theirs[step.name] or found.get(node.name, step) is not step:
            return None
        if node.name not in found:
            found[node.name] = step
            inputs, operands = _ordered(node.op, node.inputs, ours), _ordered(step.op, step.operands, theirs)
            pairs += [(nodes[a], steps[b]) for a, b in zip(inputs, operands, strict=True)]
    return found


def _form(op: str, attributes: Mapping[str, Value], operands: Sequence[int], forms: dict[object, int]) -> int:
    """A number for all that is computed alike."""
    operands = sorted(operands) if _commutes(op) else operands
    return forms.setdefault((op, tuple(sorted(map(str, attributes.items()))), tuple(operands)), len(forms))


def _ordered(op: str, operands: Sequence[str], forms: Mapping[str, int]) -> Sequence[str]:
    return sorted(operands, key=forms.__getitem__) if _commutes(op) else operands


def _commutes(op: str) -> bool:
    return op in {Add.name, Mul.name}


def _settled(step: Step, steps: Mapping[str, Step]) -> Mapping[str, Value]:
    """The attributes of a step as a graph has them."""
    op = OPS[step.op]
    labels = [str(i) for i in range(len(step.operands))] if op.operands == ("...",) else op.operands
    operands = {label: steps[one].type for label, one in zip(labels, step.operands, strict=True)}
    it = inferred(op, Tensors(Node(step.op, step.op, attributes=step.attributes), operands))
    assert it is not None, "a step was an op before"
    return dict(it.node.attributes)


# On inputs


def state_of(space: Space, found: Mapping[str, Step]) -> dict[str, Tensor]:
    """The network's weights by their names in the module that is emitted for the space."""
    paths = module_paths(space.graph)
    return {
        f"{paths[node]}.{name}": tensor.detach().contiguous().clone()
        for node, step in found.items()
        for name, tensor in step.weights.items()
    }


def emitted(space: Space, state: Mapping[str, Tensor]) -> nn.Module:
    """The module that is emitted for a decided space, with these weights; how often a batch norm was trained is none of
    them."""
    module = network_class(Path(f"{space.name}.py"), emit(space))()
    load_all(module, state)
    return module.eval()


def check_finite(network: UserNetwork, where: str) -> None:
    """What a network makes of normal noise are numbers, so that another one can be compared with it.

    Raises:
        CompileError: where they are not.
    """
    with torch.no_grad():
        outputs = _tensors(network.module(_inputs(network)))
    if not all(bool(torch.isfinite(one).all()) for one in outputs):
        raise mistakes.not_finite(where)


def unused(module: nn.Module, found: Mapping[str, Step]) -> dict[str, int]:
    """The parameters that no step has, counted by the modules that they are in; nothing where the steps' weights are
    made of others, and that cannot be told."""
    if not _are_own(module, found):
        return {}
    taken = {tensor.data_ptr() for step in found.values() for tensor in step.weights.values()}
    counts: dict[str, int] = {}
    for name, parameter in module.named_parameters():
        if parameter.data_ptr() not in taken:
            owner = name.rpartition(".")[0] or name
            counts[owner] = counts.get(owner, 0) + parameter.numel()
    return counts


def _inputs(network: UserNetwork) -> Tensor:
    return torch.randn(INPUTS, *network.input, generator=torch.Generator().manual_seed(_SEED))


def proved(network: UserNetwork, space: Space, found: Mapping[str, Step], told: Stages = silent) -> Proof:
    """How the emitted module differs from the network; `told` is told of each comparison."""
    inputs = _inputs(network)

    def error() -> float:
        return _difference(network.module, emitted(space, state_of(space, found)), inputs)

    weights = 2 if _are_own(network.module, found) else 1
    told("compared", 0, weights)
    first = error()
    told("compared", 1, weights)
    if weights == 1:
        return Proof(first, None)
    with _stirred(network.module, found):
        second = error()
    told("compared", 2, weights)
    return Proof(first, second)


def _difference(first: nn.Module, second: nn.Module, inputs: Tensor) -> float:
    with torch.no_grad():
        expected, got = (_tensors(module(inputs.clone())) for module in (first, second))
    worst = 0.0
    for a, b in zip(expected, got, strict=True):
        if a.shape != b.shape or not bool(torch.isfinite(a).all()):
            return float("inf")
        worst = max(worst, float((a - b).abs().max() / a.abs().max().clamp_min(torch.finfo(a.dtype).tiny)))
    return worst


def _tensors(result: Any) -> list[Tensor]:
    return [one for one in tree_leaves(result) if isinstance(one, Tensor)]


def _are_own(module: nn.Module, found: Mapping[str, Step]) -> bool:
    """Whether the steps' weights are the network's own tensors, not made of them."""
    own = _own(module)
    alike = (tensor for step in found.values() for tensor in step.weights.values() if not _is_constant(tensor))
    return all(tensor.data_ptr() in own for tensor in alike)


def _own(module: nn.Module) -> set[int]:
    """Where the network's own numbers are."""
    return {tensor.data_ptr() for tensor in (*module.parameters(), *module.buffers())}


def _is_constant(tensor: Tensor) -> bool:
    return not tensor.numel() or bool((tensor == tensor.flatten()[0]).all())


@contextmanager
def _stirred(module: nn.Module, found: Mapping[str, Step]) -> Generator[None]:
    """With other numbers in the place of the network's weights and statistics that are all alike, where they are a
    step's: what is made of others is a number of the program. As they were after."""
    draw, own = torch.Generator().manual_seed(_SEED), _own(module)
    weights = {tensor.data_ptr(): tensor for step in found.values() for tensor in step.weights.values()}
    # Not by the tensors themselves: a weight may be a view of a parameter, and autograd forbids to change that.
    alike = [
        tensor.data
        for place, tensor in weights.items()
        if place in own and tensor.is_floating_point() and _is_constant(tensor)
    ]
    before = [tensor.clone() for tensor in alike]
    try:
        for tensor, old in zip(alike, before, strict=True):
            tensor.copy_(old + 0.5 * torch.rand(old.shape, generator=draw))
        yield
    finally:
        for tensor, old in zip(alike, before, strict=True):
            tensor.copy_(old)
