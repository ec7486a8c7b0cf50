"""The Python interface: spaces, and what becomes of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from nasir.cost import counts
from nasir.cost.base import Cost
from nasir.cost.extremes import cost_range, extreme
from nasir.cost.model import CostModel
from nasir.cost.profile import Profile, read_profile
from nasir.cost.registry import COSTS, PRIMARY, with_standard
from nasir.cost.tabled import Tabled, cost_of
from nasir.diagnostics import MOST_MISTAKES, CompileError, Diagnostic, Source, distinct
from nasir.ir.activity import Activity, decision_activities, holds
from nasir.ir.choices import check_choices
from nasir.ir.dims import Decision
from nasir.ir.graph import Choices, Graph
from nasir.ir.naming import module_paths
from nasir.ir.ops import OPS
from nasir.ir.sizes import evaluate
from nasir.ir.values import Scalar, key
from nasir.lang.binding import binding_mistakes
from nasir.lang.derive import derived_file
from nasir.lang.elaborate import Elaboration, elaborate
from nasir.lang.format import print_file
from nasir.lang.imports import Loader, Module, find, read
from nasir.lang.named_files import costs_of_files, files_of, weights_file
from nasir.lang.objectives import Objective
from nasir.lang.parameters import with_parameters
from nasir.lang.settings import Resolution, Settings, read_settings
from nasir.lang.warnings import warnings
from nasir.mistakes import no_cost, not_written_out, still_undecided
from nasir.passes.base import Observer, run
from nasir.passes.infer_shapes import InferShapes
from nasir.passes.pipeline import CHECKED, ELABORATED, FRONT, derivation

if TYPE_CHECKING:
    from nasir.supernets import Supernet


@dataclass(frozen=True, eq=False, repr=False)
class Space:
    """A checked program: a space of networks, or one network where nothing is left to decide."""

    name: str
    graph: Graph
    settings: Settings
    source: Source
    _module: Module = field(repr=False)
    _elaboration: Elaboration = field(repr=False)
    _devices: tuple[Tabled, ...] = field(default=(), repr=False)

    def __repr__(self) -> str:
        if not self.decisions:
            return f"Space({self.name}: a network, {self.costs.at({})[PRIMARY]:,} {COSTS[PRIMARY].unit})"
        return (
            f"Space({self.name}: {len(self.decisions)} decisions, 10^{math.log10(self.assignments()):.2f} assignments)"
        )

    @property
    def imports(self) -> Mapping[str, str]:
        """The texts of the files that the program imports, by their paths below its own folder or the library."""
        return self._module.sources()

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """What the search decides, in the program's order."""
        return self.graph.decisions

    def size(self) -> int | None:
        """The number of networks, exactly; None where the count would be too long (`nasir/cost/counts.py`)."""
        return counts.networks(self.graph)

    def assignments(self) -> int:
        """The product of the options of all decisions."""
        return counts.assignments(self.graph)

    @cached_property
    def costs(self) -> CostModel:
        """The exact costs of the space's networks.

        Raises:
            CompileError: where a device file that the objective names cannot be read.
        """
        return CostModel(self.graph, self._own_costs)

    @cached_property
    def _own_costs(self) -> tuple[Tabled, ...]:
        named = costs_of_files(self._module, self.settings.objective)
        return (*named, *(cost for cost in self._devices if cost.name not in {one.name for one in named}))

    def on(self, path: str | Path) -> "Space":
        """The space with the cost of a device file beside those of its objective: `latency("PATH")`, or `cost("PATH")`
        where the file is of another quantity.

        Raises:
            CompileError: where the file cannot be read, or is none.
        """
        return replace(self, _devices=(*self._devices, cost_of(str(path), read_profile(Path(path)))))

    def without_objective(self) -> "Space":
        """The space with nothing to minimise and no bounds. It needs no device files: one that the objective names may
        be what is to be made."""
        return replace(self, settings=replace(self.settings, objective=Objective()), _devices=())

    @property
    def device_files(self) -> Mapping[str, Profile]:
        """The device files that its objective names, by their paths as it writes them.

        Raises:
            CompileError: where one cannot be read.
        """
        return files_of(self._own_costs)

    @property
    def weights(self) -> Path | None:
        """The file of weights that its search starts from, where it names one.

        Raises:
            CompileError: where there is none of that name.
        """
        init = self.settings.search.init
        return weights_file(self._module, init) if init else None

    @property
    def files(self) -> Mapping[str, str]:
        """The texts of all files that the program needs beside its own: imports and device files."""
        return {**self.imports, **{path: profile.dumped() for path, profile in self.device_files.items()}}

    @property
    def shown_costs(self) -> tuple[Cost, ...]:
        """The costs of `cost_names`."""
        return tuple(self.costs.costs[name] for name in self.cost_names)

    @property
    def cost_names(self) -> tuple[str, ...]:
        """The costs that its search shows and records: the standard ones, and those that its objective names."""
        return with_standard(self.settings.objective.costs)

    def macs(self) -> tuple[int, int]:
        """The least and the most multiply-adds (convolutions and linear layers, one image)."""
        return self.range()

    def params(self) -> tuple[int, int]:
        """The least and the most trainable parameters."""
        return self.range("params")

    def range(self, cost: str = PRIMARY) -> tuple[int, int]:
        """The least and the most of a cost, by its name; of multiply-adds where none is named.

        Raises:
            CompileError: where the space has no such cost.
        """
        return cost_range(self.costs, self._cost(cost))

    def largest(self, cost: str = PRIMARY) -> dict[str, Scalar]:
        """The choices with the most of a cost, of multiply-adds where none is named.

        Raises:
            CompileError: where the space has no such cost.
        """
        return extreme(self.costs, self._cost(cost), "largest")

    def smallest(self, cost: str = PRIMARY) -> dict[str, Scalar]:
        """The choices with the least of a cost, of multiply-adds where none is named.

        Raises:
            CompileError: where the space has no such cost.
        """
        return extreme(self.costs, self._cost(cost), "smallest")

    def _cost(self, name: str) -> str:
        if name not in self.costs.costs:
            raise no_cost(name, list(self.costs.costs))
        return name

    def sample(self, seed: int) -> dict[str, Scalar]:
        """Choices drawn uniformly, a function of the seed."""
        import random

        draw = random.Random(seed)
        return {d.name: draw.choice(d.options) for d in self.decisions}

    def choices(self, given: Mapping[str, object], base: Choices | None = None) -> dict[str, Scalar]:
        """Choices checked against the decisions; an option may be given as its text. `base` fills what is missing.

        Raises:
            CompileError: where a name is no decision, a value no option, or a decision is left open.
        """
        return check_choices(self.decisions, given, base)

    def active(self, choices: Choices) -> dict[str, Scalar]:
        """Those of the choices that the network of `choices` uses: a skipped layer's width is none of them."""
        known = evaluate(self.graph, choices)
        return {name: choice for name, choice in choices.items() if holds(self._activities[name], known)}

    @cached_property
    def _activities(self) -> Mapping[str, Activity]:
        """When each decision changes the network."""
        return decision_activities(self.graph, self.costs.distributions)

    def at(self, choices: Choices) -> "Space":
        """The network of `choices`, as a decision-free space.

        Raises:
            CompileError: as `choices` does.
        """
        source = Source(f"{self.name}.nas", self.derived(choices))
        graph = self.graph_at(choices)
        return Space(self.name, graph, self.settings, source, self._module, self._elaboration, self._devices)

    def graph_at(self, choices: Choices) -> Graph:
        """The graph of the network of `choices`, without its program, for those who need no more.

        Raises:
            CompileError: as `choices` does.
        """
        return run(self.graph, derivation(self.choices(choices)), CHECKED)

    def arch(self, choices: Choices) -> str:
        """`derived`, compiled again and compared with the network of `choices`.

        Raises:
            CompileError: where what is written is another network: a fault of ours.
        """
        network = self.at(choices)
        try:
            same = weights(compiled(network.source).graph) == weights(network.graph)
        except CompileError:
            same = False
        if not same:
            raise not_written_out(self.name)
        return network.source.text

    def derived(self, choices: Choices) -> str:
        """The network of `choices` as a program in the same language, complete in itself."""
        chosen = self.choices(choices)
        return print_file(derived_file(self._module, self._elaboration, self._shaped, chosen))

    @cached_property
    def _shaped(self) -> Graph:
        """The program as it was elaborated, with types."""
        return run(self._elaboration.graph, (InferShapes(),), ELABORATED)


