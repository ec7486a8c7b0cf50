"""Uses of one class as one block: what they have in common, what differs, what only some of them have."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from nasir.ir.ops.arithmetic import Add, Mul
from nasir.ir.path import fresh
from nasir.ir.values import Scalar
from nasir.lang import syntax as s
from nasir.lifting import expressions as e
from nasir.lifting.lines import FUNCTION, Block, Body, Hole, Item, Line, Template, X, is_mixing, is_size
from nasir.lifting.naming import named

Values = tuple[Scalar | None, ...]
"""What each use has; None where it has nothing."""
_STRIDE, _WIDTH, _INNER = "stride", "width", "mid"


def template_of(bodies: Sequence[Body], blocks: Mapping[str, Block]) -> Template | None:
    """The block that all bodies are; None where they are not one, as far as can be seen.

    Functions are told apart by their number, or by what they follow: where some uses leave out a layer and the
    activation behind it, the numbers of the others change.
    """
    for keys in (_numbered, _following):
        if (found := _common([keys(body) for body in bodies], bodies, blocks)) is not None:
            return found
    return None


def _common(keyed: Sequence[dict[str, Item]], bodies: Sequence[Body], blocks: Mapping[str, Block]) -> Template | None:
    """The block that all bodies are whose items of one key are one call."""
    order = _order(keyed)
    wiring = _wiring(order, keyed)
    if wiring is None or not all(_agrees(body, items, wiring) for body, items in zip(bodies, keyed, strict=True)):
        return None
    results = {_key_of(body.result, items) for body, items in zip(bodies, keyed, strict=True)}
    result = max(results, key=order.index)
    if any(
        _passed(result, items, wiring) != _key_of(body.result, items) for body, items in zip(bodies, keyed, strict=True)
    ):
        return None
    shortcuts = {key for key in order if _is_sum(key, keyed) and not all(key in items for items in keyed)}
    if not all(_is_shortcut(key, bodies, keyed, wiring) for key in shortcuts):
        return None
    return _Writing(bodies, keyed, order, wiring, shortcuts, blocks).template(result)


# What the uses have in common


def _numbered(body: Body) -> dict[str, Item]:
    """The items by the modules around them, by what is called, and by how often it was before."""
    found: dict[str, Item] = {}
    for item in body.items:
        found[fresh(f"{'.'.join(_local(item.owners))}:{item.kind}", found, "{}#{}")] = item
    return found


def _following(body: Body) -> dict[str, Item]:
    """The items as `_numbered` has them, but for activations and what is in no module, which go by what they follow."""
    found: dict[str, Item] = {}
    for item in body.items:
        path = ".".join(_local(item.owners))
        if len(item.operands) == 1 and (item.kind == FUNCTION or not path):
            path = f"<{_key_of(item.operands[0], found)}>"
        found[fresh(f"{path}:{item.kind}", found, "{}#{}")] = item
    return found


def _local(owners: Sequence[tuple[str, str]]) -> Iterator[str]:
    before = ""
    for path, _ in owners:
        yield path.removeprefix(f"{before}.") if before and path.startswith(f"{before}.") else path.rpartition(".")[2]
        before = path


def _order(keyed: Sequence[Mapping[str, Item]]) -> list[str]:
    """The keys of all uses, each use's in its order."""
    order: list[str] = []
    for items in sorted(keyed, key=len, reverse=True):
        place = 0
        for key in items:
            if key in order:
                place = order.index(key) + 1
            else:
                order.insert(place, key)
                place += 1
    return order


def _key_of(value: str, items: Mapping[str, Item]) -> str:
    """The key of a value within a use; its input's is `x`."""
    return next((key for key, item in items.items() if item.value == value), X)


def _wiring(order: Sequence[str], keyed: Sequence[Mapping[str, Item]]) -> dict[str, tuple[str, ...]] | None:
    """What each key reads where nothing is left out: of what the uses read, the last."""
    places = {X: -1, **{key: i for i, key in enumerate(order)}}
    found: dict[str, tuple[str, ...]] = {}
    for key in order:
        read = [tuple(_key_of(one, items) for one in items[key].operands) for items in keyed if key in items]
        if len({len(one) for one in read}) > 1:
            return None
        if _commutes(_kind(key)):
            found[key] = max(read, key=lambda one: sorted((places[key] for key in one), reverse=True))
        else:
            found[key] = tuple(max(column, key=places.__getitem__) for column in zip(*read, strict=True))
        if any(places[one] >= places[key] for one in found[key]):
            return None
    return found


def _passed(key: str, items: Mapping[str, Item], wiring: Mapping[str, tuple[str, ...]]) -> str | None:
    """What stands for a key in a use: itself, or what it would read last where the use leaves it out."""
    while key != X and key not in items:
        operands = wiring[key]
        if len(operands) > 1 and not _is_plus(_kind(key)):
            return None
        key = list(operands)[-1]
    return key


