"""Which ops a runtime executes as one, found by measuring: those that together save half of the shorter one."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nasir.cost.kernels import kernels
from nasir.cost.model import CostModel
from nasir.cost.profile import Row
from nasir.cost.tabled import instances
from nasir.cost.written import parts_of, read_kernel
from nasir.ir.ops import OPS, Contract

Sequences = frozenset[tuple[str, ...]]


@dataclass(frozen=True)
class FoundFusions:
    """The sequences of ops that a runtime executes as one, and those that it was found not to."""

    accepted: Sequences = frozenset()
    refused: Sequences = frozenset()


Measure = Callable[[Sequence[str]], Mapping[str, Row]]
"""Kernels measured together."""

_SAVED = 0.5
_INSTANCES = 3
_PLACES = (0.5, 0.8, 0.95)
"""Of the sizes that a pair of ops has in the space: the larger tell more, the largest may be odd."""


def found_fusions(model: CostModel, measure: Measure, known: FoundFusions) -> FoundFusions:
    """What is known with the sequences of ops of a space's networks: each is as long as the runtime goes on."""
    accepted, refused = set(known.accepted), set(known.refused)
    while True:
        tried = _longer(model, accepted) - refused
        by_sequence: dict[tuple[str, ...], list[str]] = {}
        for kernel in kernels(model.graph, model.distributions, accepted | tried):
            if kernel.ops in tried:
                by_sequence.setdefault(kernel.ops, []).extend(text for _, _, text in instances(model, kernel))
        if not by_sequence:
            return FoundFusions(frozenset(accepted), frozenset(refused))
        trials = {ops: _spread(texts) for ops, texts in by_sequence.items()}
        every = dict.fromkeys(text for texts in trials.values() for one in texts for text in _compared(one))
        rows = measure([*every])
        for ops, texts in trials.items():
            is_fused = statistics.median(_saving(rows, text) for text in texts) > _SAVED
            (accepted if is_fused else refused).add(ops)


def _longer(model: CostModel, accepted: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """The ops of the graph, and what is accepted, each with one more op behind it."""
    ops = [*dict.fromkeys(node.op for node in model.graph.nodes), "add"]
    heads = {(name,) for name in ops if not OPS[name].is_free and not OPS[name].is_soft}
    last = [name for name in ops if _follows(name)]
    return {(*head, name) for head in heads | accepted for name in last} - accepted


def _follows(name: str) -> bool:
    """Whether a runtime could compute the op while it writes what comes before, number by number."""
    op = OPS[name]
    joins = op.contract in (Contract.SUM, Contract.PRODUCT) and op.operands != ("...",)
    return bool(op.module) or op.carries == "out" or joins


def _spread(texts: Sequence[str]) -> list[str]:
    """A few of the kernels, of several sizes."""
    ordered = sorted(dict.fromkeys(texts), key=lambda text: read_kernel(text).numbers())
    return [*dict.fromkeys(ordered[int(share * (len(ordered) - 1))] for share in _PLACES[:_INSTANCES])]


def _compared(text: str) -> tuple[str, str, str]:
    """A kernel, the kernel without its last op, and that op alone."""
    return text, text.rpartition(" -> ")[0], parts_of(text)[-1]


def _saving(rows: Mapping[str, Row], text: str) -> float:
    """What running as one saves, as a share of the shorter part."""
    whole, before, alone = (rows[one].p50 for one in _compared(text))
    return (before + alone - whole) / max(min(before, alone), 1e-9)
