"""A user's network as a program with its weights, proved equal: what `nasir lift` does."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from nasir.api import Space, compiled
from nasir.diagnostics import CompileError, Source
from nasir.ir.values import Scalar
from nasir.jobs.progress import Stages, silent
from nasir.lang import syntax as s
from nasir.lang.format import print_file
from nasir.lifting import mistakes
from nasir.lifting.folding import flat, folded
from nasir.lifting.network import UserNetwork
from nasir.lifting.opening import Opened, Site, opened, options, own_choices
from nasir.lifting.proof import Proof, check_finite, proved, state_of, steps_of, unused
from nasir.lifting.recording import read
from nasir.lifting.writing import program
from nasir.passes.base import run
from nasir.passes.pipeline import CHECKED, supernet

CHOICES = "choices"
"""The key of the weights' metadata under which the choices stand that they are of, as JSON."""


@dataclass(frozen=True)
class Program:
    """A program and the weights of one of its networks: the one that was lifted, which is that of `choices`."""

    space: Space
    blocks: int
    choices: Mapping[str, Scalar]
    state: Mapping[str, Tensor]
    proof: Proof
    closed: tuple[str, ...] = ()
    """What was to become a set, and could not."""
    unused: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many parameters of the network no layer of the program has, by the modules that they are in."""

    @property
    def text(self) -> str:
        return self.space.source.text

    def weights(self) -> bytes:
        """The weights as safetensors, by their names in the module that is emitted for the choices."""
        return save(dict(sorted(self.state.items())), {CHOICES: json.dumps(dict(sorted(self.choices.items())))})


def lift(network: UserNetwork, where: str, asked: Sequence[str] = (), told: Stages = silent) -> Program:
    """The program of a network; `where` is what the user calls it. `asked` are the kinds of numbers that become sets,
    `told` is told how far things are.

    Raises:
        CompileError: with each call that cannot be lifted, or where what was lifted is another network.
    """
    told("recorded", 0, 1)
    lifted = read(network, where)
    told("recorded", 1, 1)
    check_finite(network, where)
    worst: Proof | None = None
    for form in (folded, flat):
        parts = form(lifted)
        file, sites = program(lifted, parts)
        wanted = [site for site in sites if site.kind in asked]
        opening = _opening(file, [site for site in wanted if len(options(site)) > 1], told)
        if opening is None:
            continue
        space, choices, left = opening
        left += tuple(f"{site.label}: it is too small for another" for site in wanted if len(options(site)) == 1)
        decided = space.at(choices) if choices else space
        found = steps_of(decided, lifted)
        if found is None:
            continue
        worst = proved(network, decided, found, told)
        if worst.holds:
            idle = unused(network.module, found)
            return Program(space, len(parts.blocks), choices, state_of(decided, found), worst, left, idle)
    raise mistakes.not_equal(where, worst.worst if worst else None)


def _opening(
    file: s.File, sites: Sequence[Site], told: Stages
) -> tuple[Space, dict[str, Scalar], tuple[str, ...]] | None:
    """The space with sets at as many sites as go together, its network's choices, and the sites that stay; None where
    it does not compile without any."""
    if (every := _space(opened(file, sites))) is not None:
        return every, own_choices(opened(file, sites), every), ()
    kept: list[Site] = []
    ties = dict.fromkeys(site.tie or site.label for site in sites)
    for done, tie in enumerate(ties):
        told("sets tried", done, len(ties))
        group = [site for site in sites if (site.tie or site.label) == tie]
        kept += group if _space(opened(file, [*kept, *group])) is not None else []
    told("sets tried", len(ties), len(ties))
    found = opened(file, kept)
    space = _space(found)
    left = tuple(site.label for site in sites if site not in kept)
    return None if space is None else (space, own_choices(found, space), left)


def _space(file: Opened) -> Space | None:
    """The checked space of a program, of which a supernet can be made; None where that is not so."""
    try:
        space = compiled(Source("lifted.nas", print_file(file.file)))
        if space.decisions:
            run(space.graph, supernet(), CHECKED)
        return space
    except CompileError:
        return None


def weights_beside(path: Path) -> Path:
    """Where the weights of a program are."""
    return path.with_suffix(".safetensors")