def _agrees(body: Body, items: Mapping[str, Item], wiring: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether a use reads what the block reads."""
    for key, item in items.items():
        read = [_key_of(one, items) for one in item.operands]
        passed = [str(_passed(one, items, wiring)) for one in wiring[key]]
        if read != passed and not (_commutes(item.kind) and sorted(read) == sorted(passed)):
            return False
    return True


def _kind(key: str) -> str:
    return key.rpartition(":")[2].partition("#")[0]


def _commutes(kind: str) -> bool:
    return kind in {Add.name, Mul.name}


def _is_plus(kind: str) -> bool:
    return kind == Add.name


def _is_sum(key: str, keyed: Sequence[Mapping[str, Item]]) -> bool:
    return any(key in items and _is_plus(items[key].kind) for items in keyed)


def _is_shortcut(
    key: str, bodies: Sequence[Body], keyed: Sequence[Mapping[str, Item]], wiring: Mapping[str, tuple[str, ...]]
) -> bool:
    """Whether a sum is there exactly where what it adds has one shape."""
    for body, items in zip(bodies, keyed, strict=True):
        ends = [_passed(one, items, wiring) for one in wiring[key]]
        if None in ends:
            return False
        shapes = [body.shape if end == X else items[str(end)].shape for end in ends]
        if (shapes[0] == shapes[1]) != (key in items):
            return False
    return True


# What differs


class _Writing:
    """Finds an expression for every argument: a number, the input's channels, a parameter or a part of one."""

    def __init__(
        self,
        bodies: Sequence[Body],
        keyed: Sequence[Mapping[str, Item]],
        order: Sequence[str],
        wiring: Mapping[str, tuple[str, ...]],
        shortcuts: set[str],
        blocks: Mapping[str, Block],
    ) -> None:
        self._bodies = bodies
        self._keyed = keyed
        self._order = order
        self._wiring = wiring
        self._shortcuts = shortcuts
        self._blocks = blocks
        self._channels: Values = tuple(body.shape[0] for body in bodies)
        self._holes: dict[str, Hole] = {}

    def template(self, result: str) -> Template:
        written: dict[tuple[str, str], s.Expr] = {}
        for key, argument in self._by_weight():
            written[key, argument] = self._expression(key, argument)
        lines = [self._line(key, written) for key in self._order]
        return Template(tuple(lines), result, tuple(map(self._with_default, self._holes.values())))

    def _with_default(self, hole: Hole) -> Hole:
        """A stride is 1 where a table says nothing, and what some uses do not read must be something."""
        if hole.name == _STRIDE:
            return replace(hole, default=1)
        if None not in hole.values or hole.default is not None:
            return hole
        most = Counter(value for value in hole.values if value is not None).most_common(1)[0][0]
        return replace(hole, default=most)

    def _by_weight(self) -> list[tuple[str, str]]:
        """Every argument, that of the width of what comes out first: other widths are told by it."""
        every = [(key, name) for key in self._order for name in self._arguments(key)]
        last = (self._last_mixing(), _WIDTH)
        return sorted(every, key=lambda one: one != last)

    def _item(self, key: str) -> Item:
        return next(items[key] for items in self._keyed if key in items)

    def _values(self, key: str, argument: str) -> Values:
        return tuple(
            dict(items[key].arguments).get(argument, self._absent(key, argument)) if key in items else None
            for items in self._keyed
        )

    def _absent(self, key: str, argument: str) -> Scalar | None:
        """What a call has for an argument that it does not give."""
        item = self._item(key)
        holes = self._blocks[item.kind].template.holes if item.is_block else ()
        return next((hole.default for hole in holes if hole.name == argument), None)

    def _arguments(self, key: str) -> list[str]:
        return list(dict.fromkeys(name for items in self._keyed if key in items for name, _ in items[key].arguments))

    def _expression(self, key: str, argument: str) -> s.Expr:
        values = self._values(key, argument)
        present = [value for value in values if value is not None]
        size = is_size(self._item(key), argument, self._blocks)
        if size and _alike(values, self._channels):
            return e.channels()
        alike = [hole for hole in self._holes.values() if _alike(values, hole.values)]
        known = [hole for hole in alike if hole.is_size == size and (size or hole.of == argument)]
        if argument in {_WIDTH, _STRIDE} and known:  # before a number that all may have: what fits a shortcut follows
            return e.name(known[0].name)
        is_output = (key, argument) == (self._last_mixing(), _WIDTH)
        if len(set(map(str, present))) == 1 and not is_output:
            return e.literal(present[0])
        if known:
            return e.name(known[0].name)
        for hole in self._holes.values():
            if not size and hole.of == argument and (both := _merged(values, hole.values)) is not None:
                self._holes[hole.name] = replace(hole, values=both)
                return e.name(hole.name)
        if size and (part := self._part(values)) is not None and not (is_output and self._is_own(part)):
            return part
        return e.name(self._new(key, argument, values, size))

    def _is_own(self, part: s.Expr) -> bool:
        """Whether a width is told by each use rather than by a part of the input's: unless several halve it."""
        return len(self._bodies) == 1 or not (isinstance(part, s.Binary) and part.operator == "/")

    def _part(self, values: Values) -> s.Expr | None:
        """A multiple or a fraction of the input's channels, or of a parameter that counts some."""
        known = [(e.channels(), self._channels)]
        known += [(e.name(hole.name), hole.values) for hole in self._holes.values() if hole.is_size]
        for base, others in known:
            pairs = [(a, b) for a, b in zip(values, others, strict=True) if a is not None]
            if any(not isinstance(a, int) or not isinstance(b, int) for a, b in pairs):
                continue
            ratios = {(a / b, b / a) for a, b in pairs if isinstance(a, int) and isinstance(b, int)}
            if len(ratios) != 1:
                continue
            ((more, less),) = ratios
            if more == int(more):
                return e.binary(e.literal(int(more)), "*", base)
            if less == int(less):
                return e.binary(base, "/", e.literal(int(less)))
        return None

    def _new(self, key: str, argument: str, values: Values, size: bool) -> str:
        of = "act" if argument == FUNCTION else argument
        wanted = _INNER if argument == _WIDTH and key != self._last_mixing() else of
        wanted = f"{label_of(key)}_{argument}" if size and self._item(key).is_block else wanted
        name = named(wanted, self._holes, wanted)
        self._holes[name] = Hole(name, values, argument, size)
        return name

    def _last_mixing(self) -> str | None:
        """The last call that every use has which makes channels of its own."""
        mixing = [
            key for key in self._order if is_mixing(self._item(key).kind) and all(key in one for one in self._keyed)
        ]
        return mixing[-1] if mixing else None

    # What only some have

    def _line(self, key: str, written: Mapping[tuple[str, str], s.Expr]) -> Line:
        item = self._item(key)
        arguments = tuple((name, written[key, name]) for name in self._arguments(key))
        there = tuple(key in items for items in self._keyed)
        is_shortcut = key in self._shortcuts
        condition = None if all(there) or is_shortcut else self._condition(key, there)
        return Line(
            key,
            item.kind,
            self._wiring[key],
            arguments,
            label_of(key),
            item.shape,
            item.parts,
            item.is_block,
            condition,
            is_shortcut,
        )

    def _condition(self, key: str, there: tuple[bool, ...]) -> s.Expr:
        """What tells the uses that have a call from the others: its parameters where they do, else a flag."""
        for condition, holds in self._conditions():
            if holds == there:
                return condition
        for hole in self._holes.values():
            if hole.values == there:
                return e.name(hole.name)
            if hole.is_size and tuple(value is not None for value in hole.values) == there:
                self._holes[hole.name] = replace(hole, default=0)
                return e.binary(e.name(hole.name), ">", e.literal(0))
        flag = named(f"has_{label_of(key)}", self._holes, "has")
        self._holes[flag] = Hole(flag, there, flag, False, False)
        return e.name(flag)

    def _conditions(self) -> Iterator[tuple[s.Expr, tuple[bool, ...]]]:
        strides = [hole for hole in self._holes.values() if hole.of == _STRIDE and None not in hole.values]
        widths = [hole for hole in self._holes.values() if hole.is_size and None not in hole.values]
        strided = [
            (e.binary(e.name(hole.name), ">", e.literal(1)), tuple(value != 1 for value in hole.values))
            for hole in strides
        ]
        changed = [
            (
                e.binary(e.channels(), "!=", e.name(hole.name)),
                tuple(a != b for a, b in zip(hole.values, self._channels, strict=True)),
            )
            for hole in widths
        ]
        for one, first in strided:
            for other, second in changed:  # what fits a shortcut is there where any of the shape changes
                yield e.binary(one, "or", other), tuple(a or b for a, b in zip(first, second, strict=True))
        yield from strided
        yield from changed


def _alike(values: Values, others: Values) -> bool:
    """Whether one says what the other does, wherever it says anything."""
    return all(a is None or (a == b and type(a) is type(b)) for a, b in zip(values, others, strict=True))


def _merged(values: Values, others: Values) -> Values | None:
    """What either says, where they do not differ."""
    pairs = list(zip(values, others, strict=True))
    if any(None not in (a, b) and (a != b or type(a) is not type(b)) for a, b in pairs):
        return None
    return tuple(b if a is None else a for a, b in pairs)


def label_of(key: str) -> str:
    """What a call is called in a body: the module that makes it, else what it is."""
    path = key.rpartition(":")[0].partition("<")[0]
    return path or _kind(key)
