"""One constructor for each mistake that a program's text can hold.

A `Mistake` ends one statement and a `CompileError` the whole stage; a `Diagnostic` is collected with others.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from nasir.diagnostics import CompileError, Diagnostic, Span, closest
from nasir.ir.dims import SHAPE_FUNCTIONS
from nasir.lang import syntax as s
from nasir.lang.intentions import ours


class Mistake(Exception):
    """Ends the evaluation of one statement; the others go on."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def misplaced(span: Span, what: str, expected: tuple[str, ...]) -> Diagnostic:
    return Diagnostic("E0101", f"{what} does not belong here", span, expected)


def endless_string(span: Span) -> Diagnostic:
    hint = 'strings end on their own line and know the escapes \\" and \\\\ only'
    return Diagnostic("E0102", "this string does not end", span, (hint,))


def early_end(span: Span, expected: tuple[str, ...] = ()) -> Diagnostic:
    return Diagnostic("E0103", "the text ends too early", span, expected)


def too_large_file(span: Span, most: int) -> CompileError:
    return CompileError(Diagnostic("E0104", f"the file has more than {most:,} characters", span))


def too_deep(span: Span, most: int) -> CompileError:
    message = f"expressions nest more than {most} levels deep here"
    return CompileError(Diagnostic("E0105", message, span, ("bind parts of it to names",)))


def too_large_number(span: Span, most: int) -> CompileError:
    hint = "no size, cost or setting is so large"
    return CompileError(Diagnostic("E0106", f"the number is larger than {most:,}", span, (hint,)))


def unknown_name(span: Span, name: str, known: Iterable[str]) -> Mistake:
    names = sorted(set(known))
    if foreign := ours(name):
        return Mistake(Diagnostic("E0201", f"nothing is named `{name}`", span, (foreign,)))
    hints = closest(name, names) or ((f"known here: {', '.join(names[:12])}",) if 0 < len(names) <= 12 else ())
    return Mistake(Diagnostic("E0201", f"nothing is named `{name}`", span, hints))


def defined_twice(span: Span, name: str, first: Span) -> Mistake:
    related = ((first, "it is defined here first"),)
    return Mistake(
        Diagnostic("E0202", f"`{name}` is defined twice", span, ("remove one, or give it another name",), related)
    )


def unknown_import(span: Span, name: str, path: str, known: Iterable[str]) -> Mistake:
    return Mistake(Diagnostic("E0203", f'"{path}" defines no `{name}`', span, closest(name, known)))


def no_file(span: Span, path: str, known: Iterable[str], where: str = "beside this file") -> Mistake:
    hints = (*closest(path, known), f"paths are looked up {where}, then in nasir's library")
    return Mistake(Diagnostic("E0204", f'no file "{path}" to import from', span, hints))


def outside_roots(span: Span, path: str) -> Mistake:
    hint = "import from the file's own folder, a folder below it, or nasir's library"
    return Mistake(Diagnostic("E0205", f'"{path}" leads outside the folders a program may import from', span, (hint,)))


def import_cycle(span: Span, path: str) -> Mistake:
    return Mistake(
        Diagnostic(
            "E0206", f'"{path}" imports itself through this import', span, ("move what both need to a third file",)
        )
    )


def not_a_value(span: Span, found: str, wanted: str) -> Mistake:
    return Mistake(Diagnostic("E0301", f"this is {found}, and {wanted} is needed here", span))


def tensor_as_argument(call: s.Call, argument: s.Argument, op: str) -> Mistake:
    others = ", ".join(a.span.text for a in call.arguments if a is not argument)
    hint = f"write `{argument.value.span.text} -> {op}({others})`: a tensor comes before the arrow"
    return Mistake(Diagnostic("E0327", f"`{op}` takes no tensor as an argument", argument.span, (hint,)))


def missing_argument(span: Span, callee: str, name: str) -> Mistake:
    hint = f"pass it, `{callee}({name}=...)`; in a table, add a column `{name}`"
    return Mistake(Diagnostic("E0302", f"`{callee}` needs a `{name}`", span, (hint,)))


