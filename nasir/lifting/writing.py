"""Folded steps as a program: flows, tables, and the defaults that all calls of an op share."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from nasir.ir.graph import Node
from nasir.ir.ops import OPS, Contract, Tensors
from nasir.ir.ops.arithmetic import Add, Mul, Sub
from nasir.ir.ops.concat import Concat
from nasir.ir.ops.result import Result
from nasir.ir.ops.shortcut import Shortcut
from nasir.ir.values import Scalar
from nasir.lang import syntax as s
from nasir.lifting import expressions as e
from nasir.lifting.folding import Folded
from nasir.lifting.lines import FUNCTION, Block, Hole, Item, Line, X, is_mixing
from nasir.lifting.naming import is_free, named
from nasir.lifting.opening import Site
from nasir.lifting.sites import Sites
from nasir.lifting.steps import Lifted, Step
from nasir.lifting.tables import Table, runs_of

_SHARED = ("positive", "flag")
"""The kinds of parameters that a file sets for all calls of an op."""
_TITLES = {Add.name: "sum", Sub.name: "difference", Mul.name: "product", Concat.name: "joined", FUNCTION: "act"}
_TRUNK, _CLASSES, _WIDTH = "trunk", "classes", "width"
_Defaults = Mapping[str, Mapping[str, Scalar]]


def program(lifted: Lifted, folded: Folded) -> tuple[s.File, Sequence[Site]]:
    """The program: what all calls of an op share, the blocks, the space; and the numbers that could be sets."""
    shared = _shared(lifted.steps)
    writer = _Writer(folded.blocks, shared)
    blocks = [writer.block(block) for block in folded.blocks.values()]
    return s.File(e.SPAN, (*_sets(shared), *blocks, writer.space(lifted, folded.items))), writer.sites.found


def _shared(steps: Sequence[Step]) -> _Defaults:
    """What all calls of an op, of two or more, have where they could have the default."""
    found: dict[str, dict[str, Scalar]] = {}
    by_op: dict[str, list[dict[str, Scalar]]] = {}
    for step in steps:
        by_op.setdefault(step.op, []).append(dict(step.attributes))
    for op, calls in by_op.items():
        for parameter in OPS[op].parameters:
            values = {str(call[parameter.name]) for call in calls}
            value = calls[0][parameter.name]
            common = len(calls) > 1 and len(values) == 1 and parameter.kind in _SHARED
            if common and parameter.default not in {None, value}:
                found.setdefault(op, {})[parameter.name] = value
    return found


def _sets(shared: _Defaults) -> Iterator[s.Defaults]:
    for op, given in shared.items():
        arguments = tuple(s.Argument(e.SPAN, e.identifier(name), e.literal(value)) for name, value in given.items())
        yield s.Defaults(e.SPAN, e.identifier(op), arguments)


@dataclass
class _Names:
    """The names of a body's values."""

    taken: set[str]
    of: dict[str, str] = field(default_factory=dict[str, str])

    def give(self, value: str, label: str) -> str:
        self.of[value] = named(label, self.taken, "layer")
        self.taken.add(self.of[value])
        return self.of[value]

    def read(self, values: Sequence[str]) -> list[s.Expr]:
        return [e.name(self.of[value]) for value in values]


