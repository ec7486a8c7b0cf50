"""A derived network as a program in the same language: the user's own text with a value for every set.

Tables are written out a row a layer, choices become the alternative chosen, and the definitions that are needed come
along, so that the file stands alone. `load` of it gives the same graph as partial evaluation does (tests).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from nasir.diagnostics import Span
from nasir.ir.dims import SHAPE_FUNCTIONS, Dim
from nasir.ir.graph import Choices, Graph
from nasir.ir.ops import OPS
from nasir.ir.path import fresh
from nasir.ir.sizes import evaluate, resolve, value_of
from nasir.ir.values import Pair, Ref, Scalar, Value, text
from nasir.lang import syntax as s
from nasir.lang.elaborate import Elaboration
from nasir.lang.evaluate import WORDS, builtin_names
from nasir.lang.functions.pick import SUBSETS
from nasir.lang.imports import Definition, Module
from nasir.lang.narrowing import base_of
from nasir.lang.objectives import LOSS, loss_in
from nasir.lang.things import Record, Writer


def derived_file(module: Module, elaboration: Elaboration, shaped: Graph, choices: Choices) -> s.File:
    """The program of the network of `choices`. `shaped` is the elaborated graph with types."""
    assert module.space is not None, "an elaborated module has a space"
    space, owner, _ = base_of(module, module.space)
    values = _values(elaboration.graph, shaped, choices)
    deriver = _Deriver(elaboration.record, values)
    derived = deriver.space(space, owner)
    return s.File(module.tree.span, (*deriver.definitions.values(), derived, *_training(module)))


def _training(module: Module) -> Sequence[s.Settings]:
    """The file's `train` section; it names the objective's loss, where that is another than a program's without one."""
    train = [item for item in module.tree.items if isinstance(item, s.Settings) and item.section == "train"]
    objective = module.objective
    loss = loss_in(objective) if isinstance(objective, s.Objective) else LOSS
    if loss == LOSS or any(setting.name.text == "loss" for section in train for setting in section.settings):
        return train
    span = module.tree.span
    named = s.Setting(span, s.Identifier(span, "loss"), s.Name(span, loss))
    section = train[0] if train else s.Settings(span, "train", ())
    return [replace(section, settings=(*section.settings, named)), *train[1:]]


def _values(elaborated: Graph, shaped: Graph, choices: Choices) -> Mapping[str, Scalar]:
    """Every decision and dim of the elaborated graph under `choices`; decisions that matter nowhere at any option."""
    every = {d.name: choices.get(d.name, d.options[0]) for d in elaborated.decisions}
    sizes = evaluate(shaped, every)
    known: dict[str, Scalar] = dict(every)

    def shape(dim: Dim) -> Scalar:
        assert dim.of is not None, f"${dim.name} reads no node's shape"
        type = shaped.by_name[dim.of].shape
        if dim.function == "channels":
            return sum(int(resolve(segment, sizes)) for segment in type.channels)
        size = type.size(dim.function)
        assert size is not None, "infer-shapes refuses the size of a vector"
        return resolve(size, sizes)

    for dim in elaborated.dims:
        if dim.function in SHAPE_FUNCTIONS:
            if dim.of in shaped.by_name:  # what a guard leaves out for every choice has no shape
                known[dim.name] = shape(dim)
        elif all(a.name in known for a in dim.args if isinstance(a, Ref)):
            known[dim.name] = value_of(dim, known)
    return known


class _Scope:
    """A place in the program: its module, the path it was evaluated under, and the names that are not the module's."""

    def __init__(self, module: Module, path: str, local: frozenset[str]) -> None:
        self.module = module
        self.path = path
        self.local = local