def unknown_argument(span: Span, callee: str, name: str, known: Iterable[str]) -> Mistake:
    names = list(known)
    takes = (f"it takes {', '.join(names)}",) if names else ("it takes no arguments",)
    return Mistake(Diagnostic("E0303", f"`{callee}` has no parameter `{name}`", span, closest(name, names) or takes))


def too_many_arguments(span: Span, callee: str, count: int, *hints: str) -> Mistake:
    takes = f"at most {count} {'argument' if count == 1 else 'arguments'}" if count else "no arguments"
    return Mistake(Diagnostic("E0329", f"`{callee}` takes {takes} by position", span, hints))


def argument_count(span: Span, callee: str, least: int, most: int) -> Mistake:
    takes = str(least) if least == most else f"{least} to {most}"
    return Mistake(Diagnostic("E0329", f"`{callee}` takes {takes} {'argument' if most == 1 else 'arguments'}", span))


def only_by_position(span: Span, callee: str) -> Mistake:
    return Mistake(Diagnostic("E0335", f"the arguments of `{callee}` have no names", span, ("pass the value alone",)))


def not_callable(span: Span) -> Mistake:
    return Mistake(Diagnostic("E0328", "only an op, a block or a choice takes arguments", span))


def given_twice(span: Span, callee: str, name: str) -> Mistake:
    return Mistake(Diagnostic("E0304", f"`{name}` of `{callee}` is given twice", span))


def arithmetic(span: Span, reason: str) -> Mistake:
    return Mistake(Diagnostic("E0305", f"this cannot be computed: {reason}", span))


def stray_power(span: Span) -> Mistake:
    hint = "write the product out: `width * width`"
    return Mistake(Diagnostic("E0336", "`^` is for objectives and for formulas of `search`", span, (hint,)))


def unlike_operands(span: Span, reason: str) -> Mistake:
    return Mistake(Diagnostic("E0337", reason, span))


def set_without_let(span: Span, name: str) -> Mistake:
    hint = f"write `let {name} = ...`: one decision, used wherever `{name}` is"
    return Mistake(Diagnostic("E0306", f"a decision bound to the name `{name}` needs `let`", span, (hint,)))


def out_of_range(span: Span, what: str, wanted: str, value: str) -> Mistake:
    return Mistake(Diagnostic("E0307", f"`{what}` must be {wanted}, and is {value}", span))


def not_applicable(span: Span, found: str) -> Mistake:
    hint = "a step of a flow is an op, a block, a choice, or a flow of these in parentheses"
    return Mistake(Diagnostic("E0308", f"{found} cannot be a step of a flow", span, (hint,)))


def head_not_tensor(span: Span, found: str) -> Mistake:
    return Mistake(
        Diagnostic(
            "E0309",
            f"a flow begins with a tensor, and this is {found}",
            span,
            ("begin with `x` or a name bound to a tensor",),
        )
    )


def bad_step(span: Span, low: str, high: str, step: str, ends: tuple[str, str]) -> Mistake:
    hint = f"end at {ends[0]} or {ends[1]}"
    return Mistake(Diagnostic("E0310", f"steps of {step} from {low} do not reach {high}", span, (hint,)))


def bad_range(span: Span, reason: str) -> Mistake:
    return Mistake(
        Diagnostic("E0311", reason, span, ("write `low..high by step` with low below high and step above 0",))
    )


def repeated_option(span: Span, value: str) -> Mistake:
    hint = ("functions that differ in their arguments need a `choice`",) if value.startswith("`") else ()
    return Mistake(Diagnostic("E0312", f"the option {value} stands twice in this set", span, hint))


def mixed_set(span: Span) -> Mistake:
    return Mistake(
        Diagnostic("E0313", "the options of a set must be of one kind: numbers, true and false, or functions", span)
    )


