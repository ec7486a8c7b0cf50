"""The weights of one network, cut out of the supernet's, and put into them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from nasir.ir.activity import holds, node_activities
from nasir.ir.distributions import Distributions
from nasir.ir.graph import Choices, Graph, is_decided
from nasir.ir.naming import module_paths
from nasir.ir.ops import OPS, Tensors, tensors
from nasir.ir.path import Path
from nasir.ir.sizes import evaluate, resolve
from nasir.ir.values import Ref, Scalar, Value
from nasir.passes.base import run
from nasir.passes.explicit_widths import copy_name
from nasir.passes.pipeline import CHECKED, derivation
from nasir.weights import COUNTER


@dataclass(frozen=True)
class Slice:
    """A tensor of a network in the supernet: what the emitted module calls it, the node of the space and the weight
    that it is of, the supernet's tensor, and the places that it keeps along each axis that is cut: a range where they
    are the first ones."""

    name: str
    node: str
    weight: str
    whole: Tensor
    kept: Mapping[int, Sequence[int]]

    @property
    def shape(self) -> list[int]:
        """The network's shape of it."""
        return [len(self.kept[axis]) if axis in self.kept else length for axis, length in enumerate(self.whole.shape)]

    def view(self) -> Tensor:
        """The slice; what is computed of it has a gradient for the supernet's tensor."""
        found = self.whole
        for axis, places in self.kept.items():
            if isinstance(places, range):
                found = found.narrow(axis, 0, len(places))
            else:
                found = found.index_select(axis, torch.tensor(places, device=found.device))
        return found

    def taken(self) -> Tensor:
        """A copy of the slice."""
        return self.view().detach().clone(memory_format=torch.contiguous_format)

    def put(self, values: Tensor) -> bool:
        """Write the slice; whether the values have its shape."""
        if list(values.shape) != self.shape:
            return False
        every = [self.kept.get(axis, range(length)) for axis, length in enumerate(self.whole.shape)]
        index = [torch.tensor(places, device=self.whole.device) for places in every]
        with torch.no_grad():
            if index:
                self.whole[torch.meshgrid(*index, indexing="ij")] = values.to(self.whole)
            else:
                self.whole.copy_(values)
        return True


class Slices:
    """Where the networks of a space have their weights in its supernet. What is the same for all is found once."""

    def __init__(self, space: Graph) -> None:
        self._space = space
        self._distributions = Distributions(space.decision_map, space.dim_map)
        activities = node_activities(space, self._distributions)
        # A mixture has the flat name of the ops it mixes, and no weights of its own.
        self._weighted = [
            (str(Path(node.name).flat), node.name, activities[node.name])
            for node in space.nodes
            if OPS[node.op].weights
        ]

    def of(
        self, choices: Choices, root: nn.Module, modules: Mapping[str, str], network: Graph | None = None
    ) -> Iterator[Slice]:
        """Every tensor of the network of `choices` in the supernet `root`, in the order of the emitted module's.
        `network` is what is derived for the choices, where that is known; `modules` are the supernet's by the names of
        the space's nodes."""
        network = network or run(self._space, derivation(choices), CHECKED)
        paths = module_paths(network)
        known = evaluate(self._space, choices)
        # The space's node that each node of the network was: of those with its flat name, the active one.
        origins = {flat: name for flat, name, activity in self._weighted if holds(activity, known)}
        for node in network.nodes:
            if not OPS[node.op].weights:
                continue
            origin = origins[node.name]
            it, name = tensors(self._space, origin), origin
            if origin not in modules:
                it, name = _copied(it, known)
            module = root.get_submodule(modules[name])
            found = {**dict(module.named_parameters()), **dict(module.named_buffers())}
            for weight, axes in OPS[node.op].weights.items():
                if weight in found:
                    kept = _kept_axes(found[weight], axes, it, known, self._distributions)
                    yield Slice(f"{paths[node.name]}.{weight}", origin, weight, found[weight], kept)
            if COUNTER in found:
                yield Slice(f"{paths[node.name]}.{COUNTER}", origin, COUNTER, found[COUNTER], {})


def _copied(it: Tensors, known: Mapping[str, Scalar]) -> tuple[Tensors, str]:
    """A node that has a copy for each width (`passes.explicit_widths`), as its copy for the width that is known; and
    what that one is called."""
    (width,) = it.out.channels
    value = known[width.name] if isinstance(width, Ref) else width

    def fixed(old: Value) -> Value:
        return value if old == width else old

    operands = {label: one.changed(fixed) for label, one in it.operands.items()}
    return Tensors(replace(it.node, type=it.out.changed(fixed)), operands), copy_name(it.node.name, value)


def _kept_axes(
    weight: Tensor, axes: Sequence[str], it: Tensors, known: Mapping[str, Scalar], distributions: Distributions
) -> dict[int, Sequence[int]]:
    """The places that are kept along each axis that is cut."""
    found: dict[int, Sequence[int]] = {}
    for axis, of in enumerate(axes):
        if of == "-":
            continue
        layout = it.out.channels if of == "out" else it.operands[of].channels
        if all(map(is_decided, layout)):  # nothing to cut; groups make the axis shorter than the layout
            continue
        groups = sum(map(distributions.largest, layout)) // weight.shape[axis]
        layout = layout[: len(layout) // groups]
        found[axis] = _kept(layout, known, distributions)
    return found


def _kept(layout: Sequence[Value], known: Mapping[str, Scalar], distributions: Distributions) -> Sequence[int]:
    """The channels that a layout keeps: the first ones of each of its segments."""
    kept: list[int] = []
    start = 0
    for segment in layout:
        kept += range(start, start + int(resolve(segment, known)))
        start += distributions.largest(segment)
    first = range(len(kept))
    return first if kept == list(first) else kept
