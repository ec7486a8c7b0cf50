"""What is computed of one network, in an order in which each thing stands behind all that it reads."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Protocol

from nasir.ir.activity import Activity
from nasir.ir.graph import Graph, values_of
from nasir.ir.ops import Op, Tensors
from nasir.ir.sizes import evaluator
from nasir.ir.values import Ref, Scalar


class Priced(Protocol):
    """What a cost prices: the condition under which it is in the network, and the decisions and dims that its price
    follows from."""

    @property
    def activity(self) -> Activity: ...

    @property
    def reads(self) -> Set[str]: ...


@dataclass(frozen=True, eq=False)
class PricedNode:
    """A node that a cost prices."""

    op: Op
    it: Tensors
    activity: Activity

    @property
    def reads(self) -> Set[str]:
        """The decisions and dims that its costs are computed from."""
        mentioned = {v.name for type in self.it.operands.values() for v in type.values() if isinstance(v, Ref)}
        return mentioned | {v.name for v in values_of(self.it.node) if isinstance(v, Ref)}


Thing = str | Activity
"""What has a value in a network: a decision or a dim, by its name, or a condition."""


@dataclass(frozen=True)
class Computed:
    """A dim, and what computes it from the decisions and the dims before it."""

    name: str
    value: Callable[[Mapping[str, Scalar]], Scalar]


Step = Computed | Activity | int
"""A dim, a condition, or the number of what is priced."""


@dataclass(frozen=True)
class Steps:
    """The steps in `order`. `readers` has the places of the dims that read a decision or a dim, and of a condition's
    nodes; `asking` those of the conditions that tell a value of it from most others, by the values; `sized` those of
    the nodes that it is a size of, by their conditions. `last` is the place of the last that reads it, -1 where none
    does; `numbers` tell the things apart."""

    order: Sequence[Step]
    readers: Mapping[Thing, Sequence[int]]
    asking: Mapping[Thing, Mapping[Scalar, Sequence[int]]]
    sized: Mapping[Thing, Mapping[Activity, Sequence[int]]]
    last: Mapping[Thing, int]
    numbers: Mapping[Thing, int]


def steps_of(graph: Graph, priced: Sequence[Priced]) -> Steps:
    """The steps to the prices of these."""
    sizes = [one.reads for one in priced]
    asked = {activity: activity.asks() for activity in dict.fromkeys(one.activity for one in priced)}
    order = _order(graph, priced, sizes, asked)
    things: tuple[Thing, ...] = (*graph.decision_map, *graph.dim_map, *asked)
    readers: dict[Thing, list[int]] = {thing: [] for thing in things}
    asking: dict[Thing, dict[Scalar, list[int]]] = {thing: {} for thing in things}
    sized: dict[Thing, dict[Activity, list[int]]] = {thing: {} for thing in things}
    last: dict[Thing, int] = dict.fromkeys(things, -1)
    for place, step in enumerate(order):
        match step:
            case int():
                reads, activity = sizes[step], priced[step].activity
                for name in reads:
                    sized[name].setdefault(activity, []).append(place)
                readers[activity].append(place)
                last[activity] = place
            case Computed(name):
                reads = {a.name for a in graph.dim_map[name].args if isinstance(a, Ref)}
                for argument in reads:
                    readers[argument].append(place)
            case _:
                reads = asked[step]
                for name, value in _told_apart(step):
                    asking[name].setdefault(value, []).append(place)
        for name in reads:
            last[name] = place
    return Steps(order, readers, asking, sized, last, {thing: i for i, thing in enumerate(things)})


def _told_apart(condition: Activity) -> set[tuple[str, Scalar]]:
    """The values that each question of a condition tells from most others: to change among these others is nothing to
    it."""
    found: set[tuple[str, Scalar]] = set()
    for question in condition.nodes():
        ((usual, _),) = Counter(map(id, question.cases)).most_common(1)
        for value, case in zip(question.index, question.cases, strict=True):
            if id(case) != usual:
                found.add((question.name, value))
    return found


def _order(
    graph: Graph, priced: Sequence[Priced], sizes: Sequence[Set[str]], asked: Mapping[Activity, Set[str]]
) -> list[Step]:
    """The dims, behind each the conditions and the nodes that nothing later decides; first those that no dim does."""
    numbers = {dim.name: i for i, dim in enumerate(graph.dims, start=1)}

    def behind(names: Set[str]) -> int:
        return max((numbers.get(name, 0) for name in names), default=0)

    stages: list[list[Step]] = [[], *([Computed(dim.name, evaluator(dim))] for dim in graph.dims)]
    places = {activity: behind(names) for activity, names in asked.items()}
    for activity, place in places.items():
        stages[place].append(activity)
    for i, one in enumerate(priced):
        stages[max(places[one.activity], behind(sizes[i]))].append(i)
    return [step for stage in stages for step in stage]
