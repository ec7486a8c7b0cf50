"""Functions applied to tensors: this is where nodes, mixtures and regions come from."""

from collections.abc import Mapping
from dataclasses import replace

from nasir.diagnostics import MOST_MISTAKES, Diagnostic, Span
from nasir.ir.dims import Decision, Dim
from nasir.ir.graph import Region
from nasir.ir.ops import Parameter
from nasir.ir.path import ALTERNATIVE
from nasir.ir.values import Ref, Scalar, Value, key, text
from nasir.lang import mistakes
from nasir.lang import syntax as s
from nasir.lang.building import Builder, Fixed, Naming, join
from nasir.lang.evaluate import Evaluator, Frame, Poison, Poisoned
from nasir.lang.mistakes import Mistake
from nasir.lang.stages import Tables
from nasir.lang.things import (
    BlockFunction,
    Bound,
    ChoiceFunction,
    Composed,
    Conditional,
    Function,
    Identity,
    OneOf,
    OpFunction,
    Tensor,
    Thing,
    bind,
    decides,
    describe,
    name_of,
    parameters,
    share,
)

DEEPEST_CALLS = 40


class Applier:
    """Applies functions; evaluates the bodies of blocks on the way."""

    def __init__(self, builder: Builder, evaluator: Evaluator) -> None:
        self.builder = builder
        self.evaluator = evaluator
        self.diagnostics: list[Diagnostic] = []
        self._calls: list[str] = []
        self._shared: dict[str, tuple[Value, tuple[str, ...], Span]] = {}
        self._tables = Tables(self)

    def apply(self, function: Function, x: Tensor, naming: Naming, scope: str) -> Tensor:
        """The tensor `function(x)`, where `function` is written in `scope`."""
        if function.named:
            # Each use of a name decides for itself: what is within is written in a scope of its own.
            scope = self._use(function, scope, f"{scope}{ALTERNATIVE}{len(self.builder.record.uses)}")
        match function:
            case Identity():
                naming.name(function)  # the name of the block or the choice that it may have come from
                return x
            case Composed():
                for part in function.functions:
                    x = self.apply(part, x, naming, scope)
                return x
            case OpFunction() if function.op.operands != ("x",):
                raise mistakes.not_applicable(function.span, f"`{function.op.name}` takes its tensors as arguments and")
            case OpFunction():
                return self._op(function, {"x": x}, naming)
            case BlockFunction():
                return self.block(function, x, self._use(function, scope, naming.name(function)))
            case ChoiceFunction():
                path = self._use(function, scope, naming.name(function))
                return self.choice(function, x, path, path)
            case Conditional():
                return self._conditional(function, x, naming, scope)
            case OneOf():
                return self._one_of(function, x, naming, scope)
            case _:
                raise AssertionError(f"no way to apply {function}")

    def _use(self, function: Function, scope: str, path: str) -> str:
        free = self.builder.region_path(path)
        self.builder.record.uses[scope, function.span] = free
        self.builder.record.applied[free] = function
        return free

    def _mix(self, name: str, selector: Value, branches: Mapping[Scalar, Tensor], function: Function) -> Tensor:
        operands = {key(option): tensor for option, tensor in branches.items()}
        return self.builder.node(name, "mix", operands, {"selector": selector}, function.span)

    def _one_of(self, function: OneOf, x: Tensor, naming: Naming, scope: str) -> Tensor:
        names = {option: naming.branch(option) for option in function.options}
        branches: dict[Scalar, Tensor] = {
            option: self.apply(f, x, names[option], scope) for option, f in function.options.items()
        }
        naming.join(list(names.values()))
        return self._mix(join(naming.path, naming.label or "one_of"), function.selector, branches, function)

    def _conditional(self, function: Conditional, x: Tensor, naming: Naming, scope: str) -> Tensor:
        if not isinstance(function.condition, Ref):
            if function.condition:
                return self.apply(function.function, x, naming, scope)
            naming.skip(function.function)
            return x
        inside = self.apply(function.function, x, naming, scope)
        return self._mix(naming.next("when"), function.condition, {True: inside, False: x}, function)

    # Ops

    def call_op(self, expr: s.Call, function: OpFunction, frame: Frame, naming: Naming) -> Tensor:
        """An op called with its tensors: `shortcut(x, y)`, `concat(a, b)`, `image(3, size=32)`."""
        op = function.op
        tensors: dict[str, Tensor] = {}
        rest: list[s.Argument] = []
        variadic = op.operands == ("...",)
        for argument in expr.arguments:
            if len(tensors) < len(op.operands) or variadic:
                expected = None if variadic else op.operands[len(tensors)]
                if argument.name is not None and argument.name.text != expected:
                    raise mistakes.unknown_argument(argument.name.span, op.name, argument.name.text, ())
                thing = self.evaluator.evaluate(argument.value, frame, join(frame.path, op.name))
                if not isinstance(thing, Tensor):
                    raise mistakes.not_a_value(argument.span, describe(thing), "a tensor")
                tensors[f"x{len(tensors)}" if variadic else op.operands[len(tensors)]] = thing
            else:
                rest.append(argument)
        if not variadic and len(tensors) < len(op.operands):
            raise mistakes.missing_argument(expr.span, op.name, op.operands[len(tensors)])
        if variadic and not tensors:
            raise mistakes.missing_argument(expr.span, op.name, "tensor")
        partial = self.evaluator.partial(
            replace(expr, arguments=tuple(rest)), function, frame, join(frame.path, op.name)
        )
        assert isinstance(partial, OpFunction)
        return self._op(partial, tensors, naming)

    def _op(self, function: OpFunction, operands: dict[str, Tensor], naming: Naming | Fixed) -> Tensor:
        attributes = {p.name: self._attribute(function, p) for p in function.op.parameters}
        name = naming.name(function)
        for parameter in function.op.parameters:
            value = attributes[parameter.name]
            if isinstance(value, Ref) and not parameter.sizing:
                return self._op_of_set(function, parameter, value, operands, name)
        written = tuple(
            (parameter, b.span.text)
            for parameter, b in function.bound.items()
            if b.span.text.isidentifier() or b.span.text == "x.channels"
        )
        return self.builder.node(name, function.op.name, operands, attributes, function.span, written)

    def _attribute(self, function: OpFunction, parameter: Parameter) -> Value:
        bound = function.bound.get(parameter.name)
        if bound is None:
            if parameter.default is None:
                raise mistakes.missing_argument(function.span, function.op.name, parameter.name)
            return parameter.default
        if isinstance(bound.value, (Tensor, Function)):
            raise mistakes.not_a_value(bound.span, describe(bound.value), f"a value for `{parameter.name}`")
        if not isinstance(bound.value, Ref) and (problem := parameter.problem(bound.value)):
            raise mistakes.out_of_range(bound.span, parameter.name, problem, text(bound.value))
        return bound.value

    def _op_of_set(
        self, function: OpFunction, parameter: Parameter, value: Ref, operands: dict[str, Tensor], name: str
    ) -> Tensor:
        """A decision where torch needs a constant (a kernel, a stride, a bias): a mixture of the op at each option."""
        bound = function.bound[parameter.name]
        decision = self.builder.dims.decisions.get(value.name)
        if decision is None:
            raise mistakes.undecided_attribute(bound.span, parameter.name)
        branches: dict[Scalar, Tensor] = {}
        for option in decision.options:
            one = replace(function, bound={**function.bound, parameter.name: Bound(option, bound.span)})
            branches[option] = self._op(one, operands, Fixed(f"{name}{ALTERNATIVE}{parameter.name}_{key(option)}"))
        return self._mix(name, value, branches, function)

    # Blocks

    def block(self, function: BlockFunction, x: Tensor, path: str) -> Tensor:
        """A block's body, evaluated anew: its sets make new decisions."""
        block, callee = function.block, name_of(function)
        self._enter(callee, function)
        frame = Frame(function.module, path, {"x": x})
        self.builder.region(function.span, Region(path, "block", callee))  # takes the path before regions within it do
        for parameter in block.parameters:
            frame.names[parameter.name.text] = self._block_argument(function, parameter, frame)
        self.builder.record.inlined[path] = inlined(frame.names)
        self.builder.record.given[path] = frozenset(function.bound)
        mistakes_before = len(self.diagnostics)
        try:
            result = self.body(block.body, frame, block.name)
        finally:
            self._calls.pop()
            self._say_where(function, mistakes_before)
        channels = self.builder.dims.define(Dim(join(path, "channels"), "channels", of=x.node))
        self.builder.region(
            function.span, Region(path, "block", callee, (("in_channels", channels), *_region_values(frame)))
        )
        return result

    def _enter(self, callee: str, function: Function) -> None:
        if callee in self._calls:
            raise mistakes.recursive(function.span, callee)
        if len(self._calls) >= DEEPEST_CALLS:
            raise mistakes.too_large(function.span, "blocks are used within blocks too deep", DEEPEST_CALLS)
        self._calls.append(callee)

    def _say_where(self, function: BlockFunction, start: int) -> None:
        """Mistakes in a block of another file name the place that uses it."""
        for i, diagnostic in enumerate(self.diagnostics[start:], start):
            if diagnostic.span and diagnostic.span.source is not function.span.source and not diagnostic.related:
                note = (function.span, f"`{name_of(function)}` is used here")
                self.diagnostics[i] = replace(diagnostic, related=(note,))

    def _block_argument(self, function: BlockFunction, parameter: s.Parameter, frame: Frame) -> Thing:
        name = parameter.name.text
        if name in function.bound:
            return function.bound[name].value
        if parameter.default is None:
            raise mistakes.missing_argument(function.span, name_of(function), name)
        return self.evaluator.evaluate(parameter.default, frame, join(frame.path, name))

    def body(self, body: tuple[s.Statement, ...], frame: Frame, name: s.Identifier) -> Tensor:
        """Runs the statements; each mistake is noted and the statements after it still run.

        Raises:
            Poisoned: where the result depends on a mistake.
        """
        result: Thing | Poison | None = None
        bound: dict[str, Span] = dict.fromkeys(frame.names, name.span)
        for statement in body:
            if len(self.diagnostics) >= MOST_MISTAKES:
                raise Poisoned
            try:
                if result is not None:
                    raise mistakes.after_return(statement.span)
                if not frame.path:  # the space's own
                    self.builder.flow = "return" if isinstance(statement, s.Return) else statement.name.text
                match statement:
                    case s.Return():
                        result = self._returned(statement, frame)
                    case s.Let() | s.Bind():
                        if statement.name.text in bound:
                            first = bound[statement.name.text]
                            raise mistakes.defined_twice(statement.name.span, statement.name.text, first)
                        bound[statement.name.text] = statement.name.span
                        frame.names[statement.name.text] = self._bound(statement, frame)
            except Mistake as mistake:
                self.diagnostics.append(mistake.diagnostic)
                result = self._poison(statement, frame) or result
            except Poisoned:
                result = self._poison(statement, frame) or result
        if result is None:
            raise mistakes.no_return(name.span, name.text)
        if not isinstance(result, Tensor):
            raise Poisoned
        return result

    def _poison(self, statement: s.Statement, frame: Frame) -> Poison | None:
        """What a mistake leaves behind: an unknown result, or a name that stands for nothing known."""
        if isinstance(statement, s.Return):
            return Poison()
        frame.names.setdefault(statement.name.text, Poison())
        return None

    def _returned(self, statement: s.Return, frame: Frame) -> Tensor:
        thing = self.evaluator.evaluate(statement.value, frame, join(frame.path, "result"))
        if not isinstance(thing, Tensor):
            raise mistakes.not_a_value(statement.value.span, describe(thing), "a tensor")
        return thing

    def _bound(self, statement: s.Let | s.Bind, frame: Frame) -> Thing:
        name = statement.name.text
        thing = self.evaluator.evaluate(statement.value, frame, join(frame.path, name), name)
        if (
            isinstance(statement, s.Bind)
            and isinstance(statement.value, (s.Set, s.Range))
            and not isinstance(thing, Tensor)
        ):
            raise mistakes.set_without_let(statement.value.span, name)
        if isinstance(thing, Function) and decides(thing):
            self.builder.record.choosing.add((frame.path, statement.span))
        if isinstance(statement, s.Let) and isinstance(thing, Function):
            return share(thing, join(frame.path, name))
        return thing

    # Choices

    def choice(self, function: ChoiceFunction, x: Tensor, path: str, decision: str) -> Tensor:
        """A mixture of the alternatives whose guards hold, each at its own scope below `path`."""
        self._enter(name_of(function), function)
        try:
            return self._mixed(function, x, path, decision)
        finally:
            self._calls.pop()

    def _mixed(self, function: ChoiceFunction, x: Tensor, path: str, decision: str) -> Tensor:
        alternatives = self._alternatives(function, path)
        self.builder.region(function.span, Region(path, "layer", name_of(function), _bound_values(function.bound)))
        options = tuple(alternatives)
        selector = self._selector(function, decision, options)
        self.builder.record.choices[path] = (selector, alternatives)
        if not isinstance(selector, Ref):
            return self.layer(alternatives[options[0]], x, path, str(options[0]))
        branches: dict[Scalar, Tensor] = {
            option: self.layer(f, x, f"{path}{ALTERNATIVE}{option}", option) for option, f in alternatives.items()
        }
        return self._mix(path, selector, branches, function)

    def _selector(self, function: ChoiceFunction, decision: str, options: tuple[str, ...]) -> Value:
        """The decision among the alternatives: one of its own, or that of the `let` that binds the choice."""
        if not function.shared:
            return self.builder.dims.decide(Decision(decision, options, function.span))
        known = self._shared.get(function.shared)
        if known is None:
            selector = self.builder.dims.decide(Decision(function.shared, options, function.span))
            self._shared[function.shared] = known = (selector, options, function.span)
        selector, others, first = known
        if options != others:
            raise mistakes.other_alternatives(function.span, name_of(function), options, others, first)
        return selector

    def _alternatives(self, function: ChoiceFunction, path: str) -> dict[str, Function]:
        columns = {name: b.value for name, b in function.bound.items()}
        found: dict[str, Function] = {}
        places: dict[str, s.Identifier] = {}
        taken: set[str] = set()
        for alternative in function.choice.alternatives:
            name = alternative.name.text
            if name in places:
                raise mistakes.defined_twice(alternative.name.span, name, places[name].span)
            places[name] = alternative.name
            guard = Frame(function.module, path, {"stride": 1, **columns})
            if not self._guard_holds(alternative, guard):
                continue
            scope = f"{path}{ALTERNATIVE}{name}"
            thing = self.evaluator.evaluate(alternative.value, Frame(function.module, scope), scope)
            if not isinstance(thing, Function):
                raise mistakes.not_applicable(alternative.value.span, describe(thing))
            for column, b in function.bound.items():
                if column in parameters(thing) or isinstance(thing, ChoiceFunction):
                    taken.add(column)
                    thing = bind(thing, column, replace(b, optional=True))
            found[name] = thing
        if not found:
            raise mistakes.no_alternative(function.span, name_of(function))
        self._check_columns(function, taken)
        return found

    def _guard_holds(self, alternative: s.Alternative, frame: Frame) -> bool:
        if alternative.condition is None:
            return True
        value = self.evaluator.value(alternative.condition, frame, join(frame.path, "when"))
        if isinstance(value, Ref):
            raise mistakes.undecided_guard(alternative.condition.span, alternative.name.text)
        return bool(value)

    def _check_columns(self, function: ChoiceFunction, taken: set[str]) -> None:
        for column, b in function.bound.items():
            if column not in taken and not b.optional and not (column == "stride" and b.value == 1):
                raise mistakes.untaken_column(b.span, column, name_of(function))

    # Layers

    def layer(self, function: Function, x: Tensor, path: str, name: str) -> Tensor:
        """A function as a part of the network with a region of its own at exactly `path`; `name` is a flow's name."""
        match function:
            case BlockFunction():
                return self.block(function, x, path)
            case ChoiceFunction():
                return self.choice(function, x, path, join(path, name_of(function)))
            case _:
                block = name_of(function) if isinstance(function, (OpFunction, Identity)) else name
                self.builder.region(function.span, Region(path, "block", block))
                return self.apply(function, x, Naming(path), path)

    def stages(self, table: s.Stages, x: Tensor, frame: Frame, naming: Naming) -> Tensor:
        """The layers of a table, one after another; each evaluates its row afresh."""
        return self._tables.run(table, x, frame, self.builder.region_path(naming.next("stages")))


def inlined(names: Mapping[str, Thing | Poison]) -> frozenset[str]:
    """The names of functions that a derived program writes out where they are used."""
    return frozenset(name for name, thing in names.items() if isinstance(thing, Function) and decides(thing))


def _bound_values(bound: Mapping[str, Bound]) -> tuple[tuple[str, Value], ...]:
    return tuple((name, region_value(b.value)) for name, b in bound.items() if not isinstance(b.value, Tensor))


def _region_values(frame: Frame) -> tuple[tuple[str, Value], ...]:
    return tuple(
        (name, region_value(thing)) for name, thing in frame.names.items() if not isinstance(thing, (Tensor, Poison))
    )


def region_value(thing: Thing) -> Value:
    """A value for the region's table: functions by their name, a set of functions by its decision."""
    match thing:
        case OneOf():
            return thing.selector
        case Function():
            return name_of(thing)
        case Tensor():
            raise AssertionError("a region's values are no tensors")
        case _:
            return thing
