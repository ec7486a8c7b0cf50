"""`objective`, `search` and `train` sections as checked data."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, get_args

from nasir.diagnostics import CompileError, Diagnostic, Source, Span, closest
from nasir.extensions import LOSSES, STRATEGIES, Kind
from nasir.lang import mistakes
from nasir.lang import syntax as s
from nasir.lang.format import print_expr
from nasir.lang.formulas import number
from nasir.lang.imports import Module
from nasir.lang.mistakes import Mistake
from nasir.lang.objectives import LATER, LOSS, Objective, read_bounds, read_objective
from nasir.lang.parser import parse_part

Resolution = Literal["all", "sampled"]
Precision = Literal["float32", "bfloat16"]
Compiled = Literal["off", "inductor", "aot_eager"]
Kept = Literal["last", "best"]
Begun = Literal["anew", "sliced"]

_SECTIONS = ("search", "train")


@dataclass(frozen=True)
class Optimizer:
    """`sgd(...)`, `adam(...)` or `adamw(...)` with its arguments, as torch.optim names them."""

    name: str
    arguments: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Formula:
    """A number that may change with `epoch` (from 0) and `epochs`."""

    text: str
    tree: s.Expr = field(repr=False, compare=False)

    def at(self, epoch: int, epochs: int) -> float:
        """Its value.

        Raises:
            Mistake: where it has none.
        """
        return number(self.tree, {"epoch": float(epoch), "epochs": float(epochs), "pi": math.pi})


@dataclass(frozen=True)
class SearchSettings:
    """How to search. The defaults are the paper's (section 4.1) and FBNet's; `warmup` is in epochs.

    `temperature` None is the paper's 5.0 * exp(-0.045 * epoch) of 90 epochs, scaled to `epochs`. `resolution` says what
    a step runs of a set of image sizes: all of them, or one sampled (`nasir.supernet`). `precision` is that of the
    network's convolutions (gates and costs stay in float64). `compile` names the backend of torch.compile. `ema` is
    the decay of a moving average of the weights, which stands in for them where networks are compared (0: none).
    `candidates` networks within the bounds, the likeliest and others drawn from the final distribution, are compared
    with the supernet's weights at the end. `strategy` and `loss` are names (`nasir.extensions`); where a section names
    no loss, it is the objective's. `init` is the path of a file of weights that the supernet starts from, those of one
    of the space's networks. `settle` is the share of the epochs, at the end, in the first half of which decisions are
    settled, the surest first; in the other half the weights are trained for the one network. `least` is the share of
    the tightest bound that the networks use at least which `random` and `evolution` train.
    """

    epochs: int = 90
    warmup: int | None = None
    batch: int = 128
    split: float = 0.8
    label_smoothing: float = 0.0
    weights: Optimizer = Optimizer("sgd", (("lr", 0.1), ("momentum", 0.9), ("weight_decay", 1e-4)))
    architecture: Optimizer = Optimizer("adam", (("lr", 0.01), ("weight_decay", 5e-4)))
    temperature: Formula | None = None
    resolution: Resolution = "all"
    precision: Precision = "float32"
    compile: Compiled = "off"
    ema: float = 0.0
    candidates: int = 8
    strategy: str = field(default="dmasking", metadata=LATER)
    loss: str = field(default=LOSS, metadata=LATER)
    init: str = field(default="", metadata=LATER)
    settle: float = field(default=0.0, metadata=LATER)
    least: float = field(default=0.5, metadata=LATER)

    def temperature_at(self, epoch: int) -> float:
        """tau of Eq. 4 in an epoch, counted from 0."""
        if self.temperature is not None:
            return self.temperature.at(epoch, self.epochs)
        return 5.0 * math.exp(-0.045 * epoch * 90 / self.epochs)

    @property
    def warmup_epochs(self) -> int:
        """Epochs in which only the weights train: `warmup`, or a ninth of all, FBNet's 10 of 90."""
        return self.epochs // 9 if self.warmup is None else min(self.warmup, self.epochs)

    @property
    def open_epochs(self) -> int:
        """Epochs before the first decision is settled."""
        return self.epochs - round(self.settle * self.epochs)

    def settled_at(self, epoch: int) -> float:
        """The share of the decisions that are settled in an epoch, counted from 0: all from half of the last part on,
        so that weights are trained for the one network."""
        growing = math.ceil((self.epochs - self.open_epochs) / 2)
        return min(1.0, max(0.0, (epoch + 1 - self.open_epochs) / growing)) if growing else 0.0


@dataclass(frozen=True)
class TrainSettings:
    """How to train the derived network from scratch; `precision`, `compile`, `ema` and `loss` as in the search.

    `validation` is the share of each class's training inputs that is held out, to tell the score after each epoch (0:
    none is, and nothing is told). `keep` says of which epoch the weights are, the last one or the one that is best on
    the held-out inputs. `init` says what a found network starts from: `anew`, or with the supernet's weights, `sliced`.
    `distillation` is the share of a teacher's probabilities in the loss, where there is a teacher.
    """

    epochs: int = 90
    batch: int = 128
    label_smoothing: float = 0.1
    weights: Optimizer = Optimizer("sgd", (("lr", 0.1), ("momentum", 0.9), ("weight_decay", 1e-4)))
    precision: Precision = "float32"
    compile: Compiled = "off"
    ema: float = 0.0
    validation: float = 0.1
    keep: Kept = "last"
    loss: str = field(default=LOSS, metadata=LATER)
    init: Begun = field(default="anew", metadata=LATER)
    distillation: float = field(default=0.5, metadata=LATER)


