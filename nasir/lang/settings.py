"""`objective`, `search` and `train` sections as checked data."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, cast, get_args

from nasir.cost.names import COST_NAMES
from nasir.diagnostics import CompileError, Diagnostic, Source
from nasir.lang import mistakes
from nasir.lang import syntax as s
from nasir.lang.format import print_expr
from nasir.lang.mistakes import Mistake
from nasir.lang.modules import Module
from nasir.lang.parser import parse

FORMULA_FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "exp": math.exp,
    "log": math.log,
    "cos": math.cos,
    "sqrt": math.sqrt,
    "min": min,
    "max": max,
}
_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "^": lambda a, b: cast(float, a**b),
}


Resolution = Literal["all", "sampled"]
Precision = Literal["float32", "bfloat16"]
Compiled = Literal["off", "inductor", "aot_eager"]


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
        """Its value. Raises ValueError, ZeroDivisionError or OverflowError where it has none."""
        return _number(self.tree, {"epoch": float(epoch), "epochs": float(epochs), "pi": math.pi})


@dataclass(frozen=True)
class Bound:
    """`cost <= limit`, for the derived network; `relative` ones are shares of the largest network's cost."""

    cost: str
    limit: float
    relative: bool = False


@dataclass(frozen=True)
class Power:
    """`(cost / target) ^ exponent`."""

    cost: str
    target: float
    exponent: float


@dataclass(frozen=True)
class Objective:
    """Minimise cross-entropy, times `powers` (FBNet's form), plus `weights` (FBNetV2's), subject to `bounds`."""

    bounds: tuple[Bound, ...] = ()
    weights: tuple[tuple[str, float], ...] = ()
    powers: tuple[Power, ...] = ()


@dataclass(frozen=True)
class SearchSettings:
    """How to search. The defaults are the paper's (section 4.1) and FBNet's; `warmup` is in epochs.

    `temperature` None is the paper's 5.0 * exp(-0.045 * epoch) of 90 epochs, scaled to `epochs`. `resolution` says what
    a step runs of a set of image sizes: all of them, or one sampled (`nasir.supernet`). `precision` is that of the
    network's convolutions (gates and costs stay in float64). `compile` names the backend of torch.compile. `ema` is
    the decay of a moving average of the weights, which stands in for them where networks are compared (0: none).
    `candidates` networks within the bounds, the likeliest and others drawn from the final distribution, are compared
    with the supernet's weights at the end.
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

    def temperature_at(self, epoch: int) -> float:
        """tau of Eq. 4 in an epoch, counted from 0."""
        if self.temperature is not None:
            return self.temperature.at(epoch, self.epochs)
        return 5.0 * math.exp(-0.045 * epoch * 90 / self.epochs)

    @property
    def warmup_epochs(self) -> int:
        """Epochs in which only the weights train: `warmup`, or a ninth of all, FBNet's 10 of 90."""
        return self.epochs // 9 if self.warmup is None else min(self.warmup, self.epochs)


@dataclass(frozen=True)
class TrainSettings:
    """How to train the derived network from scratch; `precision`, `compile` and `ema` as in the search."""

    epochs: int = 90
    batch: int = 128
    label_smoothing: float = 0.1
    weights: Optimizer = Optimizer("sgd", (("lr", 0.1), ("momentum", 0.9), ("weight_decay", 1e-4)))
    precision: Precision = "float32"
    compile: Compiled = "off"
    ema: float = 0.0


@dataclass(frozen=True)
class Settings:
    objective: Objective = Objective()
    search: SearchSettings = SearchSettings()
    train: TrainSettings = TrainSettings()


def read_settings(module: Module) -> Settings:
    """The settings of a file.

    Raises:
        CompileError: with every mistake in them.
    """
    return _apply(Settings(), module.tree)


def override(settings: Settings, assignments: list[str], default: str = "search") -> Settings:
    """Settings changed by `key=value` or `section.key=value`, written as in a file; `default` is the default section.

    Raises:
        CompileError: with every mistake in them.
    """
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        section, dot, name = key.strip().partition(".")
        if not dot:
            section, name = default, section
        if not equals or section not in {"search", "train"}:
            hint = "write `epochs=30`, `search.epochs=30` or `train.epochs=30`"
            raise CompileError(Diagnostic("E0506", f"`--set {assignment}` is no setting", hints=(hint,)))
        text = f"{section} {{ {name.strip()} = {value.strip()} }}"
        settings = _apply(settings, _one_section(f"--set {key.strip()}", text), checks=False)
    _check(settings.search)
    return settings


def _check(search: SearchSettings) -> None:
    """What one setting demands of another."""
    found: list[Diagnostic] = []
    if search.temperature is not None:
        _check_temperature(search, search.temperature, found)
    if found:
        raise CompileError(found)


