"""One constructor for each mistake in how a program is put together: outputs and results, rows with names, picks,
functions of values, defaults, requirements, spaces that build on others."""

from collections.abc import Iterable, Sequence

from nasir.diagnostics import Diagnostic, Span, closest
from nasir.lang.mistakes import Mistake


def unnamed_default(span: Span, name: str) -> Mistake:
    hint = f"name the parameter: `set {name}(act = relu6)`"
    return Mistake(Diagnostic("E0351", "a default is given by its name", span, (hint,)))


def deciding_default(span: Span) -> Mistake:
    hint = "give the set where the block or op is used: each use decides for itself"
    return Mistake(Diagnostic("E0351", "a default is one value, and a set decides", span, (hint,)))


def no_such_default(span: Span, name: str, parameter: str, known: Iterable[str]) -> Mistake:
    hints = closest(parameter, sorted(known)) or (f"it takes {', '.join(sorted(known)) or 'nothing'}",)
    return Mistake(Diagnostic("E0351", f"`{name}` has no parameter `{parameter}`", span, hints))


def deciding_function(span: Span, name: str) -> Mistake:
    hint = "give the set as an argument: whoever calls decides"
    return Mistake(Diagnostic("E0345", f"`{name}` is a function of values, and a set decides", span, (hint,)))


def space_as_a_step(span: Span, name: str) -> Mistake:
    hint = f"build on it: `space mine = {name}(...)`"
    return Mistake(Diagnostic("E0346", f"`{name}` is a space, and no function", span, (hint,)))


def unknown_base(span: Span, name: str, known: Sequence[str]) -> Mistake:
    hints = closest(name, known) or (f'import it first: `from "{name}.nas" import {name}`',)
    return Mistake(Diagnostic("E0346", f"no space is named `{name}` here", span, hints))


def unnamed_parameter(span: Span, known: Sequence[str]) -> Mistake:
    hint = f"name the parameter: {', '.join(f'`{name} = ...`' for name in known[:4])}"
    return Mistake(Diagnostic("E0346", "parameters of a space are given by their names", span, (hint,)))


def no_option_here(span: Span) -> Mistake:
    hint = "write a set of constants or of names: `trunk.block = {ir_k3, skip}`"
    return Mistake(Diagnostic("E0347", "this is no option of a decision", span, (hint,)))


def nothing_to_narrow(span: Span, pattern: str, hints: tuple[str, ...]) -> Mistake:
    return Mistake(Diagnostic("E0347", f"nothing is decided at `{pattern}`", span, hints))


def no_such_option(span: Span, pattern: str, option: str, known: Sequence[str]) -> Mistake:
    hints = closest(option, known) or (f"there are {', '.join(known[:12])}",)
    return Mistake(Diagnostic("E0347", f"`{option}` is no option at `{pattern}`", span, hints))


def narrowed_to_nothing(span: Span, pattern: str, options: Sequence[str]) -> Mistake:
    hint = f"one decision there has the options {', '.join(options[:12])}"
    return Mistake(Diagnostic("E0347", f"nothing is left to decide at `{pattern}`", span, (hint,)))


def requirement_of_shapes(span: Span, function: str) -> Mistake:
    hint = "compare decisions that a `let` names: `let w = 8..32 by 8`"
    return Mistake(
        Diagnostic("E0348", f"`require` compares decisions, and this reads the {function} of a tensor", span, (hint,))
    )


def nothing_allowed(span: Span) -> Mistake:
    return Mistake(
        Diagnostic("E0349", "no network meets this", span, ("loosen it, or give the decisions more options",))
    )


def several_results(span: Span, count: int) -> Mistake:
    names = ", ".join("abcdefgh"[:count]) if count <= 8 else "a, b, ..."
    return Mistake(Diagnostic("E0344", f"there are {count} results here", span, (f"name them: `{names} = ...`",)))


def other_results(span: Span, count: int, names: int) -> Mistake:
    are = "is one result" if count == 1 else f"are {count} results"
    return Mistake(Diagnostic("E0344", f"there {are} here, and {names} names", span))


def bad_pick(span: Span, edges: int) -> Mistake:
    return Mistake(Diagnostic("E0343", f"`pick` takes how many first, a whole number from 1 to {edges}", span))


def no_row_name(span: Span) -> Mistake:
    hint = "write a name, as `stage2`, that is no size of a tensor; the column `name` names rows"
    return Mistake(Diagnostic("E0342", "this is no name of a row", span, (hint,)))


def row_named_twice(span: Span, name: str) -> Mistake:
    return Mistake(Diagnostic("E0342", f"another row is named `{name}`", span))


def outputs_of_a_block(span: Span) -> Mistake:
    hint = "return one tensor here; a space can return several: `return { a: x, b: y }`"
    return Mistake(Diagnostic("E0341", "a block has one output", span, (hint,)))


def stray_outputs(span: Span) -> Mistake:
    return Mistake(Diagnostic("E0341", "several outputs stand after `return` alone", span))
