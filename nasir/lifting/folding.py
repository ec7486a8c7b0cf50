"""Flat steps folded into blocks, along the modules of the user's network.

Each class whose uses do one thing becomes a block, the innermost classes first. What stays is the body of the space:
the calls that are in no block, and the uses of blocks.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from nasir.ir.values import Scalar
from nasir.lifting.lines import Block, Body, Item, Template, item_of
from nasir.lifting.naming import named
from nasir.lifting.steps import Lifted
from nasir.lifting.templates import template_of

_CONTAINERS = frozenset(("Sequential", "ModuleList", "ModuleDict", "Identity"))
_SHORT = 3
"""A chain of as many ops is read more easily where it stands."""


@dataclass(frozen=True)
class Folded:
    """The blocks, each after those that it uses, and the items of the space."""

    blocks: Mapping[str, Block]
    items: tuple[Item, ...]


def flat(lifted: Lifted) -> Folded:
    """Every op on its own."""
    return Folded({}, tuple(map(item_of, lifted.steps[1:])))


def folded(lifted: Lifted) -> Folded:
    """With a block for each class of the user's that has several uses of one form."""
    folding = _Folding(lifted)
    classes = folding.classes()
    for kind in classes:
        folding.fold(kind, 2)
    for kind in classes:
        folding.fold(kind, 1)
    folding.fold_between()
    return Folded(folding.blocks, tuple(folding.items))


class _Folding:
    def __init__(self, lifted: Lifted) -> None:
        self.items = list(flat(lifted).items)
        self.blocks: dict[str, Block] = {}
        self._input = lifted.input
        self._outputs = {step for _, step in lifted.outputs}

    def classes(self) -> list[str]:
        """The classes of the network's modules, each after those that are in it; its own is none of them."""
        heights: dict[str, int] = {}
        for item in self.items:
            for height, (path, kind) in enumerate(reversed(item.owners)):
                if path:
                    heights[kind] = max(heights.get(kind, 0), height)
        return sorted((kind for kind in heights if kind not in _CONTAINERS), key=lambda kind: (heights[kind], kind))

    def fold(self, kind: str, least: int) -> None:
        """Make uses of a block of the modules of a class, where `least` have a form in common; of one alone, where it
        stands beside a block."""
        paths = list(dict.fromkeys(path for item in self.items for path, own in item.owners if own == kind and path))
        for path in paths:
            self._absorb(path)
        bodies = {path: body for path in paths if (body := self._body(path)) is not None}
        if len(bodies) < least or all(_is_plain_chain(body) or _is_stage(body) for body in bodies.values()):
            return
        if least == 1 and not all(map(self._is_beside_a_block, bodies.values())):
            return
        self._make(kind, bodies)

    def fold_between(self) -> None:
        """Make uses of a block of what stands between two blocks in containers of one name, as the layers that halve a
        map between the stages of a ConvNeXt."""
        paths = dict.fromkeys(path for item in self.items for path, own in item.owners if own in _CONTAINERS)
        groups: dict[str, dict[str, Body]] = {}
        for path in paths:
            body, name = self._body(path), path.rpartition(".")[2]
            if body is not None and not name.isdigit() and self._is_beside_a_block(body) and _is_chain(body):
                groups.setdefault(name, {})[path] = body
        for name, bodies in groups.items():
            if len(bodies) > 1 and not any(item.is_block for body in bodies.values() for item in body.items):
                self._make(name, bodies)

    def _make(self, kind: str, bodies: Mapping[str, Body]) -> None:
        for template, group in _grouped(bodies, self.blocks):
            name = named(kind, self.blocks, "block")
            self.blocks[name] = Block(name, template)
            for use, path in enumerate(group):
                self._replace(path, bodies[path], name, template.arguments(use))

    def _is_beside_a_block(self, body: Body) -> bool:
        makes_a_map = len(body.shape_of(body.result)) > 1 and set(body.shape_of(body.result)[1:]) != {1}
        beside = (item for item in self.items if item.value == body.x or item.operands == (body.result,))
        return makes_a_map and any(item.is_block for item in beside)

    def _within(self, path: str) -> list[Item]:
        return [item for item in self.items if any(path == owner for owner, _ in item.owners)]

    def _body(self, path: str) -> Body | None:
        """What a module does, where that makes one value of one value and is more than a call."""
        items = self._within(path)
        made = {item.value for item in items}
        read = list(dict.fromkeys(one for item in items for one in item.operands if one not in made))
        left = [value for value in made if self._is_read_outside(value, made)]
        if len(items) < 2 or len(read) != 1 or len(left) != 1:
            return None
        inner = tuple(replace(item, owners=item.owners[_depth(item, path) + 1 :]) for item in items)
        return Body(read[0], inner, left[0], self._shape(read[0]))

    def _is_read_outside(self, value: str, made: set[str]) -> bool:
        return value in self._outputs or any(value in item.operands for item in self.items if item.value not in made)

    def _shape(self, value: str) -> tuple[int, ...]:
        if value == self._input.name:
            return self._input.shape
        return next(item.shape for item in self.items if item.value == value)

    def _absorb(self, path: str) -> None:
        """Take into a module what is done with its result and its input alone: the `torch.cat` of a dense layer, which
        stands in the next one."""
        body = self._body(path)
        if body is None:
            return
        inside = self._within(path)
        made = {item.value for item in inside}
        users = [item for item in self.items if body.result in item.operands and item.value not in made]
        if len(users) != 1 or set(users[0].operands) != {body.x, body.result} or body.result in self._outputs:
            return
        owners = next(item.owners[: _depth(item, path) + 1] for item in inside)
        self.items[self.items.index(users[0])] = replace(users[0], owners=owners)

    def _replace(self, path: str, body: Body, name: str, arguments: tuple[tuple[str, Scalar], ...]) -> None:
        """Put a use of a block in the place of a module's items."""
        items = self._within(path)
        result = next(item for item in items if item.value == body.result)
        owners = result.owners[: _depth(result, path) + 1]
        use = Item(body.result, name, (body.x,), arguments, owners, result.shape, is_block=True)
        gone = {item.value for item in items} - {result.value}
        self.items = [use if item is result else item for item in self.items if item.value not in gone]


