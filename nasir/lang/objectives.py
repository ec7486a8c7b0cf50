"""`objective` sections as checked data."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from nasir.cost.registry import COSTS, described
from nasir.cost.tabled import FAMILIES
from nasir.extensions import LOSSES
from nasir.lang import mistakes
from nasir.lang import syntax as s
from nasir.lang.formulas import NO_UNITS, cost_name, costs_in, has_names, has_unit, number

LOSS = "cross_entropy"
"""The loss where a program names none."""
LATER = {"recorded": "where another"}
"""Of what runs of earlier versions had not: a run that has its default is as it was."""
_FORMS = "write `cross_entropy + 0.1 * macs / 1M`, or `cross_entropy * (macs / 60M) ^ 0.6`"


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
    """Minimise `loss`, times `powers` (FBNet's form), plus `weights` (FBNetV2's), subject to `bounds`."""

    bounds: tuple[Bound, ...] = ()
    weights: tuple[tuple[str, float], ...] = ()
    powers: tuple[Power, ...] = ()
    loss: str = field(default=LOSS, metadata=LATER)

    @property
    def costs(self) -> tuple[str, ...]:
        """The costs that it mentions."""
        named = (*(b.cost for b in self.bounds), *(name for name, _ in self.weights), *(p.cost for p in self.powers))
        return tuple(dict.fromkeys(named))


def read_objective(item: s.Objective) -> Objective:
    loss = loss_in(item)
    terms: dict[str, float] = {}
    powers: list[Power] = []
    for summand in _operands(item.minimize, "+"):
        factors = _operands(summand, "*")
        if found := [f for f in factors if isinstance(f, s.Binary) and f.operator == "^"]:
            powers += map(_power, found)
            factors = [f for f in factors if f not in found]
        for name, coefficient in _product(summand, factors).items():
            if found and name != loss:
                raise mistakes.bad_objective(summand.span, f"a power multiplies `{loss}` alone")
            terms[name] = terms.get(name, 0.0) + coefficient
    if terms.pop(loss, 0.0) != 1.0:
        raise mistakes.bad_objective(
            item.minimize.span,
            f"the objective is `{loss}`, once, with costs added or as factors",
            _FORMS,
        )
    terms.pop("", None)
    if favoured := next((name for name, weight in terms.items() if weight < 0), None):
        raise mistakes.bad_objective_number(item.minimize.span, f"the weight of `{favoured}` is below 0")
    return Objective(read_bounds(item.constraints), tuple(sorted(terms.items())), tuple(powers), loss)


def loss_in(item: s.Objective) -> str:
    """The loss that an objective names: the one name in it that is no cost's."""
    found: dict[str, None] = {}
    for expr in costs_in(item.minimize):
        name = cost_name(expr) or ""
        if described(name) is None:
            if name != LOSS and name not in (known := LOSSES.names()):  # those of installed packages too
                _cost(expr, known)
            found[name] = None
    if len(found) > 1:
        raise mistakes.several_losses(item.minimize.span, list(found))
    return next(iter(found), LOSS)


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
        case s.Binary(operator="/", left=name) if cost_name(name) and not has_names(expr.left.right):
            cost, target, exponent = _cost(name), _limit(_cost(name), expr.left.right), number(expr.right, {})
            if not (0 < target < math.inf and 0 < exponent <= 8):
                raise mistakes.bad_objective_number(
                    expr.span,
                    "a target is above 0, an exponent above 0 and at most 8",
                    "cross-entropy is minimised: a negative exponent, as rewards have, would favour large networks",
                )
            return Power(cost, target, exponent)
        case _:
            raise mistakes.bad_objective(
                expr.span, "a power is of a cost over its target", "write `cross_entropy * (macs / 60M) ^ 0.6`"
            )


def read_bounds(constraints: tuple[s.Constraint, ...]) -> tuple[Bound, ...]:
    bounds = tuple(map(_bound, constraints))
    costs = [bound.cost for bound in bounds]
    for i, constraint in enumerate(constraints):
        if costs[i] in costs[:i]:
            raise mistakes.bounded_twice("the objective", costs[i], constraint.span)
    return bounds


def _bound(constraint: s.Constraint) -> Bound:
    if cost_name(constraint.left) is None or constraint.operator != "<=":
        raise mistakes.bad_constraint(constraint.span)
    cost = _cost(constraint.left)
    limit = number(constraint.right, {}) if constraint.percent else _limit(cost, constraint.right)
    if not 0 < limit < math.inf:
        raise mistakes.bad_bound(constraint.right.span, cost)
    return Bound(cost, limit / 100 if constraint.percent else limit, constraint.percent)


def _cost(expr: s.Expr, beside: Collection[str] = ()) -> str:
    """The name of a cost, `macs` or `macs(exact)`; `beside` are other names that would do."""
    name = cost_name(expr)
    assert name is not None, "only costs are asked"
    if name.lower() == "flops":
        raise mistakes.flops(expr.span)
    if described(name) is None:
        if name in FAMILIES:
            raise mistakes.no_device_named(expr.span, name)
        raise mistakes.unknown_name(expr.span, name, (*COSTS, *FAMILIES, *beside))
    return name


def _limit(cost: str, expr: s.Expr) -> float:
    """An amount of a cost, in the whole numbers that it is counted in."""
    units = units_of(cost)
    if "" not in units and not has_unit(expr):
        raise mistakes.no_unit(expr.span, cost, units)
    return number(expr, {}, units)


def units_of(cost: str) -> Mapping[str, float]:
    """The units in which amounts of a cost are written, with what each stands for."""
    known = described(cost)
    return known.units if known else NO_UNITS


def _linear(expr: s.Expr) -> dict[str, float]:
    """The expression as a sum of coefficients times names; the constant part is under the empty name."""
    match expr:
        case _ if (name := cost_name(expr)) is not None:
            return {name: 1.0}
        case s.Binary(operator="+"):
            left, right = _linear(expr.left), _linear(expr.right)
            return {name: left.get(name, 0.0) + right.get(name, 0.0) for name in left | right}
        case s.Binary(operator="*") if not has_names(expr.left):
            return {name: c * number(expr.left, {}) for name, c in _linear(expr.right).items()}
        case s.Binary(operator="*" | "/") if not has_names(expr.right):
            left = _linear(expr.left)
            units = (
                {unit: of for name in left for unit, of in units_of(name).items()} if expr.operator == "/" else NO_UNITS
            )
            factor = number(expr.right, {}, units)
            if expr.operator == "/" and factor == 0:
                raise mistakes.arithmetic(expr.span, "division by zero")
            return {n: c / factor if expr.operator == "/" else c * factor for n, c in left.items()}
        case _ if not has_names(expr):
            return {"": number(expr, {})}
        case _:
            raise mistakes.bad_objective(expr.span, "the objective must be a weighted sum of a loss and costs", _FORMS)
