"""The circuit in torch: every mask, mixture weight, effective size and cost of a step from the gates."""

from collections.abc import Mapping, Sequence
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


class Sizes(Double):
    """Evaluates a circuit level by level: per level one gather and product for all terms, one sum for all slots."""

    gathered: Tensor

    def __init__(
        self,
        circuit: Circuit,
        masks: Mapping[str, Sequence[int]],
        weights: Mapping[str, Sequence[int]],
        costs: Mapping[str, int],
    ) -> None:
        super().__init__()
        self._outputs = {"masks": masks, "weights": weights, "costs": {name: [slot] for name, slot in costs.items()}}
        vectors = [slots for group in self._outputs.values() for slots in group.values()]
        needed = _reachable(circuit, {slot for slots in vectors for slot in slots if slot != ONE_SLOT})
        position = {ONE_SLOT: 0, **{slot: 1 + slot for slot in range(circuit.gates)}}
        by_level: dict[int, list[int]] = {}
        for slot in sorted(needed):
            by_level.setdefault(circuit.levels[slot], []).append(slot)
        self._level_sizes: list[int] = []
        for _, slots in sorted(by_level.items()):
            self._add_level(circuit, slots, position)
        flat = [position[slot] for slots in vectors for slot in slots]
        self.register_buffer("gathered", torch.tensor(flat, dtype=torch.long), persistent=False)

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
        return values.index_select(0, self.gathered)

    def _unpack(self, flat: Tensor) -> SizeValues:
        lengths = [len(slots) for group in self._outputs.values() for slots in group.values()]
        parts = iter(cut(flat, lengths))
        masks, weights, costs = ({name: next(parts) for name in group} for group in self._outputs.values())
        return SizeValues(masks, weights, {name: value.squeeze(0) for name, value in costs.items()})


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