@dataclass(frozen=True)
class Settings:
    objective: Objective = field(default_factory=Objective)
    search: SearchSettings = SearchSettings()
    train: TrainSettings = TrainSettings()


def read_settings(module: Module) -> Settings:
    """The settings of a file.

    Raises:
        CompileError: with every mistake in them.
    """
    return _apply(Settings(), module.tree.items)


def override(settings: Settings, assignments: list[str], default: str = "search", option: str = "--set") -> Settings:
    """Settings changed by `key=value` or `section.key=value`, written as in a file; `default` is the default section,
    `option` where they were given.

    Raises:
        CompileError: with every mistake in them.
    """
    for assignment in assignments:
        if "=" not in assignment:
            raise mistakes.no_assignment(assignment)
        source = Source(option, assignment)
        given: s.Settings = parse_part(source, "override")
        section = given.section or default
        if section not in _SECTIONS:
            span = Span(source, given.span.start, given.span.start + len(section))
            raise mistakes.unknown_section(span, section, _SECTIONS)
        settings = _apply(settings, [replace(given, section=section)], checks=False)
    _check(settings.search)
    return settings


def _check(search: SearchSettings) -> None:
    """What one setting demands of another."""
    found: list[Diagnostic] = []
    if search.temperature is not None:
        _check_temperature(search, search.temperature, found)
    if found:
        raise CompileError(found)


def _apply(settings: Settings, items: Sequence[s.Item], *, checks: bool = True) -> Settings:
    found: list[Diagnostic] = []
    for item in sorted(items, key=lambda item: not isinstance(item, s.Objective)):
        try:
            match item:
                case s.Objective():
                    settings = _with_objective(settings, read_objective(item))
                case s.Settings(section="search"):
                    settings = replace(settings, search=_section(settings.search, item, found))
                case s.Settings():
                    settings = replace(settings, train=_section(settings.train, item, found))
                case _:
                    pass
        except Mistake as mistake:
            found.append(mistake.diagnostic)
    if found:
        raise CompileError(found)
    if checks:
        _check(settings.search)
    return settings


def _with_objective(settings: Settings, objective: Objective) -> Settings:
    """The settings with an objective, whose loss is that of both sections where they name none."""
    search, train = (replace(one, loss=objective.loss) for one in (settings.search, settings.train))
    return replace(settings, objective=objective, search=search, train=train)


def _section(base: Any, section: s.Settings, found: list[Diagnostic]) -> Any:
    known = {f.name: str(f.type) for f in fields(base)}
    changes: dict[str, Any] = {}
    seen: dict[str, s.Identifier] = {}
    for setting in section.settings:
        name = setting.name.text
        try:
            if name not in known:
                raise mistakes.unknown_setting(setting.name.span, section.section, name, known)
            if name in seen:
                raise mistakes.defined_twice(setting.name.span, name, seen[name].span)
            seen[name] = setting.name
            read = _INIT[section.section] if name == "init" else _READERS[name]
            changes[name] = read(setting)
        except Mistake as mistake:
            found.append(mistake.diagnostic)
    return replace(base, **changes)


