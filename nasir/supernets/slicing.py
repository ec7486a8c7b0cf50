"""The weights of one network, cut out of the supernet's."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from nasir.ir.activity import holds, node_activities
from nasir.ir.distributions import Distributions
from nasir.ir.graph import Choices, Graph, is_decided
from nasir.ir.naming import module_paths
from nasir.ir.ops import OPS, Tensors, tensors
from nasir.ir.path import Path
from nasir.ir.sizes import evaluate, resolve
from nasir.ir.values import Scalar, Value
from nasir.passes.base import run
from nasir.passes.pipeline import CHECKED, derivation


def sliced_state(root: nn.Module, space: Graph, modules: Mapping[str, str], choices: Choices) -> dict[str, Tensor]:
    """A state_dict for the emitted module of `choices`; tensors are copies."""
    network = run(space, derivation(choices), CHECKED)
    paths = module_paths(network)
    known = evaluate(space, choices)
    distributions = Distributions(space.decision_map, space.dim_map)
    origins = _origins(space, network, known)
    state: dict[str, Tensor] = {}
    for node in network.nodes:
        if not OPS[node.op].weights:
            continue
        origin = origins[node.name]
        module = root.get_submodule(modules[origin])
        found = {**dict(module.named_parameters()), **dict(module.named_buffers())}
        for weight, axes in OPS[node.op].weights.items():
            if weight in found:
                cut = _cut(found[weight], axes, tensors(space, origin), known, distributions)
                state[f"{paths[node.name]}.{weight}"] = cut
        if "num_batches_tracked" in found:
            state[f"{paths[node.name]}.num_batches_tracked"] = found["num_batches_tracked"].clone()
    return state


def _origins(space: Graph, network: Graph, known: Mapping[str, Scalar]) -> dict[str, str]:
    """The space's node that each node of the network was: of those with its flat name, the active one."""
    activities = node_activities(space, Distributions(space.decision_map, space.dim_map))
    # A mixture has the flat name of the ops it mixes, and no weights of its own.
    weighted = [node for node in space.nodes if OPS[node.op].weights]
    active = {str(Path(node.name).flat): node.name for node in weighted if holds(activities[node.name], known)}
    return {node.name: active[node.name] for node in network.nodes if OPS[node.op].weights}


def _cut(
    weight: Tensor, axes: Sequence[str], it: Tensors, known: Mapping[str, Scalar], distributions: Distributions
) -> Tensor:
    for axis, of in enumerate(axes):
        if of == "-":
            continue
        layout = it.out.channels if of == "out" else it.operands[of].channels
        if all(map(is_decided, layout)):  # nothing to cut; groups make the axis shorter than the layout
            continue
        groups = sum(map(distributions.largest, layout)) // weight.shape[axis]
        layout = layout[: len(layout) // groups]
        kept = torch.tensor(_kept(layout, known, distributions), device=weight.device)
        weight = weight.index_select(axis, kept)
    return weight.detach().clone()


def _kept(layout: Sequence[Value], known: Mapping[str, Scalar], distributions: Distributions) -> list[int]:
    """The channels that a layout keeps: the first ones of each of its segments."""
    kept: list[int] = []
    start = 0
    for segment in layout:
        kept += range(start, start + int(resolve(segment, known)))
        start += distributions.largest(segment)
    return kept
