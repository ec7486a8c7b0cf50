"""A derived network as a program in the same language: the user's own text with a value for every set.

Tables are written out a row a layer, choices become the alternative chosen, and the definitions that are needed come
along, so that the file stands alone. `load` of it gives the same graph as partial evaluation does (tests).
"""

from collections.abc import Mapping
from dataclasses import replace

from nasir.diagnostics import Span
from nasir.ir.dims import FUNCTIONS, SELECT, SHAPE_FUNCTIONS, Dim
from nasir.ir.graph import Choices, Graph
from nasir.ir.path import ALTERNATIVE
from nasir.ir.sizes import evaluate, resolve
from nasir.ir.values import Ref, Scalar, Value, text
from nasir.lang import syntax as s
from nasir.lang.building import Record
from nasir.lang.elaborate import Elaboration
from nasir.lang.evaluate import WORDS, builtin_names
from nasir.lang.modules import Definition, Module
from nasir.lang.things import (
    BlockFunction,
    ChoiceFunction,
    Composed,
    Conditional,
    Function,
    Identity,
    OneOf,
    OpFunction,
    Tensor,
    Thing,
)


def derived_file(module: Module, elaboration: Elaboration, shaped: Graph, choices: Choices) -> s.File:
    """The program of the network of `choices`. `shaped` is the elaborated graph with types."""
    space = module.first(s.Space)
    assert isinstance(space, s.Space), "an elaborated module has a space"
    values = _values(elaboration.graph, shaped, choices)
    deriver = _Deriver(elaboration.record, values)
    derived = deriver.space(space, module)
    train = [item for item in module.tree.items if isinstance(item, s.Settings) and item.section == "train"]
    return s.File(module.tree.span, (*deriver.definitions.values(), derived, *train))


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
        assert dim.function != SELECT, "only infer-shapes makes selections"
        if dim.function in SHAPE_FUNCTIONS:
            if dim.of in shaped.by_name:  # what a guard leaves out for every choice has no shape
                known[dim.name] = shape(dim)
        elif all(a.name in known for a in dim.args if isinstance(a, Ref)):
            known[dim.name] = FUNCTIONS[dim.function](*(resolve(a, known) for a in dim.args))
    return known


class _Scope:
    """A place in the program: its module, the path it was evaluated under, and the names that are not the module's."""

    def __init__(self, module: Module, path: str, local: frozenset[str]) -> None:
        self.module = module
        self.path = path
        self.local = local