class _Writer:
    def __init__(self, blocks: Mapping[str, Block], shared: _Defaults) -> None:
        self._blocks = blocks
        self._shared = shared
        self.sites = Sites(blocks)

    def block(self, block: Block) -> s.Block:
        template = block.template
        parameters = tuple(map(_parameter, sorted(template.holes, key=_place)))
        names = _Names({*self._blocks, *(hole.name for hole in template.holes)}, {X: X})
        body = tuple(self._body(template.lines, [("", template.result)], names))
        return s.Block(e.SPAN, e.identifier(block.name), parameters, body)

    def space(self, lifted: Lifted, items: Sequence[Item]) -> s.Space:
        lines = list(map(line_of, items))
        name = named(lifted.name, self._blocks, "network")
        names = _Names({*self._blocks, name, _CLASSES}, {lifted.input.name: X})
        parameters: list[s.Parameter] = []
        if lines and [key for _, key in lifted.outputs] == [lines[-1].key] and _ends_in_classes(lines[-1]):
            parameters = [s.Parameter(e.SPAN, e.identifier(_CLASSES), dict(lines[-1].arguments)[_WIDTH])]
            arguments = tuple((n, e.name(_CLASSES) if n == _WIDTH else v) for n, v in lines[-1].arguments)
            lines[-1] = replace(lines[-1], arguments=arguments)
        self.sites.of_space(lines, lifted.input.name, lifted.input.shape, [step for _, step in lifted.outputs])
        first = line_of(Item(X, lifted.input.op, (), lifted.input.attributes, (), lifted.input.shape))
        image = s.Bind(e.SPAN, (e.identifier(X),), self._call(first, names))
        body = tuple(self._body(lines, lifted.outputs, names))
        return s.Space(e.SPAN, e.identifier(name), tuple(parameters), (image, *body))

    # Bodies

    def _body(self, lines: Sequence[Line], outputs: Sequence[tuple[str, str]], names: _Names) -> Iterator[s.Statement]:
        """The statements that lines are, and what they return."""
        users = Counter([*(one for line in lines for one in line.operands), *(key for _, key in outputs)])
        results = [line for line in lines if line.kind == Result.name]
        flows = list(_flows([line for line in lines if line.kind != Result.name], users))
        keys = [key for _, key in outputs]
        returned = flows.pop() if flows and keys == [flows[-1][-1].key] else None
        for flow in flows:
            last = flow[-1]
            parts = [one.key for one in results if one.operands == (last.key,)]
            value = self._flow(flow, names)
            given = [names.give(key, f"{last.label}_{i + 1}") for i, key in enumerate(parts)]
            given = given or [names.give(last.key, self._title(flow))]
            yield s.Bind(e.SPAN, tuple(map(e.identifier, given)), value)
        if returned is not None:
            yield s.Return(e.SPAN, self._flow(returned, names))
        elif len(outputs) == 1:
            yield s.Return(e.SPAN, names.read(keys)[0])
        else:
            labels = tuple(e.identifier(label) for label, _ in outputs)
            yield s.Return(e.SPAN, s.Outputs(e.SPAN, labels, tuple(names.read(keys))))

    def _title(self, flow: Sequence[Line]) -> str:
        if any(isinstance(run, Table) for run in runs_of(flow, self._blocks)):
            return _TRUNK
        around = {line.label.rpartition(".")[0] for line in flow}
        if len(flow) > 1 and len(around) == 1 and is_free(*around):
            return next(iter(around))
        return next((line for line in flow if _multiplies(line)), flow[0]).label

    def _flow(self, flow: Sequence[Line], names: _Names) -> s.Expr:
        """Lines one after another; several uses of blocks as a table, those under one condition in parentheses."""
        head, rest = (
            (names.read(flow[0].operands)[0], flow) if _is_step(flow[0]) else (self._head(flow[0], names), flow[1:])
        )
        steps: list[s.Expr] = []
        for run in runs_of(rest, self._blocks):
            if isinstance(run, Table):
                self.sites.note_table(run)
                steps.append(_stages(run))
            else:
                steps += self._steps(run, names)
        return e.flow(head, steps)

    def _steps(self, lines: Sequence[Line], names: _Names) -> list[s.Expr]:
        found: list[s.Expr] = []
        for i, line in enumerate(lines):
            call = self._call(line, names)
            if line.condition is None:
                found.append(call)
            elif i and lines[i - 1].condition == line.condition and isinstance(before := found.pop(), s.Guarded):
                found.append(replace(before, function=_longer(before.function, call)))
            else:
                found.append(s.Guarded(e.SPAN, call, line.condition))
        return found

    def _head(self, line: Line, names: _Names) -> s.Expr:
        """A line of several tensors, or a number times one."""
        values = names.read(line.operands)
        if line.is_shortcut:
            return e.call(e.name(Shortcut.name), values, {})
        if OPS[line.kind].in_language:
            return e.call(e.name(line.kind), values, {})
        sign = OPS[line.kind].call(Tensors(Node(line.key, line.kind))).target
        return e.binary(*(line.arguments[0][1], sign, values[0]) if line.arguments else (values[0], sign, values[1]))

    def _call(self, line: Line, names: _Names) -> s.Expr:
        arguments = dict(line.arguments)
        if line.kind == FUNCTION:
            return arguments[FUNCTION]
        if line.is_block:
            holes = sorted(self._blocks[line.kind].template.holes, key=_place)
            given = [(hole, arguments[hole.name]) for hole in holes if hole.name in arguments]
            given = [(hole, value) for hole, value in given if hole.default is None or value != e.literal(hole.default)]
            self.sites.note_use(line, arguments, f"`{line.label}`")
            first = [value for hole, value in given[:1] if hole.name == _WIDTH and hole.default is None]
            return e.call(e.name(line.kind), first, {hole.name: value for hole, value in given[len(first) :]})
        op, shared = OPS[line.kind], self._shared.get(line.kind, {})
        self.sites.note_call(line, arguments)
        required = [p.name for p in op.parameters if p.default is None]
        by_name = required[1:] if op.contract is Contract.SOURCE else []
        positional = [arguments[name] for name in required if name not in by_name]
        defaults = {p.name: e.literal(shared.get(p.name, p.default)) for p in op.parameters if p.default is not None}
        told = {name: arguments[name] for name in by_name}
        told |= {name: arguments[name] for name, default in defaults.items() if arguments[name] != default}
        sides = dict(zip(op.operands[1:], names.read(line.operands[1:]), strict=True))
        return e.call(e.name(line.kind), positional, {**told, **sides})


