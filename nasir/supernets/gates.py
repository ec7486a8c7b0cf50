"""Gumbel-softmax gates (Eq. 4): one sample per decision per step, shared by all who read it."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nasir.ir.choices import check_choices
from nasir.ir.dims import Decision
from nasir.ir.graph import Choices
from nasir.ir.values import Scalar
from nasir.supernets.double import Double


class Gates(Double):
    """The logits of all decisions, and the gate values drawn from them.

    Gates are one flat float64 vector, the options of the first decision, then those of the second, and so on: costs of
    1e9 multiply-adds summed in float32 miss the exact integer.
    """

    closed: Tensor
    index: Tensor
    place: Tensor
    temperature: Tensor

    def __init__(self, decisions: Sequence[Decision], sampled: Collection[str] = ()) -> None:
        """`sampled` names decisions that a step takes one option of, with a straight-through gradient."""
        super().__init__()
        self.decisions = tuple(decisions)
        self.sampled = frozenset(sampled)
        sizes = [len(d.options) for d in decisions]
        self.total = sum(sizes)
        self.logits = nn.Parameter(torch.zeros(self.total, dtype=torch.float64))
        self.register_buffer("temperature", torch.tensor(1.0, dtype=torch.float64))
        # A softmax over rows of unequal length: a matrix padded with the index of an extra entry, minus infinity.
        width = max(sizes, default=0)
        index = torch.full((len(sizes), width), self.total)
        first = 0
        for row, size in enumerate(sizes):
            index[row, :size] = torch.arange(first, first + size)
            first += size
        self.register_buffer("closed", torch.zeros(self.total, dtype=torch.bool), persistent=False)
        self.register_buffer("index", index, persistent=False)
        self.register_buffer("place", (index.flatten() < self.total).nonzero().flatten(), persistent=False)

    def forward(self, choices: Choices | None = None, noise: Tensor | None = None) -> Tensor:
        """Gate values, shape [total options].

        One-hot at `choices` if given; else one Gumbel sample with `noise` (shape [total options], drawn here if not
        given) while training, and the argmax, one-hot, in evaluation.
        """
        if choices is not None:
            return self.one_hot(choices)
        if noise is None and not self.training:
            return self.one_hot(self.argmax())
        if noise is None:
            noise = -torch.empty_like(self.logits, dtype=torch.float64).exponential_().log()
        soft = self.softmax((self.logits.double() + noise) / self.temperature)
        return self._straight_through(soft) if self.sampled else soft

    def _straight_through(self, soft: Tensor) -> Tensor:
        """Exactly one-hot for the sampled decisions, with the soft gates' gradient."""
        parts: list[Tensor] = []
        for decision, part in self._split(soft):
            if decision.name in self.sampled:
                hard = F.one_hot(part.argmax(), len(part)).to(part.dtype)
                part = hard + (part - part.detach())
            parts.append(part)
        return torch.cat(parts)

    def probabilities(self) -> Tensor:
        """softmax(logits) over the options that are open, each decision's distribution, shape [total options]."""
        return self.softmax(self.logits.double())

    def softmax(self, scores: Tensor) -> Tensor:
        """Softmax within each decision, exactly 0 at options that are closed; scores and result have shape [total
        options]."""
        if self.total == 0:
            return scores
        padded = torch.cat([scores.masked_fill(self.closed, -torch.inf), scores.new_full((1,), -torch.inf)])[self.index]
        return padded.softmax(dim=1).flatten()[self.place]

    def one_hot(self, choices: Choices) -> Tensor:
        """The gates of one network, exactly 0 and 1.

        Raises:
            CompileError: where a name is no decision, a value no option, or a decision is left open.
        """
        chosen = check_choices(self.decisions, choices)
        gates = self.logits.new_zeros(self.total, dtype=torch.float64)
        first = 0
        for decision in self.decisions:
            gates[first + decision.options.index(chosen[decision.name])] = 1.0
            first += len(decision.options)
        return gates

    def settle(self, choices: Choices) -> None:
        """Leave these decisions the option named, and close the others; all options of other decisions are open."""
        first = 0
        for decision in self.decisions:
            part = self.closed[first : first + len(decision.options)]
            part.fill_(decision.name in choices)
            if decision.name in choices:
                part[decision.options.index(choices[decision.name])] = False
            first += len(decision.options)

    def argmax(self) -> dict[str, Scalar]:
        """Each decision's likeliest open option; the earlier one of two alike."""
        likely = self.logits.detach().masked_fill(self.closed, -torch.inf)
        return {d.name: d.options[int(p.argmax())] for d, p in self._split(likely)}

    def by_decision(self) -> Mapping[str, dict[Scalar, float]]:
        """The probability of each option of each decision."""
        return {
            d.name: dict(zip(d.options, cast("list[float]", p.tolist()), strict=True))
            for d, p in self._split(self.probabilities().detach())
        }

    def entropy(self) -> float:
        """The mean entropy of the decisions, as a share of the uniform one's: 1 undecided, 0 decided."""
        shares = [
            float(-torch.xlogy(p, p).sum()) / math.log(len(p)) for _, p in self._split(self.probabilities().detach())
        ]
        return sum(shares) / len(shares) if shares else 0.0

    def _split(self, flat: Tensor) -> list[tuple[Decision, Tensor]]:
        sizes = [len(d.options) for d in self.decisions]
        return list(zip(self.decisions, cut(flat, sizes), strict=True))


def cut(flat: Tensor, sizes: list[int]) -> tuple[Tensor, ...]:
    """A vector in parts of the given sizes; torch's own method has no type."""
    return cast("tuple[Tensor, ...]", flat.split(sizes))  # pyright: ignore[reportUnknownMemberType]


def gumbel_noise(size: int, seed: int, step: int) -> Tensor:
    """Standard Gumbel noise, float64, a function of (seed, step) alone: the same on every rank and after a resume."""
    generator = torch.Generator().manual_seed((seed * 1_000_003 + step) % 2**63)
    uniform = torch.rand(size, generator=generator, dtype=torch.float64).clamp_(1e-300, 1.0)
    return -(-uniform.log()).clamp_min_(1e-300).log()