def weights(network: Graph) -> dict[str, tuple[object, ...]]:
    """Each node of a concrete graph that has weights, by its place in the emitted module."""
    paths = module_paths(network)
    return {paths[n.name]: (n.op, n.attributes, n.type) for n in network.nodes if OPS[n.op].weights}


def load(path: str | Path, /, **parameters: object) -> Space:
    """The checked space in a file, by path or by its name in the shipped library.

    Keywords are values for the space's parameters in place of their defaults: `load("fbnetv2_l", classes=10)`. A tuple
    is a set; a text is an expression of the language.

    Raises:
        CompileError: with every mistake found.
    """
    return compile_source(find(str(path)), parameters={name: _written(value) for name, value in parameters.items()})


def compile_source(path: Path, observer: Observer | None = None, parameters: Mapping[str, str] | None = None) -> Space:
    """`load` for an existing file, each stage shown to `observer`; `parameters` are texts."""
    source = read(path)
    module, mistakes = _load_module(path, with_parameters(source, parameters) if parameters else source)
    return _compile(module, mistakes, observer)


def compiled(source: Source) -> Space:
    """The space of a text that is in no file.

    Raises:
        CompileError: with every mistake found.
    """
    module, mistakes = _load_module(Path(source.name), source)
    return _compile(module, mistakes, None)


