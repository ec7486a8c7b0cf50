"""Costs that a table has, a figure for each kernel: measured latency, energy."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from nasir.cost import mistakes
from nasir.cost.base import Cost
from nasir.cost.kernels import Kernel, kernels
from nasir.cost.profile import Calibration, Profile, kind_of
from nasir.diagnostics import Span
from nasir.ir.activity import NEVER, Activity, holds
from nasir.ir.circuit import Monomial, Polynomial
from nasir.ir.graph import Choices
from nasir.ir.values import Scalar

if TYPE_CHECKING:
    from nasir.cost.model import CostModel, Network, Walk

THOUSANDTHS = 1000
"""Figures are whole numbers: thousandths of the table's unit."""
MEDIAN = "median"
LATENCY = "latency"


class Tabled(Cost):
    """`cost("energy.json")`: the sum over a network's kernels of what the table has for each.

    Under the gates it is the expectation of the table, exactly: for each kernel the sum over the joint values of its
    sizes of their probability times the table's figure. Where the table is calibrated, it is the figure that nine
    networks of ten stay below; with `median` half of them.
    """

    family = "cost"
    units: Mapping[str, float] = {"": THOUSANDTHS}
    scale: float = THOUSANDTHS

    def __init__(self, path: str, profile: Profile | None = None, quantile: str = "", span: Span | None = None) -> None:
        """`path` is as the program writes it. Without a profile it is a cost that can be named, and not computed."""
        self.path, self.profile, self.quantile, self.span = path, profile, quantile, span
        more = f", {quantile}" if quantile else ""
        self.name = self.quantity = f"{self.family}({json.dumps(path, ensure_ascii=False)}{more})"
        self.unit = profile.unit if profile else "units"
        self.title = f"{profile.quantity.capitalize() if profile else 'Cost'} by {path}"
        self.words = f"{profile.quantity if profile else 'cost'} by {path}, summed over the network's kernels"

    @property
    def label(self) -> str:
        return f"{self.unit} ({self.path})"

    @property
    def table(self) -> Profile:
        """The table, of a cost that has one."""
        assert self.profile is not None, f"{self.name} was given no table"
        return self.profile

    @cached_property
    def _scale(self) -> float:
        upper = 0.0 if self.quantile == MEDIAN else self.table.calibration.upper
        return THOUSANDTHS * (1 + upper)

    @cached_property
    def offset(self) -> int:
        """What every network takes beside its kernels."""
        return round(self.table.calibration.offset * self._scale)

    def figure(self, kernel: str) -> int | None:
        """What a kernel adds to a network; None where the table has none such."""
        row = self.table.rows.get(kernel)
        return None if row is None else round(row.p50 * self.table.calibration.of(kind_of(kernel)) * self._scale)

    def at(self, network: "Network") -> int:
        found = (one.price(network.known) for one in self._sums(network.model) if holds(one.activity, network.known))
        return self.offset + sum(found)

    def shares(self, network: "Network") -> Mapping[str, int]:
        known, found = network.known, dict[str, int]()
        for one in self._sums(network.model):
            if holds(one.activity, known):
                found[one.kernel.nodes[0]] = found.get(one.kernel.nodes[0], 0) + one.price(known)
        return found

    def expected(self, model: "CostModel") -> Polynomial:
        terms: dict[Monomial, float] = {(): float(self.offset)}
        for one in self._sums(model):
            for product, figure in one.terms(model):
                ordered = tuple(sorted(product))
                terms[ordered] = terms.get(ordered, 0.0) + figure
        return Polynomial(terms)

    def walk(self, model: "CostModel", choices: Choices) -> "Walk":
        from nasir.cost.model import Sums
        from nasir.cost.walks import Sum

        sums = model.kept(f"sums of {self.name}", lambda: Sums(model, self._sums(model)))
        return Sum(sums, lambda known: lambda one: one.price(known), choices, self.offset)

    def _sums(self, model: "CostModel") -> "tuple[Entries, ...]":
        return model.kept(self.name, lambda: tuple(self._looked_up(model)))

    def _looked_up(self, model: "CostModel") -> "Iterator[Entries]":
        """The space's kernels with their figures.

        Raises:
            CompileError: where the table lacks some.
        """
        missing: dict[str, None] = {}
        every: set[str] = set()
        for kernel in merged(model, kernels(model.graph, model.distributions, self.table.fuse)):
            figures: dict[tuple[Scalar, ...], int] = {}
            for _, values, text in instances(model, kernel):
                figure = self.figure(text)
                every.add(text)
                if figure is None:
                    missing[text] = None
                else:
                    figures[values] = figure
            yield Entries(kernel, figures)
        if missing:
            raise mistakes.missing_kernels(self.path, [*missing], len(every), model.graph.name, self.span)


