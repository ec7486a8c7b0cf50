"""Peak memory of activations, and the room that weights take."""

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from nasir.cost.base import AdditiveCost, Cost
from nasir.cost.liveness import Live, Moment, moments
from nasir.ir.activity import NEVER, holds
from nasir.ir.circuit import Polynomial, total
from nasir.ir.graph import Type
from nasir.ir.ops import OPS, Op, Tensors, elements
from nasir.ir.sizes import Number, Sizing
from nasir.ir.values import Value

if TYPE_CHECKING:
    from nasir.cost.model import CostModel, Network

UNITS: Mapping[str, float] = {"": 1, "KB": 2**10, "MB": 2**20}


class Memory(Cost):
    """The most bytes of activations that are alive at once, for one image.

    Kernels run in the order of the emitted module: a convolution with its batch norm and activation is one, and writes
    its result while its inputs are there; an activation alone writes over what it alone reads; a value goes with its
    last reader. The image counts, weights do not (`flash`). Under the gates it is the largest over the places of a
    network of the expected bytes there.
    """

    name = "memory"
    quantity = "memory"
    unit = "bytes of activations"
    title = "Peak memory of activations"
    bytes = 4
    words = "most bytes of activations alive at once for one image, in float32"
    units = UNITS

    def at(self, network: "Network") -> int:
        found = (
            self._bytes(moment, network)
            for moment in self._moments(network.model)
            if holds(moment.kernel.condition, network.known)
        )
        return max(found, default=0)

    def _bytes(self, moment: Moment, network: "Network") -> int:
        alive = (elements(live.type, network.size) for live in moment.values if holds(live.condition, network.known))
        count = sum(alive, 0)
        assert isinstance(count, int), "sizes are exact"
        return self.bytes * count

    def expected(self, model: "CostModel") -> tuple[Polynomial, ...]:
        known: dict[Live, Polynomial] = {}
        found: list[Polynomial] = []
        for place in _places(model, self._moments(model)):
            lives = [live for moment in place for live in moment.values]
            for live in lives:
                if live not in known:
                    known[live] = self._expected(live, model)
            found.append(total(known[live] for live in lives))
        return tuple(found)

    def _expected(self, live: Live, model: "CostModel") -> Polynomial:
        """The expected bytes of a value where it is alive."""
        condition = model.distributions.condition(live.condition)
        parts: list[Polynomial] = []
        for segments in _products(live.type):
            moment = model.distributions.moment(segments, condition)
            constant = math.prod(size for size in segments if isinstance(size, int))
            parts.append(Polynomial({tuple(sorted(moment)): float(self.bytes * constant)}))
        return total(parts)

    def growing(self, model: "CostModel") -> frozenset[str]:
        from nasir.cost.model import NodeSums

        every = frozenset(name for name, op in OPS.items() if not op.is_soft)
        return model.kept("growing memory", lambda: NodeSums(model, every).growing)

    def _moments(self, model: "CostModel") -> list[Moment]:
        return model.kept("moments", lambda: moments(model.graph, model.distributions))


def _products(type: Type) -> Iterator[tuple[Value, ...]]:
    """The products of sizes that a value's elements are the sum of: a segment of channels each."""
    for segment in type.channels:
        yield (segment, *type.sizes)


def _places(model: "CostModel", found: list[Moment]) -> list[list[Moment]]:
    """The moments of alternatives of one place together, those of which no network has two."""
    diagrams = model.distributions.diagrams
    places: dict[str, list[list[Moment]]] = {}
    for moment in found:
        there = places.setdefault(moment.place, [])
        for group in there:
            if all(diagrams.both(one.kernel.condition, moment.kernel.condition) is NEVER for one in group):
                group.append(moment)
                break
        else:
            there.append([moment])
    return [group for there in places.values() for group in there]


class MemoryInt8(Memory):
    """`memory(int8)`: the same where activations are bytes."""

    name = "memory(int8)"
    unit = "bytes of activations (int8)"
    title = "Peak memory of activations (int8)"
    bytes = 1
    words = "most bytes of activations alive at once for one image, in int8"


class Flash(AdditiveCost):
    """The bytes of all weights, in float32."""

    name = quantity = "flash"
    unit = "bytes of weights"
    title = "Room for weights"
    bytes = 4
    words = "bytes of all trainable parameters, in float32"
    units = UNITS

    def price(self, op: Op, it: Tensors, size: Sizing) -> Number:
        return self.bytes * op.params(it, size)


class FlashInt8(Flash):
    """`flash(int8)`: the same where weights are bytes."""

    name = "flash(int8)"
    quantity = "flash"
    unit = "bytes of weights (int8)"
    title = "Room for weights (int8)"
    bytes = 1
    words = "bytes of all trainable parameters, in int8"


offered = (Memory, MemoryInt8, Flash, FlashInt8)