class _Deriver(Writer):
    def __init__(self, record: Record, known: Mapping[str, Scalar]) -> None:
        super().__init__(record)
        self._known = known
        self.definitions: dict[str, s.Block | s.Let] = {}
        self._names: dict[tuple[Span, str], str] = {}
        self._open: dict[Span, bool] = {}
        self._taken: set[str] = set()

    def space(self, space: s.Space, module: Module) -> s.Space:
        local = frozenset(p.name.text for p in space.parameters) | _bound_names(space.body)
        self._taken |= {space.name.text, *builtin_names(), *WORDS, *_local_names(module, set())}
        scope = _Scope(module, "", local)
        return replace(space, parameters=self._parameters(space.parameters, scope), body=self._body(space.body, scope))

    def _parameters(self, parameters: tuple[s.Parameter, ...], scope: _Scope) -> tuple[s.Parameter, ...]:
        """The parameters, without those whose functions are written out where they are used, and without the defaults
        of those that are given a value."""
        gone = self.record.inlined.get(scope.path, frozenset[str]())
        given = self.record.given.get(scope.path, frozenset[str]())
        return tuple(
            replace(p, default=self._expr(p.default, scope) if p.default and p.name.text not in given else None)
            for p in parameters
            if p.name.text not in gone
        )

    def _body(self, body: tuple[s.Statement, ...], scope: _Scope) -> tuple[s.Statement, ...]:
        """The statements; a name bound to a function that decides goes, for it is written out where it is used. What
        is required goes too: the network meets it."""
        return tuple(
            replace(statement, value=self._expr(statement.value, _with_parameters(scope, statement)))
            for statement in body
            if (scope.path, statement.span) not in self.record.choosing and not isinstance(statement, s.Require)
        )

    # Expressions

    def _expr(self, expr: s.Expr, scope: _Scope) -> s.Expr:
        match expr:
            case s.Set() | s.Range():
                return self._decided(expr, scope)
            case s.Name() | s.Call():
                return self._named(expr, scope)
            case s.Stages():
                return self._table(expr, scope)
            case _:
                return s.with_parts(expr, lambda part: self._expr(part, scope))

    def _decided(self, expr: s.Set | s.Range, scope: _Scope) -> s.Expr:
        site = self.record.sites.get((scope.path, expr.span))
        if site is None:  # never evaluated: a default that every call overrides, or that no call is left to use
            return self._expr(expr.items[0] if isinstance(expr, s.Set) else expr.low, scope)
        value = resolve(site, self._known)
        names = self.record.sets.get((scope.path, expr.span))
        if names is not None and isinstance(expr, s.Set):
            return self._expr(expr.items[names.index(str(value))], scope)
        return _literal(expr.span, value)

    def _named(self, expr: s.Name | s.Call, scope: _Scope) -> s.Expr:
        name = expr if isinstance(expr, s.Name) else expr.callee
        picked = self.record.sites.get((scope.path, expr.span))
        if isinstance(expr, s.Call):
            expr = replace(expr, arguments=self._arguments(expr, scope))
            if isinstance(picked, Ref):  # the tensors that are picked, by their places
                subset = s.String(expr.arguments[0].span, str(resolve(picked, self._known)))
                if isinstance(name, s.Name) and name.text == SUBSETS:
                    return subset
                expr = replace(expr, arguments=(replace(expr.arguments[0], value=subset), *expr.arguments[1:]))
        if not isinstance(name, s.Name):
            return expr
        path = self.record.uses.get((scope.path, expr.span), "")
        if name.text in scope.local:
            # A name bound to a block: written out where it is used, for each use decides for itself.
            return self._applied(path) if path else expr
        expr = self._with_defaults(expr, name, scope.module)
        if name.text not in scope.module.names:
            return expr
        module, definition = scope.module.names[name.text]
        assert not isinstance(definition, s.Space), "a space is no step"
        if path and isinstance(definition, (s.Let, s.Choice)):
            return self._applied(path)
        if isinstance(definition, s.Choice):
            return s.Name(expr.span, "identity")  # never applied: a step that takes the same name
        renamed = s.Name(name.span, self.definition(definition, module, path))
        return renamed if isinstance(expr, s.Name) else replace(expr, callee=renamed)

    def _with_defaults(self, expr: s.Name | s.Call, name: s.Name, module: Module) -> s.Name | s.Call:
        """A use of a block or an op with what its file sets for it, where it gives nothing else."""
        defaults = module.defaults.get(name.text)
        if defaults is None:
            return expr
        given = expr.arguments if isinstance(expr, s.Call) else ()
        names = _parameters_of(name.text, module)
        known = {str(a.name) if a.name else names[i] for i, a in enumerate(given) if a.name or i < len(names)}
        scope = _Scope(module, "", frozenset())
        more = [replace(a, value=self._expr(a.value, scope)) for one, a in defaults.items() if one not in known]
        return s.Call(expr.span, name, (*given, *more)) if more else expr

    def _arguments(self, call: s.Call, scope: _Scope) -> tuple[s.Argument, ...]:
        """The arguments of a call, without those whose functions are written out where the block uses them; then the
        others have their names."""
        path = self.record.uses.get((scope.path, call.span), "")
        gone = self.record.inlined.get(path, frozenset[str]()) if path else frozenset[str]()
        names = self.record.applied[path].positional if gone else ()
        kept: list[s.Argument] = []
        for i, argument in enumerate(call.arguments):
            name = argument.name or (s.Identifier(argument.span, names[i]) if i < len(names) else None)
            if name is None or name.text not in gone:
                kept.append(replace(argument, name=name, value=self._expr(argument.value, scope)))
        return tuple(kept)

    def _applied(self, path: str) -> s.Expr:
        return self.record.applied[path].written_at(path, self)

    # What functions ask for

    def option(self, selector: Value) -> str:
        return str(resolve(selector, self._known))

    def value(self, span: Span, value: Value) -> s.Expr:
        if isinstance(value, Ref) and value.name not in self._known:
            return _literal(span, 1)  # within what a guard leaves out for every choice: nothing reads it
        return _literal(span, resolve(value, self._known))

    def block(self, name: str, span: Span, body: s.Expr) -> s.Expr:
        free = self._free_name(name)
        steps = (body.head, *body.steps) if isinstance(body, s.Flow) else (body,)
        result = s.Return(span, s.Flow(span, s.Name(span, "x"), steps))
        self.definitions[free] = s.Block(span, s.Identifier(span, free), (), (result,))
        return s.Name(span, free)

    def definition(self, definition: Definition, module: Module, path: str) -> str:
        assert not isinstance(definition, (s.Choice, s.Space)), "a choice is written as its alternative"
        is_open = self._is_open(definition, module) or bool(self.record.inlined.get(path))
        place = path if isinstance(definition, s.Block) and is_open else ""
        known = (definition.span, place)
        if known not in self._names:
            self._names[known] = self._free_name(definition.name.text)
            name = s.Identifier(definition.name.span, self._names[known])
            self.definitions[name.text] = self._copy(definition, module, place, name)
        return self._names[known]

    # Tables

    def _table(self, table: s.Stages, scope: _Scope) -> s.Stages:
        layers = self.record.tables.get((scope.path, table.span))
        if layers is None:  # never evaluated
            return self._unrun(table, scope)
        rows = [self._row(path) for path in layers]
        columns = dict.fromkeys(column for _, cells in rows for column in cells if column != "stride")
        if any("stride" in cells for _, cells in rows):
            columns["stride"] = None
        names = [self.record.names.get(path) for path in layers]
        if any(names):
            columns = {"name": None, **columns}
            for (_, cells), name in zip(rows, names, strict=True):
                cells |= {"name": s.Name(table.span, name)} if name else {}
        header = tuple(s.Identifier(table.span, column) for column in ("block", *columns))
        return replace(
            table,
            header=header,
            rows=tuple(
                s.Row(table.span, (block, *(cells.get(column, s.Empty(table.span)) for column in columns)))
                for block, cells in rows
            ),
        )

    def _unrun(self, table: s.Stages, scope: _Scope) -> s.Stages:
        """A table as it stands, of a block that a guard leaves out for every choice."""
        rows = [replace(row, cells=tuple(self._expr(cell, scope) for cell in row.cells)) for row in table.rows]
        return replace(table, rows=tuple(rows))

    def _row(self, path: str) -> tuple[s.Expr, dict[str, s.Expr]]:
        """A layer as its block and the block's arguments."""
        function = self.record.layers[path]
        depth, place = self.record.depths[path]
        chosen = resolve(depth, self._known)
        if isinstance(chosen, int) and place >= chosen:  # beyond the chosen depth: its row keeps the others' numbers
            return s.Name(function.span, "identity"), {}
        became, path, name = function.chosen(path, path.replace(".", "_"), self)
        written = became.written_as_row(path, name, self)
        if isinstance(written, s.Call):
            return written.callee, {str(a.name): a.value for a in written.arguments}
        return written, {}

    # Definitions

    def _copy(self, definition: s.Block | s.Let, module: Module, path: str, name: s.Identifier) -> s.Block | s.Let:
        if isinstance(definition, s.Let):
            scope = _with_parameters(_Scope(module, "", frozenset()), definition)
            parameters = self._parameters(definition.parameters, scope)
            return replace(definition, name=name, value=self._expr(definition.value, scope), parameters=parameters)
        local = frozenset(p.name.text for p in definition.parameters) | _bound_names(definition.body) | {"x"}
        scope = _Scope(module, path, local)
        parameters = self._parameters(definition.parameters, scope)
        return replace(definition, name=name, parameters=parameters, body=self._body(definition.body, scope))

    def _is_open(self, definition: Definition, module: Module) -> bool:
        """Whether instances of a definition can differ: it has a set or a choice in it, or in what it calls."""
        if isinstance(definition, s.Choice):
            return True
        if definition.span not in self._open:
            self._open[definition.span] = False
            self._open[definition.span] = any(
                isinstance(tree, (s.Set, s.Range, s.Stages))
                or (isinstance(tree, s.Name) and tree.text in module.names and self._calls_open(tree.text, module))
                for tree in s.walk(definition)
            )
        return self._open[definition.span]

    def _calls_open(self, name: str, module: Module) -> bool:
        owner, definition = module.names[name]
        if isinstance(definition, s.Let):  # its sets are decided once; its choices and blocks at each use
            names = (tree.text for tree in s.walk(definition.value) if isinstance(tree, s.Name))
            return any(name in owner.names and self._calls_open(name, owner) for name in names)
        return self._is_open(definition, owner)

    def _free_name(self, name: str) -> str:
        free = fresh(name, self._taken | self.definitions.keys())
        self._taken.add(free)
        return free


