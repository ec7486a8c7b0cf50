"""Which numbers of a program can become sets: widths, kernels, the depth of rows."""

from collections.abc import Iterator, Mapping, Sequence
from math import lcm

from nasir.ir.ops import OPS, Contract
from nasir.ir.ops.arithmetic import Add
from nasir.lang import syntax as s
from nasir.lifting import expressions as e
from nasir.lifting.lines import Block, Line, is_mixing
from nasir.lifting.opening import DEPTH, KERNELS, WIDTHS, Site
from nasir.lifting.tables import DEPTH as DEPTH_COLUMN
from nasir.lifting.tables import Table

_WIDTH, _KERNEL, _PADDING = "width", "kernel", "padding"


class Sites:
    """Notes the sites of a program as it is written. `ties` says of values whether their widths are one; those that are
    the network's output or input stay."""

    def __init__(self, blocks: Mapping[str, Block]) -> None:
        self._blocks = blocks
        self._ties: Mapping[str, str] = {}
        self._shapes: Mapping[str, tuple[int, ...]] = {}
        self.found: list[Site] = []

    def of_space(self, lines: Sequence[Line], x: str, shape: tuple[int, ...], outputs: Sequence[str]) -> None:
        """The lines that are written from now on are the space's."""
        self._shapes = {x: shape, **{line.key: line.shape for line in lines}}
        self._ties = ties(lines, self._blocks, self._shapes, [x, *outputs])

    def note_call(self, line: Line, arguments: Mapping[str, s.Expr]) -> None:
        """The sites of an op's call; of widths in a block its parameters are told where it is used."""
        tie, width, kernel = self._ties.get(line.key), arguments.get(_WIDTH), arguments.get(_KERNEL)
        if is_mixing(line.kind) and tie is not None and isinstance(width, s.Number):
            self.found.append(Site(WIDTHS, width, f"the width of `{line.label}`", tie=tie))
        is_centred = arguments.get(_PADDING) == _centred(line.kind)
        if OPS[line.kind].mixes_by == _KERNEL and is_centred and isinstance(kernel, s.Number):
            self._note_kernel(kernel, line.label)

    def note_use(self, use: Line, arguments: Mapping[str, s.Expr], place: str, layers: int = 1) -> None:
        """The sites of a use of a block, in a table or alone."""
        holes = {hole.name: hole for hole in self._blocks[use.kind].template.holes}
        widths = widths_of(self._blocks[use.kind], self._blocks)
        for name, value in arguments.items():
            if not isinstance(value, s.Number) or name not in holes:
                continue
            label = f"`{name}` of {place}"
            if name in widths:
                tie = self._ties.get(use.key) if name == _WIDTH else ""
                if tie is not None:
                    for_the_row = layers > 1 and name == _WIDTH
                    self.found.append(Site(WIDTHS, value, label, widths[name], tie, for_the_row))
            elif holes[name].of == _KERNEL:
                self._note_kernel(value, label)

    def note_table(self, table: Table) -> None:
        for i, row in enumerate(table.rows):
            last, place = row.uses[-1], f"`{row.block}`, row {i + 1}"
            self.note_use(last, row.cells, place, len(row.uses))
            depth, first = row.cells[DEPTH_COLUMN], row.uses[0]
            keeps = self._shapes.get(first.operands[0]) == first.shape
            if isinstance(depth, s.Number) and (len(row.uses) > 1 or keeps) and DEPTH_COLUMN in table.columns:
                self.found.append(Site(DEPTH, depth, f"the depth of {place}"))

    def _note_kernel(self, kernel: s.Number, label: str) -> None:
        if int(kernel.value) % 2 and int(kernel.value) > 1:
            self.found.append(Site(KERNELS, kernel, f"the kernel of {label}"))


def _centred(op: str) -> s.Expr | None:
    default = next((p.default for p in OPS[op].parameters if p.name == _PADDING), None)
    return None if default is None else e.literal(default)


def widths_of(block: Block, blocks: Mapping[str, Block]) -> dict[str, int]:
    """The parameters of a block that are widths, each with what it must be a multiple of."""
    found: dict[str, int] = {}
    for line in block.template.lines:
        inner = widths_of(blocks[line.kind], blocks) if line.is_block else {}
        for argument, value in line.arguments:
            is_width = argument in inner or (is_mixing(line.kind) and argument == _WIDTH)
            for name in (tree.text for tree in s.walk(value) if isinstance(tree, s.Name)):
                if is_width and name in block.sizes:
                    found.setdefault(name, 1)
    for line in block.template.lines:
        for _, value in line.arguments:
            for name, divisor in _divided(value):
                if name in found:
                    found[name] = lcm(found[name], divisor)
    return found


def _divided(value: s.Expr) -> Iterator[tuple[str, int]]:
    """The names that an expression divides, and by what."""
    for tree in s.walk(value):
        if isinstance(tree, s.Binary) and tree.operator == "/":
            left, right = tree.left, tree.right
            if isinstance(left, s.Name) and isinstance(right, s.Number):
                yield left.text, int(right.value)


def ties(
    lines: Sequence[Line], blocks: Mapping[str, Block], shapes: Mapping[str, tuple[int, ...]], fixed: Sequence[str]
) -> dict[str, str]:
    """Of each value whose width can change the one that stands for all that are as wide: whose width is theirs, or that
    a residual adds to one of them."""
    parents: dict[str, str] = {}

    def root(value: str) -> str:
        while parents.get(value, value) != value:
            value = parents[value]
        return value

    for line in lines:
        alike = [value for value in line.operands if shapes[value] == line.shape]
        for value in line.operands if _keeps_width(line, blocks) else alike if _is_residual(line, blocks) else ():
            parents[root(value)] = root(line.key)
    still = {root(value) for value in fixed}
    return {line.key: root(line.key) for line in lines if root(line.key) not in still}


def _is_residual(line: Line, blocks: Mapping[str, Block]) -> bool:
    """Whether a line is the use of a block that adds something to what it makes of its input."""
    return line.is_block and any(one.is_shortcut or one.kind == Add.name for one in blocks[line.kind].template.lines)


def _keeps_width(line: Line, blocks: Mapping[str, Block]) -> bool:
    """Whether a line's value is as wide as its operands."""
    if line.is_block:
        return all(hole.name != _WIDTH for hole in blocks[line.kind].template.holes)
    if line.kind not in OPS:
        return True
    op = OPS[line.kind]
    return op.contract in {Contract.CHANNELWISE, Contract.PRODUCT, Contract.STATISTICS} or not op.in_language
