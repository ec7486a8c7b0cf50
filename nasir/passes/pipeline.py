"""The one order of the passes."""

from nasir.ir.facts import Fact
from nasir.ir.graph import Choices
from nasir.passes.base import Pass
from nasir.passes.canonicalise import Canonicalise
from nasir.passes.flatten_scopes import FlattenScopes
from nasir.passes.fold_masks import FoldMasks
from nasir.passes.infer_shapes import InferShapes
from nasir.passes.place_masks import PlaceMasks
from nasir.passes.prune_dead import PruneDead
from nasir.passes.specialise import Specialise

ELABORATED: frozenset[Fact] = frozenset((Fact.WELL_FORMED,))
CHECKED: frozenset[Fact] = frozenset((Fact.WELL_FORMED, Fact.SHAPED))

FRONT: tuple[Pass, ...] = (InferShapes(), Canonicalise(), PruneDead())
SUPERNET: tuple[Pass, ...] = (PlaceMasks(), FoldMasks())


def derivation(choices: Choices) -> tuple[Pass, ...]:
    """The passes from a checked space to the network of `choices`."""
    return (Specialise(choices), Canonicalise(), PruneDead(), FlattenScopes())