def undecided_guard(span: Span, alternative: str) -> Mistake:
    hint = "constants and the row's constant columns decide it, such as `stride == 1`"
    return Mistake(
        Diagnostic(
            "E0314",
            f"whether `{alternative}` is an alternative must not depend on a decision or a shape",
            span,
            (hint,),
        )
    )


def no_alternative(span: Span, choice: str) -> Mistake:
    return Mistake(Diagnostic("E0315", f"no alternative of `{choice}` is left here: every guard is false", span))


def other_alternatives(span: Span, choice: str, options: Iterable[str], others: Iterable[str], first: Span) -> Mistake:
    here, there = (", ".join(names) for names in (options, others))
    message = f"`let` makes `{choice}` one decision, and its alternatives here are {here}, not {there}"
    hint = "a guard drops an alternative in one of the places: use the choice itself there"
    return Mistake(Diagnostic("E0326", message, span, (hint,), ((first, "it is used here first"),)))


def undecided_attribute(span: Span, name: str) -> Mistake:
    hint = "compute it from decisions that a `let` names, or write a `choice` between blocks"
    message = f"`{name}` can follow from decisions, and not from the shape of a tensor that is undecided"
    return Mistake(Diagnostic("E0316", message, span, (hint,)))


def recursive(span: Span, name: str) -> Mistake:
    return Mistake(
        Diagnostic(
            "E0317", f"`{name}` uses itself", span, ("a network is finite: repeat a block with a table's `depth`",)
        )
    )


def no_return(span: Span, name: str) -> Mistake:
    return Mistake(Diagnostic("E0318", f"`{name}` returns nothing", span, ("end its body with `return` and a tensor",)))


def after_return(span: Span) -> Mistake:
    return Mistake(Diagnostic("E0319", "nothing after `return` is ever used", span))


def too_large(span: Span, what: str, limit: int) -> Mistake:
    return Mistake(Diagnostic("E0320", f"{what}; the limit is {limit:,}", span))


def unknown_attribute(span: Span, name: str, rows: Sequence[str]) -> Mistake:
    """`rows` are the names of the rows of the table that made the tensor."""
    known = (*SHAPE_FUNCTIONS, *rows)
    hints = closest(name, known) or (f"a tensor has `channels`, `height` and `width`{_and_rows(rows)}",)
    return Mistake(Diagnostic("E0321", f"a tensor has no `{name}`", span, hints))


def _and_rows(rows: Sequence[str]) -> str:
    return f"; this one also its table's rows {', '.join(rows)}" if rows else ""


def no_space(span: Span) -> Mistake:
    return Mistake(
        Diagnostic("E0322", "the file defines no space", span, ("write `space NAME(classes = 10) { ... }`",))
    )


def second_space(span: Span, first: Span) -> Mistake:
    return Mistake(Diagnostic("E0323", "a file defines one space", span, (), ((first, "the first is here"),)))


def image_count(span: Span, count: int) -> Mistake:
    found = "none" if count == 0 else str(count)
    return Mistake(
        Diagnostic(
            "E0324",
            f"a space has one `image`, and this one has {found}",
            span,
            ("begin with `x = image(3, size=224)`",),
        )
    )


def parameter_without_default(span: Span, name: str) -> Mistake:
    return Mistake(
        Diagnostic("E0325", f"the space's parameter `{name}` needs a default", span, (f"write `{name} = ...`",))
    )


def cell_count(span: Span, cells: int, columns: int) -> Mistake:
    return Mistake(
        Diagnostic(
            "E0331",
            f"the row has {cells} cells and the header {columns} columns",
            span,
            ("write `-` where a block keeps its default",),
        )
    )


def no_header(span: Span) -> CompileError:
    hint = "write `| block | depth | stride |`, or the columns that its blocks take"
    return CompileError(Diagnostic("E0330", "the first row of a table must name its columns", span, (hint,)))