def line_of(item: Item) -> Line:
    """An item of the space as a line of its body."""
    arguments = tuple((name, e.literal(value)) for name, value in item.arguments)
    path = item.owners[-1][0] if item.owners else ""
    label = path or _TITLES.get(item.kind, item.kind)
    return Line(item.value, item.kind, item.operands, arguments, label, item.shape, item.parts, item.is_block)


def _flows(lines: Sequence[Line], users: Mapping[str, int]) -> Iterator[list[Line]]:
    """Lines in runs, each of which reads the one before it alone; a run has one layer with weights, or blocks."""
    run: list[Line] = []
    for line in lines:
        goes_on = run and _is_step(line) and line.operands == (run[-1].key,) and users[run[-1].key] == 1
        if goes_on and not run[-1].parts and not _stands_apart(run, line):
            run.append(line)
            continue
        if run:
            yield run
        run = [line]
    if run:
        yield run


def _stands_apart(run: Sequence[Line], line: Line) -> bool:
    pools = len(line.shape) > 1 and set(line.shape[1:]) == {1} != set(run[-1].shape[1:])
    blocks = sum(one.is_block for one in run)
    if line.is_block:
        return not all(one.is_block for one in run)
    return blocks > 1 or ((pools or _multiplies(line)) and (blocks > 0 or any(map(_multiplies, run))))


def _multiplies(line: Line) -> bool:
    return line.kind in OPS and OPS[line.kind].multiplies


def _is_step(line: Line) -> bool:
    """Whether it stands behind an arrow."""
    if line.is_shortcut:
        return False
    return (
        line.is_block or line.kind == FUNCTION or (OPS[line.kind].in_language and OPS[line.kind].operands[:1] == ("x",))
    )


def _ends_in_classes(line: Line) -> bool:
    return not line.is_block and is_mixing(line.kind) and len(line.shape) == 1


def _longer(function: s.Expr, step: s.Expr) -> s.Expr:
    """A flow with one more step."""
    steps = function.steps if isinstance(function, s.Flow) else ()
    return e.flow(function.head if isinstance(function, s.Flow) else function, (*steps, step))


def _stages(table: Table) -> s.Stages:
    header = tuple(map(e.identifier, ("block", *table.columns)))
    rows = [
        (e.name(row.block), *(row.cells.get(column, s.Empty(e.SPAN)) for column in table.columns)) for row in table.rows
    ]
    return s.Stages(e.SPAN, header, tuple(s.Row(e.SPAN, cells) for cells in rows))


def _place(hole: Hole) -> tuple[bool, bool]:
    """Parameters without a default come first, of those the width."""
    return hole.default is not None, hole.name != _WIDTH


def _parameter(hole: Hole) -> s.Parameter:
    return s.Parameter(e.SPAN, e.identifier(hole.name), None if hole.default is None else e.literal(hole.default))