def _with_parameters(scope: _Scope, statement: s.Statement) -> _Scope:
    """The scope within a `let`, whose own parameters hide the file's names."""
    names = statement.parameters if isinstance(statement, s.Let) else ()
    return _Scope(scope.module, scope.path, scope.local | {p.name.text for p in names}) if names else scope


def _parameters_of(name: str, module: Module) -> Sequence[str]:
    """The parameters of a block or an op, as a call gives them by position."""
    if name in module.names:
        definition = module.names[name][1]
        return [p.name.text for p in definition.parameters] if isinstance(definition, s.Block) else []
    return [parameter.name for parameter in OPS[name].parameters] if name in OPS else []


def _local_names(module: Module, seen: set[int]) -> set[str]:
    """Every name that a body of the program binds, in whatever file: a definition's name must not be one of them."""
    if id(module) in seen:
        return set()
    seen.add(id(module))
    found = {"x"}
    for item in module.tree.items:
        if isinstance(item, (s.Block, s.Space)):
            found |= _bound_names(item.body) | {p.name.text for p in item.parameters}
    for owner, _ in module.names.values():
        found |= _local_names(owner, seen)
    return found


def _bound_names(body: tuple[s.Statement, ...]) -> frozenset[str]:
    return frozenset(name.text for x in body if isinstance(x, (s.Let, s.Bind)) for name in x.names)


def _literal(span: Span, value: Scalar) -> s.Expr:
    if isinstance(value, bool):
        return s.Bool(span, value)
    if isinstance(value, Pair):
        return s.Sides(span, *value.numbers)
    if isinstance(value, str) and value[:1].isdigit():
        return s.String(span, value)  # a subset
    if isinstance(value, str):
        return s.Name(span, value)  # an option among functions
    if value < 0:
        return s.Unary(span, "-", s.Number(span, -value, text(-value)))
    return s.Number(span, value, text(value))