class _Deriver:
    def __init__(self, record: Record, known: Mapping[str, Scalar]) -> None:
        self._record = record
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
        gone = self._record.inlined.get(scope.path, frozenset[str]())
        given = self._record.given.get(scope.path, frozenset[str]())
        return tuple(
            replace(p, default=self._expr(p.default, scope) if p.default and p.name.text not in given else None)
            for p in parameters
            if p.name.text not in gone
        )

    def _body(self, body: tuple[s.Statement, ...], scope: _Scope) -> tuple[s.Statement, ...]:
        """The statements; a name bound to a function that decides goes, for it is written out where it is used."""
        return tuple(
            replace(statement, value=self._expr(statement.value, scope))
            for statement in body
            if (scope.path, statement.span) not in self._record.choosing
        )

    # Expressions

    def _expr(self, expr: s.Expr, scope: _Scope) -> s.Expr:
        match expr:
            case s.Set() | s.Range():
                return self._decided(expr, scope)
            case s.Name() | s.Call():
                return self._named(expr, scope)
            case s.Flow():
                return replace(
                    expr, head=self._expr(expr.head, scope), steps=tuple(self._expr(x, scope) for x in expr.steps)
                )
            case s.Guarded():
                function, condition = self._expr(expr.function, scope), self._expr(expr.condition, scope)
                return replace(expr, function=function, condition=condition)
            case s.Binary():
                return replace(expr, left=self._expr(expr.left, scope), right=self._expr(expr.right, scope))
            case s.Unary():
                return replace(expr, operand=self._expr(expr.operand, scope))
            case s.Attribute():
                return replace(expr, base=self._expr(expr.base, scope))
            case s.Stages():
                return self._table(expr, scope)
            case _:
                return expr

    def _decided(self, expr: s.Set | s.Range, scope: _Scope) -> s.Expr:
        site = self._record.sites.get((scope.path, expr.span))
        if site is None:  # never evaluated: a default that every call overrides, or that no call is left to use
            return self._expr(expr.items[0] if isinstance(expr, s.Set) else expr.low, scope)
        value = resolve(site, self._known)
        if isinstance(value, str) and isinstance(expr, s.Set):
            return self._expr(expr.items[self._record.sets[scope.path, expr.span].index(value)], scope)
        return _literal(expr.span, value)

    def _named(self, expr: s.Name | s.Call, scope: _Scope) -> s.Expr:
        name = expr if isinstance(expr, s.Name) else expr.callee
        if isinstance(expr, s.Call):
            expr = replace(expr, arguments=self._arguments(expr, scope))
        if not isinstance(name, s.Name):
            return expr
        if name.text in scope.local:
            # A name bound to a block: written out where it is used, for each use decides for itself.
            path = self._record.uses.get((scope.path, expr.span))
            return self._applied(path) if path else expr
        if name.text not in scope.module.names:
            return expr
        module, definition = scope.module.names[name.text]
        path = self._record.uses.get((scope.path, expr.span), "")
        if isinstance(definition, s.Let) and path:
            return self._applied(path)
        if isinstance(definition, s.Choice):
            return self._as_step(*self._resolve_choice(path)) if path else expr
        renamed = s.Name(name.span, self._definition(definition, module, path))
        return renamed if isinstance(expr, s.Name) else replace(expr, callee=renamed)

    def _arguments(self, call: s.Call, scope: _Scope) -> tuple[s.Argument, ...]:
        """The arguments of a call, without those whose functions are written out where the block uses them; then the
        others have their names."""
        path = self._record.uses.get((scope.path, call.span), "")
        gone = self._record.inlined.get(path, frozenset[str]()) if path else frozenset[str]()
        function = self._record.applied.get(path)
        names: list[str] = []
        if gone and isinstance(function, BlockFunction):
            names = [p.name.text for p in function.block.parameters]
        kept: list[s.Argument] = []
        for i, argument in enumerate(call.arguments):
            name = argument.name or (s.Identifier(argument.span, names[i]) if i < len(names) else None)
            if name is None or name.text not in gone:
                kept.append(replace(argument, name=name, value=self._expr(argument.value, scope)))
        return tuple(kept)

    def _applied(self, path: str) -> s.Expr:
        function = self._record.applied[path]
        if isinstance(function, ChoiceFunction):
            return self._as_step(*self._resolve_choice(path))
        return self._function(function, path)

    def _as_step(self, function: Function, path: str, name: str) -> s.Expr:
        """What a choice became, as one step of a flow: a block or an identity as it is, anything else as a block of
        its own, so that its weights keep their names."""
        written = self._function(function, path)
        if isinstance(function, (BlockFunction, Identity)):
            return written
        free = self._free_name(name)
        steps = (written.head, *written.steps) if isinstance(written, s.Flow) else (written,)
        body = s.Return(function.span, s.Flow(function.span, s.Name(function.span, "x"), steps))
        self.definitions[free] = s.Block(function.span, s.Identifier(function.span, free), (), (body,))
        return s.Name(function.span, free)

    def _resolve_choice(self, path: str) -> tuple[Function, str, str]:
        """The function a use of a choice became, the path it was applied at, and its alternative's name."""
        selector, alternatives = self._record.choices[path]
        option = str(resolve(selector, self._known))
        place = f"{path}{ALTERNATIVE}{option}" if isinstance(selector, Ref) else path
        if isinstance(alternatives[option], ChoiceFunction):
            return self._resolve_choice(place)
        return alternatives[option], place, option

    # Functions as expressions

    def _function(self, function: Function, path: str) -> s.Expr:
        """A function with its bound arguments, as one writes it; `path` is where it was applied."""
        span = function.span
        if function.named:
            path = self._record.uses.get((path, span), path)
        match function:
            case Identity():
                return s.Name(span, "identity")
            case OpFunction():
                return self._call(span, function.op.name, function, path)
            case BlockFunction():
                place = self._record.uses.get((path, span), path)
                name = self._definition(function.block, function.module, place)
                gone = self._record.inlined.get(place, frozenset[str]())
                bound = {p: b for p, b in function.bound.items() if p not in gone}
                return self._call(span, name, replace(function, bound=bound), path)
            case ChoiceFunction():
                return self._as_step(*self._resolve_choice(self._record.uses[path, span]))
            case Composed():
                head, *steps = (self._function(f, path) for f in function.functions)
                return s.Flow(span, head, tuple(steps))
            case Conditional():
                return s.Guarded(span, self._function(function.function, path), self._value(span, function.condition))
            case OneOf():
                return self._function(function.options[str(resolve(function.selector, self._known))], path)
            case _:
                raise AssertionError(f"no way to write {function}")

    def _call(self, span: Span, name: str, function: OpFunction | BlockFunction, path: str) -> s.Expr:
        if not function.bound:
            return s.Name(span, name)
        arguments = tuple(
            s.Argument(b.span, s.Identifier(b.span, parameter), self._thing(b.span, b.value, path))
            for parameter, b in function.bound.items()
        )
        return s.Call(span, s.Name(span, name), arguments)

    def _thing(self, span: Span, thing: Thing, path: str) -> s.Expr:
        if isinstance(thing, Function):
            return self._function(thing, path)
        assert not isinstance(thing, Tensor), "an argument is no tensor"
        return self._value(span, thing)

    def _value(self, span: Span, value: Value) -> s.Expr:
        if isinstance(value, Ref) and value.name not in self._known:
            return _literal(span, 1)  # within what a guard leaves out for every choice: nothing reads it
        return _literal(span, resolve(value, self._known))

    # Tables

    def _table(self, table: s.Stages, scope: _Scope) -> s.Stages:
        rows = [self._row(path) for path in self._record.tables[scope.path, table.span]]
        columns = dict.fromkeys(column for _, cells in rows for column in cells if column != "stride")
        if any("stride" in cells for _, cells in rows):
            columns["stride"] = None
        header = tuple(s.Identifier(table.span, column) for column in ("block", *columns))
        return replace(
            table,
            header=header,
            rows=tuple(
                s.Row(table.span, (block, *(cells.get(column, s.Empty(table.span)) for column in columns)))
                for block, cells in rows
            ),
        )

    def _row(self, path: str) -> tuple[s.Expr, dict[str, s.Expr]]:
        """A layer as its block and the block's arguments."""
        function, alternative = self._record.layers[path], path.replace(".", "_")
        depth, place = self._record.depths[path]
        chosen = resolve(depth, self._known)
        if isinstance(chosen, int) and place >= chosen:  # beyond the chosen depth: its row keeps the others' numbers
            return s.Name(function.span, "identity"), {}
        if isinstance(function, ChoiceFunction):
            function, path, alternative = self._resolve_choice(path)
        is_op = isinstance(function, OpFunction)
        written = self._function(function, path) if is_op else self._as_step(function, path, alternative)
        if isinstance(written, s.Call):
            return written.callee, {str(a.name): a.value for a in written.arguments}
        return written, {}

    # Definitions

    def _definition(self, definition: Definition, module: Module, path: str) -> str:
        """The name under which the derived file has a definition: a copy for each place where sets within it differ."""
        assert not isinstance(definition, s.Choice), "a choice is written as its alternative"
        is_open = self._is_open(definition, module) or bool(self._record.inlined.get(path))
        place = path if isinstance(definition, s.Block) and is_open else ""
        known = (definition.span, place)
        if known not in self._names:
            self._names[known] = self._free_name(definition.name.text)
            name = s.Identifier(definition.name.span, self._names[known])
            self.definitions[name.text] = self._copy(definition, module, place, name)
        return self._names[known]

    def _copy(self, definition: s.Block | s.Let, module: Module, path: str, name: s.Identifier) -> s.Block | s.Let:
        if isinstance(definition, s.Let):
            return replace(definition, name=name, value=self._expr(definition.value, _Scope(module, "", frozenset())))
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
        free, count = name, 1
        while free in self._taken or free in self.definitions:
            count += 1
            free = f"{name}_{count}"
        self._taken.add(free)
        return free


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
    return frozenset(x.name.text for x in body if isinstance(x, (s.Let, s.Bind)))


def _literal(span: Span, value: Scalar) -> s.Expr:
    if isinstance(value, bool):
        return s.Bool(span, value)
    if isinstance(value, str):
        return s.Name(span, value)  # an option among functions
    if value < 0:
        return s.Unary(span, "-", s.Number(span, -value, text(-value)))
    return s.Number(span, value, text(value))