def _grouped(bodies: Mapping[str, Body], blocks: Mapping[str, Block]) -> Iterator[tuple[Template, list[str]]]:
    """One block for all uses where that can be; else as few as can be found, one for each form at most."""
    forms: dict[object, list[str]] = {}
    for path, body in bodies.items():
        forms.setdefault(_form(body), []).append(path)
    found: list[tuple[Template, list[str]]] = []
    for group in [[path for paths in forms.values() for path in paths], *forms.values()]:
        for i, (_, before) in enumerate(found):
            both = sorted({*before, *group}, key=list(bodies).index)
            if (template := template_of([bodies[path] for path in both], blocks)) is not None:
                found[i] = template, both
                break
        else:
            template = template_of([bodies[path] for path in group], blocks)
            found += [(template, group)] if template is not None else []
        if found and len(found[0][1]) == len(bodies):
            break
    yield from found


def _form(body: Body) -> object:
    """What is called, and how it is wired."""
    places = {body.x: -1, **{item.value: i for i, item in enumerate(body.items)}}
    return tuple((item.kind, tuple(places[one] for one in item.operands), len(item.owners)) for item in body.items)


def _depth(item: Item, path: str) -> int:
    """At which place among the modules around an item one is."""
    return next(i for i, owner in enumerate(item.owners) if owner[0] == path)


def _is_chain(body: Body) -> bool:
    before = [body.x, *(item.value for item in body.items)]
    return all(item.operands == (value,) for item, value in zip(body.items, before, strict=False))


def _is_plain_chain(body: Body) -> bool:
    """Whether it is a few ops one after another."""
    return _is_chain(body) and len(body.items) <= _SHORT and not any(item.is_block for item in body.items)


def _is_stage(body: Body) -> bool:
    """Whether it is several blocks one after another, which a table says."""
    return _is_chain(body) and sum(item.is_block for item in body.items) > 1