def no_block_column(span: Span) -> Mistake:
    return Mistake(Diagnostic("E0332", "the table has no column `block`", span, ("it says what each row is made of",)))


def no_rows(span: Span) -> Mistake:
    return Mistake(Diagnostic("E0338", "the table has no rows", span, ("write a row below the header",)))


def no_block(span: Span) -> Mistake:
    hint = "`identity` leaves the tensor as it is"
    return Mistake(Diagnostic("E0339", "the cell `block` cannot be empty", span, (hint,)))


def unused_column(span: Span, column: str, known: Iterable[str]) -> Mistake:
    mends = "give the block a parameter `stride = 1`" if column == "stride" else "write `-` in this cell"
    hints = closest(column, known) or (mends,)
    return Mistake(Diagnostic("E0333", f"no block of this row takes the column `{column}`", span, hints))


def untaken_column(span: Span, column: str, choice: str) -> Mistake:
    hint = "leave it out; in a table's row, write `-` in this cell"
    return Mistake(Diagnostic("E0340", f"no alternative of `{choice}` takes `{column}` here", span, (hint,)))


def stray_stages(span: Span) -> Mistake:
    return Mistake(
        Diagnostic(
            "E0334", "a table of stages needs a tensor before it", span, ("write `trunk = stem -> stages { ... }`",)
        )
    )


def twice(span: Span, what: str, first: Span) -> Mistake:
    return Mistake(Diagnostic("E0501", f"a file has one {what} section", span, (), ((first, "the first is here"),)))


def unknown_setting(span: Span, section: str, name: str, known: Iterable[str]) -> Mistake:
    names = sorted(known)
    hints = closest(name, names) or (f"settings of {section}: {', '.join(names)}",)
    return Mistake(Diagnostic("E0502", f"`{section}` has no setting `{name}`", span, hints))


def bad_setting(span: Span, name: str, wanted: str, *hints: str) -> Mistake:
    return Mistake(Diagnostic("E0503", f"`{name}` must be {wanted}", span, hints))


def unnamed_optimizer_argument(span: Span, optimizer: str) -> Mistake:
    hint = f"write `{optimizer}(lr=0.1)`"
    return Mistake(Diagnostic("E0508", f"the arguments of `{optimizer}` need names", span, (hint,)))


def temperature_not_positive(span: Span) -> Mistake:
    message = "`temperature` must be above 0 in every epoch: a softmax divides by it"
    return Mistake(Diagnostic("E0509", message, span))


def no_assignment(text: str) -> CompileError:
    hint = "write `epochs=30`, `search.epochs=30` or `train.epochs=30`"
    return CompileError(Diagnostic("E0506", f"`--set {text}` assigns no value", hints=(hint,)))


def unknown_section(span: Span, section: str, known: Iterable[str]) -> CompileError:
    hints = closest(section, known) or ("there are `search` and `train`",)
    return CompileError(Diagnostic("E0515", f"no section is named `{section}`", span, hints))


def bad_objective(span: Span, message: str, *hints: str) -> Mistake:
    return Mistake(Diagnostic("E0504", message, span, hints))


def several_losses(span: Span, names: Iterable[str]) -> Mistake:
    hint = "name the loss that is minimised; a loss of several parts is a function of your own: `--loss python:...`"
    return Mistake(Diagnostic("E0350", f"the objective names several losses: {', '.join(names)}", span, (hint,)))


def bad_objective_number(span: Span, message: str, *hints: str) -> Mistake:
    return Mistake(Diagnostic("E0514", message, span, hints))


_CONSTRAINT = "write `macs <= 60M`, or `macs <= 60%` of the largest network's"


def bad_constraint(span: Span) -> Mistake:
    return Mistake(Diagnostic("E0511", "a constraint is a cost, `<=` and its bound", span, (_CONSTRAINT,)))


def empty_constraint(option: str) -> CompileError:
    return CompileError(Diagnostic("E0511", f"`{option}` is empty", hints=(_CONSTRAINT,)))


