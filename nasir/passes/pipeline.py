"""The one place that says which passes run, in which order, on the way to what."""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Literal

from nasir import passes
from nasir.ir.distributions import Distributions
from nasir.ir.facts import Fact
from nasir.ir.graph import Choices, Graph
from nasir.ir.mixtures import selects
from nasir.ir.ops import OPS
from nasir.ir.values import Ref
from nasir.passes.base import Pass, run
from nasir.passes.canonicalise import Canonicalise
from nasir.passes.explicit_widths import ExplicitWidths
from nasir.passes.flatten_scopes import FlattenScopes
from nasir.passes.fold_masks import FoldMasks
from nasir.passes.infer_shapes import InferShapes
from nasir.passes.place_masks import PlaceMasks
from nasir.passes.prune_dead import PruneDead
from nasir.passes.specialise import Specialise

ELABORATED: frozenset[Fact] = frozenset((Fact.WELL_FORMED,))
CHECKED: frozenset[Fact] = frozenset((Fact.WELL_FORMED, Fact.SHAPED))

Strategy = Literal["masked", "explicit", "plain"]
"""`masked`: channel masks. Baselines: `explicit`, a copy of the layers for each width, as conventional DNAS has
them; `plain`, the largest widths and the largest image without masks, all alternatives under constant equal gates."""

FRONT: tuple[Pass, ...] = (InferShapes(), Canonicalise(), PruneDead())
"""From an elaborated program to a checked space."""


def supernet(strategy: Strategy = "masked", *, fold: bool = True) -> tuple[Pass, ...]:
    """The passes from a checked space to what is lowered; without `fold` maps are multiplied by masks and gates."""
    explicit = (ExplicitWidths(),) if strategy == "explicit" else ()
    return (PlaceMasks(), *explicit, *((FoldMasks(),) if fold else ()))


def derivation(choices: Choices) -> tuple[Pass, ...]:
    """The passes from a checked space to the network of `choices`."""
    return (Specialise(choices), Canonicalise(), PruneDead(), FlattenScopes())


def widest(graph: Graph) -> Graph:
    """The space with every decision that selects no alternative at its largest option."""
    distributions = Distributions(graph.decision_map, graph.dim_map)
    selectors = [node["selector"] for node in graph.nodes if selects(OPS[node.op])]
    kept = frozenset[str]().union(*(distributions.decisions_of(s.name) for s in selectors if isinstance(s, Ref)))
    largest = {d.name: distributions.support(Ref(d.name))[-1] for d in graph.decisions if d.name not in kept}
    return run(graph, (Specialise(largest), Canonicalise(), PruneDead()), CHECKED)


def all_passes() -> Mapping[str, type[Pass]]:
    """Every pass there is, by its name: the classes of this package's files."""
    for module in iter_modules(passes.__path__):
        import_module(f"{passes.__name__}.{module.name}")
    return {kind.name: kind for kind in sorted(Pass.__subclasses__(), key=lambda kind: kind.name)}
