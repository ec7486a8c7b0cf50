"""The circuit in torch: every mask, mixture weight, effective size and cost of a step from the gates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, cast

import torch
from torch import Tensor

from nasir.ir.circuit import Circuit
from nasir.supernets.double import Double
from nasir.supernets.gates import cut
from nasir.supernets.layers import recomputed


class SizeValues(NamedTuple):
    """`masks` by layout name, float64 [channels]; `weights` by mixture name, float64 [options]; scalar `costs`."""

    masks: dict[str, Tensor]
    weights: dict[str, Tensor]
    costs: dict[str, Tensor]


ONE_SLOT = -1
"""Stands for the constant 1 among a vector's slots."""


@dataclass(frozen=True)
class Segment:
    """The sizes that a channel segment can have, ascending, and the slots of their probabilities."""

    sizes: tuple[int, ...]
    slots: tuple[int, ...]


@dataclass(frozen=True)
class Mask:
    """The survival functions of channel segments, one after another (Eq. 3), times the slot `gate`."""

    segments: tuple[Segment, ...]
    gate: int = ONE_SLOT

    @property
    def channels(self) -> int:
        return sum(segment.sizes[-1] for segment in self.segments)


class Sizes(Double):
    """Evaluates a circuit level by level: per level one gather and product for all terms, one sum for all slots. All
    masks are then one cumulative sum: M[j] = P(d > j) is the sum of the probabilities of the larger sizes."""

    gathered: Tensor
    tails: Tensor
    survivals: Tensor
    mask_gates: Tensor

    def __init__(
        self,
        circuit: Circuit,
        masks: Mapping[str, Mask],
        weights: Mapping[str, Sequence[int]],
        costs: Mapping[str, Sequence[int]],
    ) -> None:
        super().__init__()
        self._masks = {name: mask.channels for name, mask in masks.items()}
        self._outputs = {"weights": weights, "costs": costs}
        vectors = [slots for group in self._outputs.values() for slots in group.values()]
        read = {slot for slots in vectors for slot in slots}
        read |= {slot for mask in masks.values() for segment in mask.segments for slot in segment.slots}
        read |= {mask.gate for mask in masks.values()}
        needed = _reachable(circuit, read - {ONE_SLOT})
        position = {ONE_SLOT: 0, **{slot: 1 + slot for slot in range(circuit.gates)}}
        by_level: dict[int, list[int]] = {}
        for slot in sorted(needed):
            by_level.setdefault(circuit.levels[slot], []).append(slot)
        self._level_sizes: list[int] = []
        for _, slots in sorted(by_level.items()):
            self._add_level(circuit, slots, position)
        flat = [position[slot] for slots in vectors for slot in slots]
        self.register_buffer("gathered", torch.tensor(flat, dtype=torch.long), persistent=False)
        self._add_masks(masks, position)

    def _add_masks(self, masks: Mapping[str, Mask], position: Mapping[int, int]) -> None:
        """`tails` has a row for each undecided segment: where the probabilities of its sizes are, the largest first
        and the smallest left out. `survivals` says which running sum of the rows each channel's mask is (0: it is 1),
        `mask_gates` where the gate is that multiplies it."""
        segments = {s: None for mask in masks.values() for s in mask.segments if len(s.sizes) > 1}
        rows = {segment: i for i, segment in enumerate(segments)}
        width = max((len(s.sizes) - 1 for s in segments), default=0)
        tails = [[position[slot] for slot in s.slots[:0:-1]] + [0] * (width - len(s.slots) + 1) for s in segments]
        survivals: list[int] = []
        gates: list[int] = []
        for mask in masks.values():
            for segment in mask.segments:
                survivals += [0] * segment.sizes[0]
                for i, (below, size) in enumerate(pairwise(segment.sizes)):
                    survivals += [1 + rows[segment] * width + len(segment.sizes) - 2 - i] * (size - below)
            gates += [position[mask.gate]] * mask.channels
        for name, entries in (("survivals", survivals), ("mask_gates", gates)):
            self.register_buffer(name, torch.tensor(entries, dtype=torch.long), persistent=False)
        self.register_buffer("tails", torch.tensor(tails, dtype=torch.long).reshape(len(rows), width), persistent=False)

    def _add_level(self, circuit: Circuit, slots: list[int], position: dict[int, int]) -> None:
        terms = [
            (target, coefficient, product)
            for target, slot in enumerate(slots)
            for product, coefficient in circuit.definitions[slot - circuit.gates].terms.items()
        ]
        width = max((len(product) for _, _, product in terms), default=0)  # what cannot be is a sum of nothing
        factors = [[position[s] for s in product] + [0] * (width - len(product)) for _, _, product in terms]
        level = f"level{len(self._level_sizes)}"
        self.register_buffer(
            f"{level}_target", torch.tensor([t for t, _, _ in terms], dtype=torch.long), persistent=False
        )
        coefficients = torch.tensor([c for _, c, _ in terms], dtype=torch.float64)
        self.register_buffer(f"{level}_coefficient", coefficients, persistent=False)
        shape = torch.tensor(factors, dtype=torch.long).reshape(len(terms), width)
        self.register_buffer(f"{level}_factors", shape, persistent=False)
        start = len(position)
        position.update({slot: start + i for i, slot in enumerate(slots)})
        self._level_sizes.append(len(slots))

    def forward(self, gates: Tensor) -> SizeValues:
        """All outputs from the gates, shape [total options]. For backward it keeps the gates alone."""
        return self._unpack(recomputed(self._evaluate)(gates))

    def _evaluate(self, gates: Tensor) -> Tensor:
        values = torch.cat([gates.new_ones(1), gates])
        for depth in range(len(self._level_sizes)):
            target, coefficient, factors = (
                cast(Tensor, getattr(self, f"level{depth}_{part}")) for part in ("target", "coefficient", "factors")
            )
            products = coefficient
            for factor in factors.unbind(1):
                products = products * values.index_select(0, factor)
            sums = gates.new_zeros(self._level_sizes[depth]).index_add(0, target, products)
            values = torch.cat([values, sums])
        sums = values[self.tails].cumsum(1).flatten()
        masks = torch.cat([gates.new_ones(1), sums]).index_select(0, self.survivals)
        masks = masks * values.index_select(0, self.mask_gates)
        return torch.cat([masks, values.index_select(0, self.gathered)])

    def _unpack(self, flat: Tensor) -> SizeValues:
        lengths = [len(slots) for group in self._outputs.values() for slots in group.values()]
        parts = iter(cut(flat, [*self._masks.values(), *lengths]))
        groups = (self._masks, *self._outputs.values())
        masks, weights, costs = ({name: next(parts) for name in group} for group in groups)
        return SizeValues(masks, weights, {name: value.amax(0) for name, value in costs.items()})


def _reachable(circuit: Circuit, slots: set[int]) -> set[int]:
    needed: set[int] = set()
    stack = list(slots)
    while stack:
        slot = stack.pop()
        if slot < circuit.gates or slot in needed:
            continue
        needed.add(slot)
        stack += [s for product in circuit.definitions[slot - circuit.gates].terms for s in product]
    return needed
