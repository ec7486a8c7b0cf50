"""A supernet that starts from the weights of a network it has: those of a trained one."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nasir.ir.graph import Choices, Graph
from nasir.ir.path import Path
from nasir.ir.values import Scalar
from nasir.supernets.module import Supernet
from nasir.supernets.ordering import sort_channels


@dataclass(frozen=True)
class Given:
    """Weights of one of a space's networks, by the names of its emitted module; `choices` are the network's, where the
    file says them, as `nasir lift --open` does."""

    tensors: Mapping[str, Tensor]
    choices: Choices | None = None


@dataclass(frozen=True)
class Started:
    """Which tensors the supernet took: names of the file that it has no place for, or of another shape, and names of
    the network that the file lacks."""

    used: tuple[str, ...]
    unused: tuple[str, ...]
    missing: tuple[str, ...]


def start_from(supernet: Supernet, state: Mapping[str, Tensor], choices: Choices) -> Started:
    """Put the weights of the network of `choices`, by the names of its emitted module, into the supernet.

    The channels of each width then stand by importance, so that narrower networks keep the best of them
    (`ordering.sort_channels`); what stands in a layer's place in another of its alternatives takes the same weights, of
    another kernel with zeros around, or their middle. The network of `choices` is the function that the weights are of.
    """
    space = supernet.space
    found = supernet.slices_for(choices)
    used = [one for one in found if one.name in state and one.put(state[one.name])]
    trained = list(dict.fromkeys(one.node for one in used))
    weights = {name: _tensors(supernet, path) for name, path in supernet.modules_by_node.items()}
    for one, other in _alternatives(space, trained, weights):
        for name in weights[one].keys() & weights[other].keys():
            _centre(weights[one][name], weights[other][name])
    sort_channels(space, weights, trained)
    names = {one.name for one in used}
    return Started(
        tuple(one.name for one in used),
        tuple(sorted(state.keys() - names)),
        tuple(one.name for one in found if one.name not in names),
    )


def start_anywhere(supernet: Supernet, given: Given) -> Started:
    """`start_from` for the network that the weights say they are of, or else the one that they fit best."""
    own = dict(given.choices or {})
    options = {d.name: d.options for d in supernet.space.decisions}
    is_one = own.keys() == options.keys() and all(own[name] in options[name] for name in own)
    return start_from(supernet, given.tensors, own if is_one else fitting_choices(supernet, given.tensors))


def fitting_choices(supernet: Supernet, state: Mapping[str, Tensor]) -> dict[str, Scalar]:
    """The network that has the most of these weights, by name and shape: from the largest one each decision in turn
    takes its best option, until none changes."""
    space = supernet.space

    def fits(choices: Choices) -> int:
        found = supernet.slices_for(choices)
        return sum(1 if one.name in state and list(state[one.name].shape) == one.shape else -1 for one in found)

    choices: dict[str, Scalar] = {d.name: _largest(d.options) for d in space.decisions}
    best, before = fits(choices), -1
    while best != before and best < len(state):
        before = best
        for decision in space.decisions:
            for option in decision.options:
                if option != choices[decision.name] and (count := fits({**choices, decision.name: option})) > best:
                    best, choices[decision.name] = count, option
    return choices


def _largest(options: tuple[Scalar, ...]) -> Scalar:
    """The largest number, or the first of what is none."""
    numbers = [option for option in options if isinstance(option, (int, float))]
    return max(numbers) if len(numbers) == len(options) else options[0]


def _tensors(supernet: Supernet, path: str) -> dict[str, Tensor]:
    module = supernet.get_submodule(path)
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def _alternatives(space: Graph, trained: Sequence[str], known: Container[str]) -> Iterator[tuple[str, str]]:
    """Nodes that took weights, each with those of the same op in its place in another alternative."""
    by_place: dict[tuple[str, str], list[str]] = {}
    for node in space.nodes:
        if node.name in known:
            by_place.setdefault((Path(node.name).flat, node.op), []).append(node.name)
    took = set(trained)
    for names in by_place.values():
        own = [name for name in names if name in took]
        yield from ((own[0], name) for name in names if own and name not in took)


def _centre(values: Tensor, target: Tensor) -> None:
    """The values where they fit; a kernel in the middle of a larger one, or its middle in a smaller one."""
    if values.shape[:2] != target.shape[:2] or values.dim() != target.dim():
        return
    here, there = [slice(None), slice(None)], [slice(None), slice(None)]
    for a, b in zip(values.shape[2:], target.shape[2:], strict=True):
        least = min(a, b)
        here.append(slice((a - least) // 2, (a - least) // 2 + least))
        there.append(slice((b - least) // 2, (b - least) // 2 + least))
    with torch.no_grad():
        target.zero_()
        target[tuple(there[: target.dim()])] = values[tuple(here[: target.dim()])]
