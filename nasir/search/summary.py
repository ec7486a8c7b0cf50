"""What a run came to: its figures, and the words for them that the terminal and the report have in common."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from nasir.search.landing import LEAST_USE

NOT_LANDED = (
    f"Less than {LEAST_USE:.0%} of the tightest bound is used, and no change of one or two decisions was found that"
    " uses more within all bounds."
)


@dataclass(frozen=True)
class Summary:
    """What a run found. Accuracies are shares; `macs` multiply-adds; `seconds` wall time. `bounds` says of each bound
    its limit and the share of it that is used; `lands` whether the tightest is used up (`landing.LEAST_USE`), and where
    not, no change of one or two decisions would."""

    name: str
    macs: int
    params: int
    test_accuracy: float
    supernet_accuracy: float | None
    seconds: float
    bounds: Mapping[str, Mapping[str, float]] = field(default_factory=dict[str, Mapping[str, float]])
    lands: bool | None = None
    skipped_files: int = 0


def used(bounds: Mapping[str, Mapping[str, float]], cost: str) -> str:
    """How much of its bound a cost uses; nothing where it has none."""
    return f"{bounds[cost]['used']:.1%} of {bounds[cost]['limit']:,.0f}" if cost in bounds else ""


def by_layer(chosen: Mapping[str, str]) -> dict[str, str]:
    """The chosen options by name, as words for each layer."""
    found: dict[str, list[str]] = {}
    for name, option in chosen.items():
        layer, _, what = name.rpartition(".")
        found.setdefault(layer, []).insert(0, option if what == "block" else f"{what} {option}")
    return {layer: ", ".join(words) for layer, words in found.items()}