def _check_temperature(search: SearchSettings, formula: Formula, found: list[Diagnostic]) -> None:
    try:
        # A thousand epochs tell as much as a million.
        epochs = {*range(0, search.epochs, max(1, search.epochs // 1000)), search.epochs - 1}
        values = [search.temperature_at(epoch) for epoch in epochs]
    except Mistake as mistake:
        found.append(mistake.diagnostic)
        return
    if not all(0 < value < math.inf for value in values):
        found.append(mistakes.temperature_not_positive(formula.tree.span).diagnostic)


def _count(least: int) -> Callable[[s.Setting], int]:
    def read(setting: s.Setting) -> int:
        value = number(setting.value, {})
        if value != int(value) or not least <= value <= 10**6:
            raise mistakes.bad_setting(setting.value.span, setting.name.text, f"a whole number from {least}")
        return int(value)

    return read


def _share(setting: s.Setting) -> float:
    value = number(setting.value, {})
    wanted_zero = setting.name.text in {"label_smoothing", "ema", "least", "settle", "validation"}
    if not (0 <= value < 1 if wanted_zero else 0 < value < 1):
        wanted = "at least 0 and below 1" if wanted_zero else "above 0 and below 1"
        raise mistakes.bad_setting(setting.value.span, setting.name.text, wanted)
    return value


def _formula(setting: s.Setting) -> Formula:
    return Formula(print_expr(setting.value), setting.value)


_OPTIMIZERS: Mapping[str, tuple[str, ...]] = {
    "sgd": ("lr", "momentum", "weight_decay"),
    "adam": ("lr", "weight_decay"),
    "adamw": ("lr", "weight_decay"),
}


def _optimizer(setting: s.Setting) -> Optimizer:
    call = setting.value
    if not (isinstance(call, s.Call) and isinstance(call.callee, s.Name) and call.callee.text in _OPTIMIZERS):
        wanted = "an optimizer: sgd(lr=0.1, momentum=0.9, weight_decay=1e-4), adam(lr=0.01) or adamw(lr=0.001)"
        callee = call.callee if isinstance(call, s.Call) else call
        near = closest(callee.text, _OPTIMIZERS) if isinstance(callee, s.Name) else ()
        raise mistakes.bad_setting(call.span, setting.name.text, wanted, *near)
    name = call.callee.text
    arguments: dict[str, float] = {}
    for argument in call.arguments:
        if argument.name is None:
            raise mistakes.unnamed_optimizer_argument(argument.span, name)
        if argument.name.text not in _OPTIMIZERS[name]:
            raise mistakes.unknown_argument(argument.name.span, name, argument.name.text, _OPTIMIZERS[name])
        if argument.name.text in arguments:
            raise mistakes.given_twice(argument.span, name, argument.name.text)
        value = number(argument.value, {})
        if not 0 <= value < math.inf or (argument.name.text == "lr" and value == 0):
            wanted = "a number above 0" if argument.name.text == "lr" else "0 or a number above it"
            raise mistakes.bad_setting(argument.value.span, argument.name.text, wanted)
        arguments[argument.name.text] = value
    if "lr" not in arguments:
        raise mistakes.missing_argument(call.span, name, "lr")
    return Optimizer(name, tuple(arguments.items()))


def _one_of(*names: str) -> Callable[[s.Setting], str]:
    def read(setting: s.Setting) -> str:
        if isinstance(setting.value, s.Name) and setting.value.text in names:
            return setting.value.text
        raise mistakes.bad_setting(setting.value.span, setting.name.text, f"one of {', '.join(names)}")

    return read


def _named(kind: Kind) -> Callable[[s.Setting], str]:
    """One of the names that there are when it is read: installed packages add some."""

    def read(setting: s.Setting) -> str:
        names, value = kind.names(), setting.value
        if isinstance(value, s.Name) and value.text in names:
            return value.text
        near = closest(value.text, names) if isinstance(value, s.Name) else ()
        raise mistakes.bad_setting(value.span, setting.name.text, f"one of {', '.join(names)}", *near)

    return read


def record(settings: Any) -> dict[str, Any]:
    """The settings by name that plan.json holds: all, but for those that are new and at their default."""
    values = {f.name: (getattr(settings, f.name), f) for f in fields(settings)}
    return {name: value for name, (value, f) in values.items() if "recorded" not in f.metadata or value != f.default}


_READERS: Mapping[str, Callable[[s.Setting], object]] = {
    "epochs": _count(1),
    "warmup": _count(0),
    "batch": _count(2),  # batch statistics need two images
    "split": _share,
    "label_smoothing": _share,
    "weights": _optimizer,
    "architecture": _optimizer,
    "temperature": _formula,
    "resolution": _one_of(*get_args(Resolution)),
    "precision": _one_of(*get_args(Precision)),
    "compile": _one_of(*get_args(Compiled)),
    "ema": _share,
    "candidates": _count(1),
    "settle": _share,
    "least": _share,
    "validation": _share,
    "distillation": _share,
    "keep": _one_of(*get_args(Kept)),
    "strategy": _named(STRATEGIES),
    "loss": _named(LOSSES),
}


def _weights(setting: s.Setting) -> str:
    """The path of a file of weights."""
    if isinstance(setting.value, s.String) and setting.value.value.endswith(".safetensors"):
        return setting.value.value
    raise mistakes.bad_setting(setting.value.span, setting.name.text, 'a file of weights: "net.safetensors"')


_INIT: Mapping[str, Callable[[s.Setting], object]] = {"search": _weights, "train": _one_of(*get_args(Begun))}
"""What the setting is, which the sections have of one name, by the section."""


def with_bounds(settings: Settings, texts: list[str], option: str = "--bound") -> Settings:
    """Settings with bounds written as in a file, `macs <= 60M`, in place of the file's on the same costs; `option` is
    where they were given.

    Raises:
        CompileError: where one is no bound.
    """
    bounds = {bound.cost: bound for bound in settings.objective.bounds}
    given: set[str] = set()
    for text in texts:
        if not text.strip():
            raise mistakes.empty_constraint(option)
        try:
            found = read_bounds(parse_part(Source(option, text), "constraints"))
        except Mistake as mistake:
            raise CompileError(mistake.diagnostic) from None
        for bound in found:
            if bound.cost in given:
                raise CompileError(mistakes.bounded_twice(f"`{option}`", bound.cost).diagnostic)
            given.add(bound.cost)
            bounds[bound.cost] = bound
    return replace(settings, objective=replace(settings.objective, bounds=tuple(bounds.values())))