@dataclass(frozen=True, eq=False)
class Entries:
    """A kernel, and the table's figures at all sizes that it can have."""

    kernel: Kernel
    figures: Mapping[tuple[Scalar, ...], int]

    @property
    def activity(self) -> Activity:
        return self.kernel.condition

    @property
    def reads(self) -> frozenset[str]:
        """The decisions and dims that its figure follows from."""
        return frozenset(ref.name for ref in self.kernel.refs)

    def price(self, known: Mapping[str, Scalar]) -> int:
        """Its figure in one network."""
        return self.figures[tuple(known[ref.name] for ref in self.kernel.refs)]

    def terms(self, model: "CostModel") -> Iterator[tuple[Monomial, int]]:
        """Its expectation: products of slots that are probabilities, with the figures there."""
        present = model.distributions.condition(self.kernel.condition)
        for (truth, *values), product in model.distributions.joint((present, *self.kernel.refs)):
            if truth:
                yield product, self.figures[tuple(values)]


def merged(model: "CostModel", found: list[Kernel]) -> list[Kernel]:
    """The kernels with those as one that are alike and never in one network together: a layer's alternatives."""
    diagrams = model.distributions.diagrams
    by_steps: dict[object, list[Kernel]] = {}
    for kernel in found:
        alike = by_steps.setdefault(kernel.steps, [])
        for place, other in enumerate(alike):
            if diagrams.both(other.condition, kernel.condition) is NEVER:
                alike[place] = replace(other, condition=diagrams.either(other.condition, kernel.condition))
                break
        else:
            alike.append(kernel)
    return [kernel for alike in by_steps.values() for kernel in alike]


def instances(model: "CostModel", kernel: Kernel) -> "Iterator[tuple[Monomial, tuple[Scalar, ...], str]]":
    """What a kernel's decisions and dims can be together where it is in the network: the product of slots that is the
    probability of it, the values, and the kernel's text there."""
    refs = kernel.refs
    names = [ref.name for ref in refs]
    present = model.distributions.condition(kernel.condition)
    for (truth, *values), product in model.distributions.joint((present, *refs)):
        if truth:
            yield product, tuple(values), kernel.text(dict(zip(names, values, strict=True)))


class Latency(Tabled):
    """`latency("pi4.json")`: the time of one image on the device of the file, in ms where it is shown."""

    family = "latency"
    units: Mapping[str, float] = {"us": 1e3, "ms": 1e6, "s": 1e9}
    scale: float = 1e6

    def __init__(self, path: str, profile: Profile | None = None, quantile: str = "", span: Span | None = None) -> None:
        super().__init__(path, profile, quantile, span)
        if profile is not None and (profile.unit != "us" or profile.quantity != LATENCY):
            raise mistakes.other_quantity(path, self.name, profile.quantity, profile.unit, span)
        self.unit = "ms"
        where = f"on {profile.place}" if profile and profile.place else f"by {path}"
        self.title = f"Latency {where}"
        self.words = f"time of one image {where}{self._within()}"

    def _within(self) -> str:
        """How far networks are from what is told of them, where that was measured."""
        calibration = self.profile.calibration if self.profile else Calibration()
        if not calibration.networks:
            return ""
        if self.quantile == MEDIAN:
            return f": half of such networks stay within it, nine in ten within {calibration.upper:.1%} more"
        return f": nine in ten of such networks stay within it, half within {1 - 1 / (1 + calibration.upper):.1%} less"


def cost_of(path: str, profile: Profile) -> Tabled:
    """The cost of a device file."""
    kind = Latency if profile.quantity == LATENCY else Tabled
    return kind(path, profile)


FAMILIES: Mapping[str, type[Tabled]] = {"latency": Latency, "cost": Tabled}
"""The costs that are of a file, by what programs call them."""