def bad_bound(span: Span, cost: str) -> Mistake:
    return Mistake(Diagnostic("E0512", f"the bound on `{cost}` must be above 0", span))


def bounded_twice(where: str, cost: str, span: Span | None = None) -> Mistake:
    return Mistake(Diagnostic("E0513", f"{where} gives `{cost}` two bounds", span, ("keep the tighter one",)))


def unit_out_of_place(span: Span, unit: str) -> Mistake:
    hint = 'units belong to amounts of costs: `subject to latency("pi4.json") <= 5ms`'
    return Mistake(Diagnostic("E0518", f"nothing here is measured in `{unit}`", span, (hint,)))


def wrong_unit(span: Span, unit: str, known: Iterable[str]) -> Mistake:
    words = ", ".join(f"`{one}`" for one in known if one)
    alone = 'a count has no unit: write the number alone; a time is a device\'s, `latency("pi4.json") <= 5ms`'
    hint = f"write one of {words}" if words else alone
    return Mistake(Diagnostic("E0518", f"nothing here is measured in `{unit}`", span, (hint,)))


def no_unit(span: Span, cost: str, known: Iterable[str]) -> Mistake:
    words = ", ".join(f"`{one}`" for one in known if one)
    return Mistake(Diagnostic("E0519", f"an amount of `{cost}` has a unit", span, (f"write one of {words} behind it",)))


def no_device_named(span: Span, cost: str) -> Mistake:
    hint = f'write `{cost}("pi4.json")`, a file that `nasir profile` makes'
    return Mistake(Diagnostic("E0520", f"`{cost}` is of a device, and names none", span, (hint,)))


def flops(span: Span) -> Mistake:
    hint = "write `macs`: multiply-adds, which this field's papers call FLOPs; torch's counter reports two for each"
    return Mistake(Diagnostic("E0505", "`flops` means two different things", span, (hint,)))


def unknown_parameter(name: str, known: Iterable[str]) -> Diagnostic:
    names = list(known)
    takes = f"its parameters: {', '.join(names)}" if names else "it has no parameters"
    return Diagnostic("E0611", f"the space has no parameter `{name}`", hints=closest(name, names) or (takes,))


def no_program(name: str, known: Iterable[str]) -> CompileError:
    names = list(known)
    is_path = "/" in name or "." in name
    otherwise = (
        "a name alone, as `digits`, is of nasir's library" if is_path else f"shipped with nasir: {', '.join(names)}"
    )
    hints = closest(name.removesuffix(".nas"), names) or (otherwise,)
    return CompileError(Diagnostic("E0701", f"there is no file `{name}`", hints=hints))


def python_file(name: str) -> CompileError:
    hint = "programs end in `.nas`; `nasir train model.py` trains an emitted file, `nasir predict` uses it"
    return CompileError(Diagnostic("E0704", f"`{name}` is a Python file, not a program", hints=(hint,)))


def folder_for_a_program(name: str) -> CompileError:
    return CompileError(Diagnostic("E0705", f"`{name}` is a folder, not a program", hints=("name a file in it",)))


def not_utf8(path: Path) -> CompileError:
    return CompileError(Diagnostic("E0706", f"`{path}` is not UTF-8 text", hints=("save it as UTF-8",)))


def unused_binding(span: Span, name: str) -> Diagnostic:
    hint = "use it, or take the statement away: it is no part of the network"
    return Diagnostic("W0201", f"nothing uses `{name}`", span, (hint,))


def idle_decision(span: Span, name: str) -> Diagnostic:
    hint = "the network does not depend on it: take it away, or use what it decides"
    return Diagnostic("W0202", f"the decision `{name}` changes nothing", span, (hint,))


def useless_output(span: Span | None, what: str) -> Diagnostic:
    hint = "a classifier ends with `-> global_avg_pool -> linear(classes)`; one of pixels keeps the input's sizes"
    return Diagnostic("W0401", f"the output is {what}: `nasir search` cannot train it", span, (hint,))