def _one_section(name: str, text: str) -> s.File:
    """The syntax tree of a text of the command line in its section, and of nothing after it."""
    source = Source(name, text)
    tree = parse(source)
    if len(tree.items) > 1:
        span = tree.items[1].span
        raise CompileError(Diagnostic("E0506", "this is more than one setting", span, ("give one option for each",)))
    return tree


def _apply(settings: Settings, tree: s.File, *, checks: bool = True) -> Settings:
    found: list[Diagnostic] = []
    for item in tree.items:
        try:
            match item:
                case s.Objective():
                    settings = replace(settings, objective=_objective(item))
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
            changes[name] = _READERS[name](setting)
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
        wanted = "above 0 in every epoch: a softmax divides by it"
        found.append(mistakes.bad_setting(formula.tree.span, "temperature", wanted).diagnostic)


def _count(least: int) -> Callable[[s.Setting], int]:
    def read(setting: s.Setting) -> int:
        value = _number(setting.value, {})
        if value != int(value) or not least <= value <= 10**6:
            raise mistakes.bad_setting(setting.value.span, setting.name.text, f"a whole number from {least}")
        return int(value)

    return read


def _share(setting: s.Setting) -> float:
    value = _number(setting.value, {})
    wanted_zero = setting.name.text in {"label_smoothing", "ema"}
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
        raise mistakes.bad_setting(call.span, setting.name.text, wanted)
    name = call.callee.text
    arguments: dict[str, float] = {}
    for argument in call.arguments:
        if argument.name is None:
            raise mistakes.bad_setting(argument.span, name, f"called with names, as in `{name}(lr=0.1)`")
        if argument.name.text not in _OPTIMIZERS[name]:
            raise mistakes.unknown_argument(argument.name.span, name, argument.name.text, _OPTIMIZERS[name])
        if argument.name.text in arguments:
            raise mistakes.given_twice(argument.span, name, argument.name.text)
        value = _number(argument.value, {})
        if not 0 <= value < math.inf or (argument.name.text == "lr" and value == 0):
            raise mistakes.bad_setting(argument.value.span, argument.name.text, "a number above 0")
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
}


def _objective(item: s.Objective) -> Objective:
    terms: dict[str, float] = {}
    powers: list[Power] = []
    for summand in _operands(item.minimize, "+"):
        factors = _operands(summand, "*")
        if found := [f for f in factors if isinstance(f, s.Binary) and f.operator == "^"]:
            powers += map(_power, found)
            factors = [f for f in factors if f not in found]
        for name, coefficient in _product(summand, factors).items():
            if found and name != "cross_entropy":
                raise mistakes.bad_objective(summand.span, "a power multiplies `cross_entropy` alone")
            terms[name] = terms.get(name, 0.0) + coefficient
    if terms.pop("cross_entropy", 0.0) != 1.0:
        raise mistakes.bad_objective(
            item.minimize.span,
            "the objective is `cross_entropy`, once, with costs added or as factors",
            "write `cross_entropy + 0.1 * macs / 1M`, or `cross_entropy * (macs / 60M) ^ 0.6`",
        )
    terms.pop("", None)
    return Objective(_bounds(item.constraints), tuple(sorted(terms.items())), tuple(powers))


def _operands(expr: s.Expr, operator: str) -> list[s.Expr]:
    """The expressions that `operator` joins."""
    if isinstance(expr, s.Binary) and expr.operator == operator:
        return [*_operands(expr.left, operator), *_operands(expr.right, operator)]
    return [expr]


def _product(whole: s.Expr, factors: list[s.Expr]) -> dict[str, float]:
    """What is left of a summand without its powers, as `_linear` has it."""
    if len(factors) == 1:
        return _linear(factors[0])
    return _linear(whole) if factors else {"": 1.0}


def _power(expr: s.Binary) -> Power:
    match expr.left:
        case s.Binary(operator="/", left=s.Name() as name) if not _names(expr.left.right):
            cost, target, exponent = _cost(name), _number(expr.left.right, {}), _number(expr.right, {})
            if not (0 < target < math.inf and -8 <= exponent <= 8):
                raise mistakes.bad_objective(expr.span, "a target is above 0, an exponent between -8 and 8")
            return Power(cost, target, exponent)
        case _:
            raise mistakes.bad_objective(
                expr.span, "a power is of a cost over its target", "write `cross_entropy * (macs / 60M) ^ 0.6`"
            )


def _bounds(constraints: tuple[s.Constraint, ...]) -> tuple[Bound, ...]:
    bounds = tuple(map(_bound, constraints))
    costs = [bound.cost for bound in bounds]
    for i, constraint in enumerate(constraints):
        if costs[i] in costs[:i]:
            raise mistakes.bad_objective(constraint.span, f"`{costs[i]}` has a bound already")
    return bounds


