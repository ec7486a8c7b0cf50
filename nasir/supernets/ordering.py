"""Channels by importance: a supernet's weights are turned so that a narrower network, which keeps the first channels of
each width, keeps the best of them.

The channels of one width are turned together wherever they are made, normalised and read, so that the widest network is
the same function as before. Widths that meet in a sum, a product or a choice are one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nasir.ir.dims import SELECT
from nasir.ir.distributions import Distributions
from nasir.ir.graph import Graph, Node, Type, layout_of
from nasir.ir.ops import OPS, Contract, tensors
from nasir.ir.values import Ref, Value

_MEETING = (Contract.SUM, Contract.PRODUCT, Contract.GATED, Contract.MIXTURE)
_MIXING = (Contract.MIXES, Contract.SOURCE)


@dataclass(frozen=True)
class Axis:
    """Where channels of a width are in a weight: along `axis`, from `start` on, as many as the width has."""

    weight: Tensor
    axis: int
    start: int
    length: int

    @property
    def channels(self) -> Tensor:
        """The part of the weight, a view."""
        return self.weight.narrow(self.axis, self.start, self.length)

    def strength(self) -> Tensor:
        """The L1 norm of each channel, over their mean, [length]."""
        others = [axis for axis in range(self.weight.dim()) if axis != self.axis]
        norms = self.channels.detach().abs().sum(others) if others else self.channels.detach().abs()
        return norms / norms.mean().clamp_min(1e-12)

    def turn(self, order: Tensor) -> None:
        """Put the channels into this order."""
        with torch.no_grad():
            self.channels.copy_(self.channels.index_select(self.axis, order))


class Widths:
    """The widths of a space that are decided apart, and those of them that a turn would not leave as they are."""

    def __init__(self, space: Graph) -> None:
        self._space = space
        self._distributions = Distributions(space.decision_map, space.dim_map)
        self._parent: dict[str, str] = {}
        self._fixed: set[str] = set()
        for dim in space.dims:
            if dim.function == SELECT:
                for case in dim.args[1:]:
                    self._meet(Ref(dim.name), case)
        for node in space.nodes:
            self._take(node)

    def of(self, value: Value) -> str | None:
        """The width that a channel segment is of; None where its channels cannot be turned."""
        if not isinstance(value, Ref):
            return None
        root = self._root(value.name)
        return None if root in self._fixed else root

    def segments(self, type: Type) -> Iterator[tuple[Value, int, int]]:
        """The channel segments of a type, with their places in the supernet's tensor: start and length."""
        start = 0
        for segment in type.channels:
            length = self._distributions.largest(segment)
            yield segment, start, length
            start += length

    def _take(self, node: Node) -> None:
        """What an op does with its operands' channels."""
        op, types = OPS[node.op], [self._space.by_name[name].shape for name in node.inputs]
        joined = layout_of(segment for type in types for segment in type.channels)
        if op.contract in _MEETING and (len(types) == 1 or joined != node.shape.channels):
            self._together([*types, node.shape])
        elif op.contract not in (*_MIXING, *_MEETING) and any(type.channels != node.shape.channels for type in types):
            self._fix(*types, node.shape)  # parts, flattenings: channels are others than they were
        if node.has("groups") and node["groups"] != 1:  # groups are of neighbours
            self._fix(*types, node.shape)

    def _together(self, types: Sequence[Type]) -> None:
        """The channels of these are added, multiplied or chosen among, one by one."""
        widest = max(len(type.channels) for type in types)
        pooled = [type for type in types if len(type.channels) == widest]
        if len(pooled) < len(types):
            self._fix(*types)
            return
        first, *others = pooled
        for other in others:
            for a, b in zip(first.channels, other.channels, strict=True):
                self._meet(a, b)

    def _meet(self, a: Value, b: Value) -> None:
        """Two widths whose channels are added or stand for each other."""
        names = [value.name for value in (a, b) if isinstance(value, Ref)]
        sizes = {self._distributions.largest(value) if not isinstance(value, str) else 0 for value in (a, b)}
        if len(names) == 2:
            one, other = map(self._root, names)
            if one != other:
                self._parent[one] = other
                if one in self._fixed:
                    self._fixed.add(other)
        if names and (len(names) < 2 or len(sizes) > 1):
            self._fixed.add(self._root(names[0]))

    def _fix(self, *types: Type) -> None:
        for type in types:
            self._fixed.update(self._root(value.name) for value in type.channels if isinstance(value, Ref))

    def _root(self, name: str) -> str:
        while self._parent.setdefault(name, name) != name:
            name = self._parent[name]
        return name


def axes_of(space: Graph, weights: Mapping[str, Mapping[str, Tensor]]) -> Mapping[str, list[Axis]]:
    """Where the channels of each width are, in the weights of nodes, by the nodes' names."""
    widths, found = Widths(space), dict[str, list[Axis]]()
    for name, own in weights.items():
        it = tensors(space, name)
        for weight, axes in OPS[it.node.op].weights.items():
            for axis, of in enumerate(axes if weight in own else ()):
                if of == "-":
                    continue
                for segment, start, length in widths.segments(it.out if of == "out" else it.operands[of]):
                    width = widths.of(segment)
                    if width is not None and start + length <= own[weight].shape[axis]:
                        found.setdefault(width, []).append(Axis(own[weight], axis, start, length))
    return found


def sort_channels(space: Graph, weights: Mapping[str, Mapping[str, Tensor]], trained: Sequence[str]) -> None:
    """Turn the channels of each width, the most important first: by what the weights of the `trained` nodes that make
    and read a channel have in L1, each over its mean (Li et al., 2017, over all layers that share the channel)."""
    strengths = axes_of(space, {name: weights[name] for name in trained})
    for width, axes in axes_of(space, weights).items():
        matrices = [axis for axis in strengths.get(width, ()) if axis.weight.dim() > 1]
        if not matrices:
            continue
        total = torch.stack([axis.strength().float() for axis in matrices]).sum(0)
        order = total.argsort(descending=True, stable=True)
        for axis in axes:
            axis.turn(order)