def _written(value: object) -> str:
    """A Python value as the language writes it."""
    match value:
        case str():
            return value
        case bool() | int():
            return key(value)
        case float():
            return key(float(value))  # a numpy float is one, and prints otherwise
        case _ if getattr(value, "shape", None) == ():  # a number of numpy or torch
            return _written(cast("Any", value).item())
        case tuple() | list() | range():
            return f"{{{', '.join(map(_written, cast('Sequence[object]', value)))}}}"
        case _:
            raise TypeError(f"a parameter is a number, a text or a tuple of them, not {value!r}")


def check(path: Path) -> Sequence[Diagnostic]:
    """Every mistake in a file and in what it imports; warnings where there is none. A file of blocks without a space is
    checked as far as it goes."""
    found: list[Diagnostic] = []
    try:
        module, mistakes = _load_module(path, read(path))
        found += mistakes
        space = None if module.is_library else _compile(module, mistakes, None)
        if not found:
            if space is not None:
                _ = space.costs.at(space.sample(0), space.cost_names)  # device files have all kernels
            elaborated = space._elaboration.graph if space else None  # pyright: ignore[reportPrivateUsage]
            found += warnings(module, elaborated, space and space.graph, space.settings if space else Settings())
    except CompileError as error:
        found += error.diagnostics
    return distinct(found)


def _load_module(path: Path, source: Source) -> tuple[Module, Sequence[Diagnostic]]:
    """The parsed file of this text, and the mistakes that show without running it; those of the imports themselves end
    it."""
    loader = Loader(path)
    module = loader.load(path, source)
    if loader.diagnostics:
        raise CompileError(loader.diagnostics)
    return module, list(islice((d for loaded in loader.modules for d in binding_mistakes(loaded)), MOST_MISTAKES))


def _compile(module: Module, mistakes: Sequence[Diagnostic], observer: Observer | None) -> Space:
    found = list(mistakes)
    settings, elaboration = Settings(), None
    try:
        settings = read_settings(module)
    except CompileError as error:
        found += error.diagnostics
    try:
        elaboration = elaborate(module)
    except CompileError as error:
        found += error.diagnostics
    if found or elaboration is None:
        raise CompileError(found)
    if observer is not None:
        observer("elaborate", elaboration.graph)
    graph = run(elaboration.graph, FRONT, ELABORATED, observer)
    return Space(graph.name, graph, settings, module.source, module, elaboration)


def supernet(space: Space, resolution: Resolution = "all") -> "Supernet":
    """The masked supernet of a space: a torch.fx.GraphModule in float32 on the CPU.

    Where the image's size is a set, `resolution` says what a training step runs: `all` sizes, each under its gate (the
    paper's section 3.2), or one `sampled` size, with a straight-through gradient to its gate: cheaper and noisier.
    """
    from nasir.supernets import build  # imports torch

    return build(space.graph, resolution, costs=space.shown_costs)


def emit(network: Space, notes: Sequence[str] = ()) -> str:
    """The source of a standalone PyTorch module of a decision-free space; `notes` are lines for its docstring.

    Raises:
        CompileError: where decisions are left.
    """
    if network.decisions:
        raise still_undecided(network.name, [d.name for d in network.decisions])
    from nasir.emission.source import model_source  # imports jinja2

    return model_source(network.graph, notes)