def with_bounds(settings: Settings, texts: list[str]) -> Settings:
    """Settings with bounds written as in a file, `macs <= 60M`, in place of the file's on the same costs.

    Raises:
        CompileError: where one is no bound.
    """
    bounds = {bound.cost: bound for bound in settings.objective.bounds}
    given: set[str] = set()
    for text in texts:
        tree = _one_section(f"--bound {text}", f"objective {{ minimize cross_entropy subject to {text} }}")
        for bound in _apply(Settings(), tree).objective.bounds:
            if bound.cost in given:
                raise CompileError(Diagnostic("E0504", f"`--bound` gives `{bound.cost}` two bounds"))
            given.add(bound.cost)
            bounds[bound.cost] = bound
    return replace(settings, objective=replace(settings.objective, bounds=tuple(bounds.values())))


def _bound(constraint: s.Constraint) -> Bound:
    if not isinstance(constraint.left, s.Name) or constraint.operator not in {"<=", "<"}:
        raise mistakes.bad_objective(constraint.span, "a constraint is a cost and its bound", "write `macs <= 60M`")
    cost = _cost(constraint.left)
    limit = _number(constraint.right, {})
    if not 0 < limit < math.inf:
        raise mistakes.bad_objective(constraint.right.span, f"the bound on `{cost}` must be above 0")
    return Bound(cost, limit / 100 if constraint.percent else limit, constraint.percent)


def _cost(name: s.Name) -> str:
    if name.text.lower() == "flops":
        raise mistakes.flops(name.span)
    if name.text not in COST_NAMES:
        raise mistakes.unknown_name(name.span, name.text, COST_NAMES)
    return name.text


def _linear(expr: s.Expr) -> dict[str, float]:
    """The expression as a sum of coefficients times names; the constant part is under the empty name."""
    match expr:
        case s.Name():
            return {"cross_entropy" if expr.text == "cross_entropy" else _cost(expr): 1.0}
        case s.Binary(operator="+"):
            left, right = _linear(expr.left), _linear(expr.right)
            return {name: left.get(name, 0.0) + right.get(name, 0.0) for name in left | right}
        case s.Binary(operator="*") if not _names(expr.left):
            return {name: c * _number(expr.left, {}) for name, c in _linear(expr.right).items()}
        case s.Binary(operator="*" | "/") if not _names(expr.right):
            factor = _number(expr.right, {})
            if expr.operator == "/" and factor == 0:
                raise mistakes.arithmetic(expr.span, "division by zero")
            return {n: c / factor if expr.operator == "/" else c * factor for n, c in _linear(expr.left).items()}
        case _ if not _names(expr):
            return {"": _number(expr, {})}
        case _:
            raise mistakes.bad_objective(expr.span, "the objective must be a weighted sum of cross_entropy and costs")


def _names(expr: s.Expr) -> bool:
    match expr:
        case s.Name():
            return True
        case s.Binary():
            return _names(expr.left) or _names(expr.right)
        case s.Unary():
            return _names(expr.operand)
        case _:
            return not isinstance(expr, s.Number)


def _number(expr: s.Expr, names: Mapping[str, float]) -> float:
    """The value of an arithmetic expression over numbers, `names` and FORMULA_FUNCTIONS."""
    match expr:
        case s.Number(value=value):
            return value
        case s.Name() if expr.text in names:
            return names[expr.text]
        case s.Name():
            raise mistakes.unknown_name(expr.span, expr.text, (*names, *FORMULA_FUNCTIONS))
        case s.Unary(operator="-"):
            return -_number(expr.operand, names)
        case s.Binary() if expr.operator in _ARITHMETIC:
            left, right = _number(expr.left, names), _number(expr.right, names)
            if expr.operator == "/" and right == 0:
                raise mistakes.arithmetic(expr.span, "division by zero")
            if expr.operator == "^" and not (0 < left <= 1e6 and abs(right) <= 1e6):
                raise mistakes.arithmetic(expr.span, "a power has a base above 0")
            try:
                return _ARITHMETIC[expr.operator](left, right)
            except OverflowError:
                raise mistakes.arithmetic(expr.span, "the result is too large") from None
        case s.Call(callee=s.Name() as callee) if callee.text in FORMULA_FUNCTIONS:
            if named := [a for a in expr.arguments if a.name is not None]:
                raise mistakes.only_by_position(named[0].span, callee.text)
            arity = 2 if callee.text in {"min", "max"} else 1
            if len(expr.arguments) != arity:
                raise mistakes.argument_count(expr.span, callee.text, arity, arity)
            try:
                return FORMULA_FUNCTIONS[callee.text](*(_number(a.value, names) for a in expr.arguments))
            except (ValueError, OverflowError):
                values = ", ".join(f"{name} = {value:g}" for name, value in names.items() if name.startswith("epoch"))
                where = f" where {values}" if values else ""
                raise mistakes.arithmetic(expr.span, f"`{callee.text}` has no value here{where}") from None
        case s.Call(callee=s.Name() as callee):
            raise mistakes.unknown_name(callee.span, callee.text, FORMULA_FUNCTIONS)
        case _:
            raise mistakes.not_a_value(expr.span, "no arithmetic", "a number")
