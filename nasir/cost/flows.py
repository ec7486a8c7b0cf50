"""Who reads what in a network, through all that a deployed network does nothing for.

A mixture that has decided hands on its operand, a dropout and a flattening do nothing: what a later op reads is what
was made before them. Which op that is depends on the decisions, and is told by conditions (`ir/diagrams.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

from nasir.ir.activity import ALWAYS, NEVER, Activity, node_activities
from nasir.ir.distributions import Distributions
from nasir.ir.graph import Graph, Node
from nasir.ir.ops import OPS
from nasir.ir.values import Ref, Scalar


@dataclass(frozen=True)
class Form:
    """What a node is in some networks: the op that is left of it, or the name of the operand that it hands on."""

    condition: Activity
    is_of: Node | str


@dataclass(frozen=True)
class Readers:
    """The conditions under which a value has no reader, just one, and more than one."""

    none: Activity
    one: Activity
    many: Activity


class Flows:
    """The values of a space's networks, their makers and their readers."""

    def __init__(self, graph: Graph, distributions: Distributions) -> None:
        self.graph, self._distributions = graph, distributions
        self._diagrams = distributions.diagrams
        self.activities = node_activities(graph, distributions)
        self.forms: Mapping[str, tuple[Form, ...]] = {node.name: self._forms(node) for node in graph.nodes}

    def opposite(self, condition: Activity) -> Activity:
        """Where a condition does not hold."""
        return self._diagrams.weighted(condition, 0, 1)

    def _forms(self, node: Node) -> tuple[Form, ...]:
        """What a node is, under each value of what decides it; nothing where it is in no network."""
        op, found = OPS[node.op], dict[Node | str, Activity]()
        refs = dict.fromkeys(v.name for name, v in node.attributes if name in op.internal and isinstance(v, Ref))
        if not op.is_soft or not refs:
            simple = op.simplified(node)
            return (Form(ALWAYS, self._handed_on(simple)),)
        for values in product(*(self._distributions.support(Ref(name)) for name in refs)):
            simple = op.simplified(_decided(node, dict(zip(refs, values, strict=True))))
            condition = ALWAYS
            for name, value in zip(refs, values, strict=True):
                condition = self._diagrams.both(condition, self._diagrams.test(name, (value,)))
            made = self._handed_on(simple)
            found[made] = self._diagrams.either(found.get(made, NEVER), condition)
        return tuple(Form(condition, made) for made, condition in found.items())

    def _handed_on(self, simple: Node | str) -> Node | str:
        """A node that a deployed network does nothing for hands on its operand; of one with several results each is a
        value of its own."""
        if isinstance(simple, Node) and OPS[simple.op].is_free and len(simple.operands) == 1:
            (name,) = simple.inputs
            return simple if self.graph.by_name[name].shape.parts else name
        return simple

    def acting(self, name: str) -> list[tuple[Node, Activity]]:
        """The ops that a node is in a network, each with the condition under which it is that."""
        active = self.activities[name]
        found = [
            (form.is_of, self._diagrams.both(active, form.condition))
            for form in self.forms[name]
            if isinstance(form.is_of, Node)
        ]
        return [(node, condition) for node, condition in found if condition is not NEVER]

    @cached_property
    def makers(self) -> Mapping[str, Mapping[str, Activity]]:
        """The nodes whose work each value is, each with the condition under which it is that one's."""
        found: dict[str, dict[str, Activity]] = {}
        for node in self.graph.nodes:
            own: dict[str, Activity] = {}
            for form in self.forms[node.name]:
                before = {node.name: ALWAYS} if isinstance(form.is_of, Node) else found[form.is_of]
                for maker, condition in before.items():
                    both = self._diagrams.both(condition, form.condition)
                    own[maker] = self._diagrams.either(own.get(maker, NEVER), both)
            found[node.name] = {maker: condition for maker, condition in own.items() if condition is not NEVER}
        return found

    @cached_property
    def readers(self) -> Mapping[str, Readers]:
        """How many ops of a network read each value; who reads the network's result is one."""
        found: dict[str, Readers] = {}
        for node in reversed(self.graph.nodes):
            own = self._alone(ALWAYS if node.name == self.graph.output else NEVER)
            for user in self.graph.users[node.name]:
                for form in self.forms[user.name]:
                    own = self._together(own, self._reading(form, user.name, node.name, found))
            found[node.name] = own
        return found

    def _reading(self, form: Form, user: str, value: str, known: Mapping[str, Readers]) -> Readers:
        """How often a value is read by a form of a user, and by those that this hands it on to."""
        under = self._diagrams.both(self.activities[user], form.condition)
        if isinstance(form.is_of, Node):
            return self._alone(under if value in form.is_of.inputs else NEVER)
        if form.is_of != value:
            return self._alone(NEVER)
        later = known[user]
        one, many = self._diagrams.both(under, later.one), self._diagrams.both(under, later.many)
        return Readers(self.opposite(self._diagrams.either(one, many)), one, many)

    def _alone(self, condition: Activity) -> Readers:
        return Readers(self.opposite(condition), condition, NEVER)

    def _together(self, a: Readers, b: Readers) -> Readers:
        both, either = self._diagrams.both, self._diagrams.either
        none = both(a.none, b.none)
        one = either(both(a.one, b.none), both(a.none, b.one))
        return Readers(none, one, self.opposite(either(none, one)))


def _decided(node: Node, known: Mapping[str, Scalar]) -> Node:
    """The node with these decisions and dims as constants."""
    attributes = tuple(
        (name, known.get(value.name, value) if isinstance(value, Ref) else value) for name, value in node.attributes
    )
    return replace(node, attributes=attributes)
