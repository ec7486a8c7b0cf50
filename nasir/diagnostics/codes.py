"""What each code means: the catalogue that `nasir explain` prints.

E01 syntax, E02 names and imports, E03 evaluation, E04 shapes, E05 settings, E06 options, E07 files, E08 data and
training, E09 run folders and devices; W the same, as warnings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import fill, indent

_WIDTH = 88


@dataclass(frozen=True)
class Code:
    """One kind of mistake. `wrong` and `right` are whole programs, or command lines; either may be missing."""

    title: str
    meaning: str
    wrong: str = ""
    right: str = ""

    def text(self, code: str) -> str:
        """The entry as `nasir explain` prints it."""
        parts = [f"{code}: {self.title}", fill(self.meaning, _WIDTH)]
        for label, example in (("Wrong:", self.wrong), ("Right:", self.right)):
            if example:
                parts.append(f"{label}\n{indent(example.rstrip(), '  ')}")
        return "\n\n".join(parts)


def _space(*lines: str, before: str = "", after: str = "") -> str:
    """A space that makes `y` of an image in `lines`, and classifies it; `before` and `after` stand around it."""
    body = "\n".join(f"  {line}" for line in ("x = image(3, size=32)", *lines))
    end = "  return y -> global_avg_pool -> linear(classes)"
    parts = (before, f"space net(classes = 10) {{\n{body}\n{end}\n}}", after)
    return "\n".join(part for part in parts if part) + "\n"


_LAYER = "y = x -> conv(3, 16, stride=2) -> bn -> relu"


def _table(*rows: str, before: str = "") -> str:
    """A space whose trunk is the table of `rows`."""
    return _space("y = x -> stages {", *(f"  {row}" for row in rows), "}", before=before)


def _section(text: str) -> str:
    """A space with a section after it."""
    return _space(_LAYER, after=text)


_SKIP = "choice layer {\n  conv: conv(3) -> bn -> relu\n  skip: identity%s\n}"
_TWO_LAYERS = """\
choice layer { conv: conv(3, 16)  skip: identity when stride == 1 }
let both = layer
"""
_NO_CLASSES = "space net() {\n  x = image(3, size=32)\n  return %s\n}\n"
_BRANCHES = """\
block both() {
  return concat(x -> conv(1, {8, 16}), x -> conv(3, 8))%s
}
choice layer {
  both:  both
  plain: conv(3, 24)
}"""

CODES: Mapping[str, Code] = {
    "E0101": Code(
        "misplaced text",
        "A character or a word stands where the language has no place for it. The underline shows the first one that"
        " does not fit; the mistake is there or just before it. Each top-level item reports its first such place.",
        _space("let width = 8..32 step 8", "y = x -> conv(3, width) -> bn -> relu"),
        _space("let width = 8..32 by 8", "y = x -> conv(3, width) -> bn -> relu"),
    ),
    "E0102": Code(
        "unterminated string",
        "A string ends with a second quote on the line that it begins on. Only a quote and a backslash are written with"
        ' a backslash before them, \\" and \\\\; there are no other escapes.',
        _space("y = x -> ir(16)", before='from "lib/mobile.nas import ir'),
        _space("y = x -> ir(16)", before='from "lib/mobile.nas" import ir'),
    ),
    "E0103": Code(
        "text that ends too early",
        "The file, or one of its top-level items, stops before it is complete. Most often a closing brace or"
        " parenthesis is missing.",
        _space(_LAYER).removesuffix("}\n"),
        _space(_LAYER),
    ),
    "E0104": Code(
        "too large a file",
        "A file may have up to a million characters. Spaces are a few dozen lines long: a file of that size is most"
        " likely not a program. Repeated layers belong in a table with a `depth`, shared blocks in a file to import.",
    ),
    "E0105": Code(
        "expressions nested too deep",
        "Expressions may nest up to 60 levels deep. Each operator of a long sum is one level. Bind parts of the"
        " expression to names, or say the same with fewer operators.",
        _space(
            "width = 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1",
            *("      + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1",) * 3,
            "y = x -> conv(3, width) -> bn -> relu",
        ),
        _space("width = 16 * 4", "y = x -> conv(3, width) -> bn -> relu"),
    ),
    "E0106": Code(
        "number too large",
        "Numbers go up to 2^53: sizes and costs are counted exactly in 64-bit floating point, and no network comes near"
        " it. `1e999` and the like are most often a slip in the exponent.",
        _space("y = x -> conv(3, 1e18) -> bn -> relu"),
        _space("y = x -> conv(3, 18) -> bn -> relu"),
    ),
    "E0201": Code(
        "unknown name",
        "Nothing of this name is in scope: no binding above this line of the same body, no parameter, no definition or"
        " import of the file, no op of the language. Names of one block are not seen in another: pass them as"
        " arguments.",
        _space("y = x -> conv(3, 16) -> bn -> hsiwsh"),
        _space("y = x -> conv(3, 16) -> bn -> hswish"),
    ),
    "E0202": Code(
        "name defined twice",
        "A name means one thing in its scope, so that a reader need not ask which definition holds. Give the second one"
        " another name, or import it under another one with `as`.",
        _space("y = x -> conv(3, 16) -> bn", "y = y -> relu"),
        _space("z = x -> conv(3, 16) -> bn", "y = z -> relu"),
    ),
    "E0203": Code(
        "unknown name in an import",
        "The imported file does not define this name. A file exports the blocks, choices and lets that it defines"
        " itself, and not what it imports.",
        _space("y = x -> inverted_residual(16)", before='from "lib/mobile.nas" import inverted_residual'),
        _space("y = x -> inverted_residual(16)", before='from "lib/mobile.nas" import ir as inverted_residual'),
    ),
    "E0204": Code(
        "import of a missing file",
        "There is no such file. A path is looked up in the folder of the importing file, then in nasir's library, and"
        " is written with its ending `.nas`.",
        _space("y = x -> ir(16)", before='from "lib/mobile" import ir'),
        _space("y = x -> ir(16)", before='from "lib/mobile.nas" import ir'),
    ),
    "E0205": Code(
        "import from outside",
        "A program imports from the folder of the checked file, from folders below it and from nasir's library, and"
        " from nowhere else: a file from a stranger must not read yours. Move the file that you need below the folder,"
        " or check a file further up.",
        _space("y = x -> ir(16)", before='from "../lib/mobile.nas" import ir'),
        _space("y = x -> ir(16)", before='from "lib/mobile.nas" import ir'),
    ),
    "E0206": Code(
        "circular import",
        "A file imports itself, directly or through others. Names would then be needed before they are defined. Move"
        " the definitions that both files need to a third one.",
        "# This is the file net.nas.\n" + _space("y = x -> conv(3, width)", before='from "net.nas" import width'),
        "# This is the file net.nas.\n" + _space("y = x -> conv(3, width)", before="let width = {16, 24}"),
    ),
    "E0301": Code(
        "wrong kind of thing",
        "The language has values (numbers, true and false), tensors, and functions from a tensor to a tensor (ops,"
        " blocks, choices). Here stands one kind where another is needed. Note that `relu` is a function and"
        " `x -> relu` a tensor.",
        _space("y = x -> conv(3, relu) -> bn"),
        _space("y = x -> conv(3, 16) -> bn -> relu"),
    ),
    "E0302": Code(
        "missing argument",
        "A parameter without a default was given no value. Pass it by position or by name; in a table of stages, a"
        " column of that name passes it too.",
        _space("y = x -> conv(3) -> bn -> relu"),
        _space("y = x -> conv(3, 16) -> bn -> relu"),
    ),
    "E0303": Code(
        "unknown argument",
        "The function has no parameter of this name, or fewer parameters than were passed by position.",
        _space("y = x -> conv(3, 16, strides=2) -> bn -> relu"),
        _space("y = x -> conv(3, 16, stride=2) -> bn -> relu"),
    ),
    "E0304": Code(
        "argument given twice",
        "A parameter has a value already, by position or by name, when it is given another. Remove one of the two.",
        _space("y = x -> conv(3, 16, kernel=5) -> bn -> relu"),
        _space("y = x -> conv(5, 16) -> bn -> relu"),
    ),
    "E0305": Code(
        "value that cannot be computed",
        "The arithmetic has no result: a division by zero, a comparison of unlike things, a number beyond 2^53. Where"
        " decisions are involved, it must have a result for every combination of their options, even an unlikely one.",
        _space("let ratio = {0, 2, 4}", "y = x -> conv(1, round_to(8, 64 / ratio)) -> bn -> relu"),
        _space("let ratio = {1, 2, 4}", "y = x -> conv(1, round_to(8, 64 / ratio)) -> bn -> relu"),
    ),
    "E0306": Code(
        "set bound without let",
        "A set is a decision. With `let` it is visibly one decision that is shared wherever the name is used; `=` alone"
        " is for tensors and for values that are computed.",
        _space("width = 8..32 by 8", "y = x -> conv(3, width) -> bn -> relu"),
        _space("let width = 8..32 by 8", "y = x -> conv(3, width) -> bn -> relu"),
    ),
    "E0307": Code(
        "value out of range",
        "An argument is a number or a truth value that its parameter does not take. Kernels are odd, so that padding"
        " keeps the size of the map; widths, strides and sizes are whole numbers from 1. Where decisions are involved,"
        " this holds for every combination of their options.",
        _space("y = x -> conv(4, 16) -> bn -> relu"),
        _space("y = x -> conv(5, 16) -> bn -> relu"),
    ),
    "E0308": Code(
        "step that is no function",
        "Each step after an arrow is a function that takes the tensor before it: an op, a block, a choice, or a flow of"
        " these in parentheses. Tensors are joined with `+`, `*`, `concat` or `shortcut`.",
        _space("z = x -> conv(3, 16) -> bn", "y = x -> conv(1, 16) -> z"),
        _space("z = x -> conv(3, 16) -> bn", "w = x -> conv(1, 16)", "y = w + z"),
    ),
    "E0309": Code(
        "flow that begins with no tensor",
        "A flow begins with the tensor that its steps are applied to: `x`, or a name bound to a tensor.",
        _space("width = 16", "y = width -> conv(3, 16) -> bn -> relu"),
        _space("width = 16", "y = x -> conv(3, width) -> bn -> relu"),
    ),
    "E0310": Code(
        "range whose steps miss its end",
        "`low..high by step` includes both ends, so a whole number of steps must lead from low to high. Whether the"
        " last step should stop short of the end or go past it would be a guess.",
        _space("let width = 8..30 by 8", "y = x -> conv(3, width) -> bn -> relu"),
        _space("let width = 8..32 by 8", "y = x -> conv(3, width) -> bn -> relu"),
    ),
    "E0311": Code(
        "empty range",
        "A range goes upwards: low is below high, and the step is above 0.",
        _space("let width = 32..8 by 8", "y = x -> conv(3, width) -> bn -> relu"),
        _space("let width = 8..32 by 8", "y = x -> conv(3, width) -> bn -> relu"),
    ),
    "E0312": Code(
        "option repeated in a set",
        "The options of a set differ from each other. A repeated one would be drawn twice as often, and two functions"
        " of one name could not be told apart in the result: give them names with a `choice`.",
        _space("y = x -> conv(3, {16, 24, 16}) -> bn -> relu"),
        _space("y = x -> conv(3, {16, 24, 32}) -> bn -> relu"),
    ),
    "E0313": Code(
        "set of different kinds",
        "All options of a set are numbers, or all are true or false, or all are functions: whatever uses the set must"
        " be able to use each of them. `identity` is the function that does nothing.",
        _space("y = x -> conv(3, 16) -> bn -> {relu, false}"),
        _space("y = x -> conv(3, 16) -> bn -> {relu, identity}"),
    ),
    "E0314": Code(
        "guard that depends on a decision",
        "The guard of an alternative, `when`, tells whether the alternative exists in a place of the network at all. It"
        " must be known before the search, from constants and from constant columns of the table's row.",
        _table("| block | width | stride |", "| layer | 16    | {1, 2} |", before=_SKIP % " when stride == 1"),
        _table("| block | width | stride |", "| layer | 16    | 2      |", before=_SKIP % " when stride == 1"),
    ),
    "E0315": Code(
        "choice without alternatives",
        "The guards of all alternatives are false in this place of the network, so there is nothing to choose. Add an"
        " alternative without a guard.",
        _table(
            "| block | stride |",
            "| layer | 2      |",
            before="choice layer {\n  wide:   conv(5, 16) when stride == 1\n  narrow: conv(3, 16) when stride == 1\n}",
        ),
        _table(
            "| block | stride |",
            "| layer | 2      |",
            before="choice layer {\n  wide:   conv(5, 16) when stride == 1\n  narrow: conv(3, 16)\n}",
        ),
    ),
    "E0316": Code(
        "attribute computed from decisions",
        "A kernel, a stride or a flag is fixed in each network, so the search keeps one op for each option of one set."
        " A value computed from sets has no such list of options: put the options themselves into a set. Widths have no"
        " such limit.",
        _space("let extra = {0, 2}", "y = x -> conv(3 + extra, 16) -> bn -> relu"),
        _space("let kernel = {3, 5}", "y = x -> conv(kernel, 16) -> bn -> relu"),
    ),
    "E0317": Code(
        "definition that uses itself",
        "A block, a choice or a let that uses itself, directly or through others, would make an endless network."
        " A table repeats a block as often as its `depth` says.",
        _space("y = x -> layer", before="block layer() {\n  return x -> conv(3, 16) -> bn -> layer\n}"),
        _table(
            "| block | depth |",
            "| layer | 4     |",
            before="block layer() {\n  return x -> conv(3, 16) -> bn\n}",
        ),
    ),
    "E0318": Code(
        "body without return",
        "The body of a block or a space ends with `return` and the tensor that it makes.",
        _space("y = x -> layer", before="block layer() {\n  z = x -> conv(3, 16) -> bn\n}"),
        _space("y = x -> layer", before="block layer() {\n  return x -> conv(3, 16) -> bn\n}"),
    ),
    "E0319": Code(
        "statement after return",
        "A body ends with its one `return`. A statement after it has no effect, so it is most likely in the wrong"
        " place.",
        _space("y = x -> layer", before="block layer() {\n  return x -> conv(3, 16)\n  z = x -> bn\n}"),
        _space("y = x -> layer", before="block layer() {\n  z = x -> bn\n  return z -> conv(3, 16)\n}"),
    ),
    "E0320": Code(
        "limit exceeded",
        "Something is larger than nasir takes on: a row may have 1,000 layers, a set 4,096 options, a flow in"
        " parentheses 10,000 steps, a space 50,000 nodes and 10,000 blocks, a value 2^31 numbers for one image, all"
        " weights together 10^10; imports may be 40 deep. The limits are far beyond published networks, and stop a"
        " slip of the keyboard from filling the memory.",
        _table("| block | kernel | width | depth |", "| conv  | 3      | 16    | 40000 |"),
        _table("| block | kernel | width | depth |", "| conv  | 3      | 16    | 4     |"),
    ),
    "E0321": Code(
        "unknown attribute of a tensor",
        "A tensor has `channels`, `height` and `width`. They may depend on decisions, and can be used as any other"
        " value.",
        _space("y = x -> conv(3, 4 * x.depth) -> bn -> relu"),
        _space("y = x -> conv(3, 4 * x.channels) -> bn -> relu"),
    ),
    "E0322": Code(
        "file without a space",
        "A file describes one space, the network or networks to be built. Only a file of nothing but blocks, choices"
        " and lets, for others to import, does without.",
        "search {\n  epochs = 30\n}\n",
        _section("search {\n  epochs = 30\n}"),
    ),
    "E0323": Code(
        "second space",
        "A file describes one space. Put each space into a file of its own, and the blocks that they share into a third"
        " file, from which both import.",
        _space(_LAYER, after="space tiny(classes = 10) {\n  return image(3, size=32) -> linear(classes)\n}"),
        _space(_LAYER),
    ),
    "E0324": Code(
        "not one image",
        "A space has exactly one `image`: the input of its networks. To use it in several places, bind it to a name.",
        _space("z = image(3, size=32) -> conv(1, 16)", "w = x -> conv(3, 16)", "y = w + z"),
        _space("z = x -> conv(1, 16)", "w = x -> conv(3, 16)", "y = w + z"),
    ),
    "E0325": Code(
        "parameter of a space without a default",
        "A space is built as it stands in its file, and nobody passes it arguments: each of its parameters needs a"
        " default. Parameters of blocks need none.",
        _space(_LAYER).replace("classes = 10", "classes"),
        _space(_LAYER),
    ),
    "E0330": Code(
        "table without a header",
        "The first row of a table names its columns: `block`, and `depth`, `stride` or parameters of the row's blocks."
        " Each further row is a group of layers.",
        _table("| conv  | 3      | 16    |", "| conv  | 3      | 32    |"),
        _table("| block | kernel | width |", "| conv  | 3      | 16    |", "| conv  | 3      | 32    |"),
    ),
    "E0326": Code(
        "one decision for different alternatives",
        "`let` makes a choice one decision for all its uses, each with weights of its own. Guards must then leave the"
        " same alternatives in every place. Where they differ, use the choice itself: each use of it decides anew.",
        _space(
            "y = x -> stages {",
            "  | block | stride |",
            "  | both  | 1      |",
            "  | both  | 2      |",
            "}",
            before=_TWO_LAYERS,
        ),
        _space(
            "y = x -> stages {",
            "  | block | stride |",
            "  | layer | 1      |",
            "  | layer | 2      |",
            "}",
            before=_TWO_LAYERS,
        ),
    ),
    "E0327": Code(
        "tensor as an argument",
        "An op of one tensor takes it from the arrow, `x -> conv(3, 8)`: its arguments are numbers and flags, and may"
        " come from a table's row. `concat`, `shortcut` and blocks of your own take tensors as arguments.",
        _space("y = conv(x, 3, 16)"),
        _space("y = x -> conv(3, 16)"),
    ),
    "E0331": Code(
        "row of another length",
        "Each row of a table has as many cells as the header has columns. Write `-` in a cell to pass nothing, so that"
        " the block's default holds.",
        _table("| block | kernel | width | stride |", "| conv  | 3      | 16    |"),
        _table("| block | kernel | width | stride |", "| conv  | 3      | 16    | -      |"),
    ),
    "E0332": Code(
        "table that cannot be run",
        "The table lacks something that it needs: a column `block` with a function in each row, at least one row below"
        " the header, and a `depth` that is a constant.",
        _table("| layer | kernel | width |", "| conv  | 3      | 16    |"),
        _table("| block | kernel | width |", "| conv  | 3      | 16    |"),
    ),
    "E0333": Code(
        "column that no block takes",
        "A cell passes its value to the parameter of the column's name, and no block of the row has that parameter: the"
        " value would be ignored. Write `-` in the cell, or mend the column's name.",
        _table("| block | kernel | width |", "| conv  | 3      | 16    |", "| bn    | -      | 16    |"),
        _table("| block | kernel | width |", "| conv  | 3      | 16    |", "| bn    | -      | -     |"),
    ),
    "E0334": Code(
        "table outside a tensor's flow",
        "The layers of a table are named after the flow that the table stands in, so that flow begins with a tensor and"
        " stands in a body. A table is no function: it cannot be bound with `let`, passed on, or be an alternative.",
        _space(
            "y = x -> trunk",
            before="let trunk = bn -> stages {\n  | block | kernel | width |\n  | conv  | 3      | 16    |\n}",
        ),
        _table("| block | kernel | width |", "| bn    | -      | -     |", "| conv  | 3      | 16    |"),
    ),
    "E0401": Code(
        "shapes that do not fit together",
        "`+` needs tensors of equal shape; `*` needs equal channels, and equal maps unless one is 1x1; `concat` needs"
        " equal maps. Sizes that are decided apart are not equal, even where their options are: share one `let`."
        " `shortcut(x, y)` is y, plus x for exactly those choices that make the shapes equal.",
        _space("z = x -> conv(3, 16) -> bn -> relu", "y = x + z"),
        _space("z = x -> conv(3, 16) -> bn -> relu", "y = shortcut(x, z)"),
    ),
    "E0402": Code(
        "map needed",
        "Convolutions and pooling work on feature maps, with a height and a width. A `linear` layer makes a flat"
        " vector, which has neither, and no op makes a map of it again: put the op before the `linear` layer.",
        _space("z = x -> global_avg_pool -> linear(64)", "y = z -> conv(1, 64) -> relu"),
        _space("z = x -> global_avg_pool -> conv(1, 64)", "y = z -> conv(1, 64) -> relu"),
    ),
    "E0403": Code(
        "linear layer on a map",
        "`linear` takes a vector or a 1x1 map. To flatten a larger map would tie the weights to the image's size, so it"
        " does not happen silently: pool first.",
        _space(_LAYER).replace(" -> global_avg_pool", ""),
        _space(_LAYER),
    ),
    "E0404": Code(
        "alternatives with different maps",
        "While searching, a choice is the weighted sum of its alternatives, and maps of different sizes cannot be"
        " added. (Widths may differ: narrower ones are padded.) Give each alternative the same stride, or guard those"
        " that cannot change the size.",
        _table("| block | width | stride |", "| layer | 16    | 2      |", before=_SKIP % ""),
        _table("| block | width | stride |", "| layer | 16    | 2      |", before=_SKIP % " when stride == 1"),
    ),
    "E0405": Code(
        "alternatives with concatenated channels",
        "While searching, narrower alternatives are padded to the widest. The channels of a `concat` come in segments,"
        " which cannot be padded as one. Let the alternatives have the same channels, or end the one that concatenates"
        " with a `conv`, which makes one segment of them.",
        _space("y = x -> layer", before=_BRANCHES % ""),
        _space("y = x -> layer", before=_BRANCHES % " -> conv(1, 16)"),
    ),
    "E0406": Code(
        "decisions tied together too tightly",
        "Sizes are random variables while searching, and their distributions are computed exactly. This size depends on"
        " so many combinations of decisions that the table of their probabilities grows too long. Tie fewer decisions"
        " together, or give them fewer options.",
        _space(
            "let a = 1..600 by 1",
            "let b = 1..600 by 1",
            "y = x -> conv(3, a + b) -> bn -> relu",
        ),
        _space(
            "let a = 50..600 by 50",
            "let b = 50..600 by 50",
            "y = x -> conv(3, a + b) -> bn -> relu",
        ),
    ),
    "E0407": Code(
        "undecided image",
        "An image has a constant number of channels, for the data have one. Its size may be a set: a search over the"
        " input's resolution.",
        "space sizes(classes = 10) {\n"
        "  x = image({1, 3}, size=64)\n"
        "  return x -> conv(3, 8) -> global_avg_pool -> linear(classes)\n"
        "}\n",
        "space sizes(classes = 10) {\n"
        "  x = image(3, size={32, 64})\n"
        "  return x -> conv(3, 8) -> global_avg_pool -> linear(classes)\n"
        "}\n",
    ),
    "E0408": Code(
        "groups that do not fit",
        "The groups of a convolution or a shuffle cut the channels into equal parts, so they divide their number, and"
        " the channels must be decided: what a group of an undecided width is has no one meaning.",
        _space("y = x -> conv(3, {8, 16}) -> conv(1, 16, groups=2) -> bn -> relu"),
        _space("y = x -> conv(3, 16) -> conv(1, 16, groups=2) -> bn -> relu"),
    ),
    "E0501": Code(
        "section given twice",
        "A file has at most one `objective`, one `search` and one `train` section. Join the two.",
        _section("search {\n  epochs = 30\n}\nsearch {\n  batch = 64\n}"),
        _section("search {\n  epochs = 30\n  batch  = 64\n}"),
    ),
    "E0502": Code(
        "unknown setting",
        "The section has no setting of this name. Misspelt settings are mistakes, as they would otherwise be ignored.",
        _section("search {\n  epoch = 30\n}"),
        _section("search {\n  epochs = 30\n}"),
    ),
    "E0503": Code(
        "setting out of range",
        "The setting's value is not one that it can have; the message says which it can. `temperature` may be a formula"
        " of `epoch` and `epochs`, and must be above 0 in every epoch, for a softmax divides by it.",
        _section("search {\n  epochs = 30\n  split  = 80\n}"),
        _section("search {\n  epochs = 30\n  split  = 0.8\n}"),
    ),
    "E0504": Code(
        "objective of another form",
        "The objective is `cross_entropy`, plus costs times numbers (`cross_entropy + 0.1 * macs / 1M`) or times powers"
        " of costs over their targets (`cross_entropy * (macs / 60M) ^ 0.6`). Each constraint is one cost, `<=` and a"
        " bound above 0, or a percentage of the largest network's (`macs <= 60%`).",
        _section("objective {\n  minimize cross_entropy\n  subject to 60M >= macs\n}"),
        _section("objective {\n  minimize cross_entropy\n  subject to macs <= 60M\n}"),
    ),
    "E0505": Code(
        "ambiguous cost",
        "Papers of this field say FLOPs and mean multiply-adds; torch's counter and others report two operations for"
        " each. A bound that is off by a factor of two goes unnoticed, so the cost is called `macs` here.",
        _section("objective {\n  minimize cross_entropy\n  subject to flops <= 60M\n}"),
        _section("objective {\n  minimize cross_entropy\n  subject to macs <= 60M\n}"),
    ),
    "E0506": Code(
        "malformed --set",
        "`--set` changes one setting of the file for this run. It takes the setting's name, `=` and a value, written as"
        " in the file; settings of training have `train.` before their name.",
        "nasir search digits --set train.epochs:30",
        "nasir search digits --set train.epochs=30",
    ),
    "E0507": Code(
        "bound that cannot be kept",
        "No network of the space is as cheap as the objective's bound demands, or none was found that keeps all bounds"
        " together. Raise the bound, or add smaller options to the space. `nasir info FILE` shows the least cost.",
    ),
    "E0601": Code(
        "unknown decision",
        "`--choose`, or a file of choices, names a decision that the space does not have. `nasir info FILE` lists"
        " them.",
        "nasir build digits --largest --choose trunk.0.widht=16",
        "nasir build digits --largest --choose trunk.0.width=16",
    ),
    "E0602": Code(
        "value that is no option",
        "A decision takes one of the options that stand in its set or its choice, written as in the file.",
        "nasir build digits --largest --choose trunk.0.width=17",
        "nasir build digits --largest --choose trunk.0.width=16",
    ),
    "E0603": Code(
        "incomplete choices",
        "A network needs a choice for each decision of its space. Name them all, or take the rest from another network"
        " with `--largest`, `--smallest`, `--sample SEED` or `--run RUN`.",
        "nasir build digits --choose trunk.0.width=16",
        "nasir build digits --largest --choose trunk.0.width=16",
    ),
    "E0604": Code(
        "decisions left open",
        "A module can be emitted, and trained from scratch, for one network only, and this file still has sets or"
        " choices. Choose a network with an option, or search for one.",
        "nasir build digits",
        "nasir build digits --largest",
    ),
    "E0605": Code(
        "nothing to search",
        "The file describes one network: no set and no choice is left in it. Train it with `nasir train`.",
        "nasir derive digits --largest -o arch.nas\nnasir search arch.nas",
        "nasir derive digits --largest -o arch.nas\nnasir train arch.nas",
    ),
    "E0606": Code(
        "options that exclude each other",
        "`--largest`, `--smallest`, `--sample`, `--choices` and `--run` each choose a whole network, so at most one of"
        " them can be given. `--choose` changes single decisions of it.",
        "nasir build digits --largest --smallest",
        "nasir build digits --largest",
    ),
    "E0607": Code(
        "--choose or --with without a value",
        "`--choose` takes the name of a decision, `=` and an option; `--with` a parameter, `=` and a value.",
        "nasir build digits --largest --choose trunk.0.width",
        "nasir build digits --largest --choose trunk.0.width=16",
    ),
    "E0608": Code(
        "network that cannot be written out",
        "A derived network is written in the language, each block that decided something as a copy of its own, then"
        " compiled again and compared. Here the text is not the network, which is a fault of nasir's: please report the"
        " program. `nasir build` emits the network all the same.",
    ),
    "E0609": Code(
        "unknown code",
        "Codes are an E and four digits, as they stand in a message. `nasir explain` alone lists them.",
        "nasir explain E9999",
        "nasir explain E0201",
    ),
    "E0610": Code(
        "unknown pass",
        "`--after` takes the name of a pass that runs on the way asked for: place-masks runs only without choices,"
        " specialise and flatten-scopes only with them.",
        "nasir ir digits --after shapes",
        "nasir ir digits --after infer-shapes",
    ),
    "E0611": Code(
        "unknown parameter of a space",
        "`--with` takes a parameter of the space, `=` and a value as the file would write it, in place of the default:"
        " one expression. The run's own copy of the space has the value in it.",
        "nasir info digits --with clases=7",
        "nasir info digits --with classes=7",
    ),
    "E0701": Code(
        "no such file",
        "There is neither a file of this path nor a space of this name in nasir's library.",
        "nasir info digts",
        "nasir info digits",
    ),
    "E0702": Code(
        "unreadable file",
        "The file cannot be opened, or does not hold what it should: UTF-8 text for a program, a JSON object with an"
        " option for each decision for choices.",
        "nasir build digits --choices digits.json",
        "nasir build digits --choices runs/digits/choices.json",
    ),
    "E0703": Code(
        "emitted file that cannot be run",
        "The Python file raises an error when it is imported, or defines no torch.nn.Module. Emit it again with"
        " `nasir build` if it was changed since.",
    ),
    "E0801": Code(
        "unknown or missing data set",
        "`--data` names a data set that nasir does not know, a folder that is not there or has not the images of two"
        " classes at least, or one that needs a package which is not installed. The digits come with scikit-learn:"
        " `pip install 'nasir[digits]'`; `idx:DIR` reads train-images-idx3-ubyte and its three companions, plain or"
        " `.gz`; `folder:DIR` reads DIR/CLASS/* or DIR/train/CLASS/* and DIR/val/CLASS/*.",
        "nasir search digits --data mnist",
        "nasir search digits --data digits",
    ),
    "E0802": Code(
        "data that does not fit the space",
        "The space's `image` has not the channels of the data's images, or its output has not one value for each class."
        " Change the `image` and the last `linear` of the file. Sizes need not agree: images are resized.",
    ),
    "E0803": Code(
        "empty part of the training data",
        "The search divides the training images in two, one part for the weights and one for the architecture. Each"
        " needs at least two images, for batch statistics.",
        "nasir search digits --set split=0.9999",
        "nasir search digits --set split=0.8",
    ),
    "E0804": Code(
        "loss that is no number",
        "The loss became infinite or undefined, so further steps would mean nothing. Nearly always the learning rate is"
        " too high.",
        'nasir search digits --set "weights=sgd(lr=1000)"',
        'nasir search digits --set "weights=sgd(lr=0.1)"',
    ),
    "E0805": Code(
        "image that cannot be read",
        "A file of the data is no image, or is cut off. Nothing is trained on less data than you asked for: replace the"
        " file, or take it away. `--skip-broken` leaves such image files out, and counts them.",
    ),
    "E0806": Code(
        "data set of your own that does not do",
        "`python:module:function` calls the function, which returns a training and a test set, each of `(image, label)`"
        " by index: the image a float tensor [C, H, W], the label a whole number from 0, each class with images. The"
        " message says what your code raised or returned instead.",
        "nasir search digits --data python:my_data",
        "nasir search digits --data python:my_data:load",
    ),
    "E0901": Code(
        "run folder that cannot be used",
        "The folder holds a run already, which is not replaced unless you ask for it; or one with another space, seed,"
        " data set or settings than you resume it with; or none, where one is to be repeated or reported; or it cannot"
        " be made. `--overwrite` starts again, `--resume` goes on, `--out` takes another folder.",
        "nasir search --from runs/none",
        "nasir search digits --out runs/new",
    ),
    "E0902": Code(
        "damaged checkpoint",
        "The checkpoint is not as it was written, or was written for another space. Take the file away, and `--resume`"
        " goes on from the one before it; or start the run again with `--overwrite`.",
    ),
    "E0903": Code(
        "file that cannot be written",
        "The folder is missing, is not yours to write to, or the disk is full. Nothing was changed: outputs appear"
        " whole or not at all.",
        "nasir build digits --largest -o missing/model.py",
        "nasir build digits --largest -o model.py",
    ),
    "E0904": Code(
        "unknown device",
        "torch knows no such device on this machine. `auto` takes the GPU where there is one. `--sync-bn` needs GPUs.",
        "nasir search digits --device gpu",
        "nasir search digits --device auto",
    ),
    "E0905": Code(
        "run folder in use",
        "Another process is writing a run into the folder. Two would destroy each other's files. Wait for the other, or"
        " take another folder with `--out`.",
    ),
    "E0906": Code(
        "TensorBoard is missing",
        "`--tensorboard` writes events with the tensorboard package, which is an extra: `pip install"
        " 'nasir[tensorboard]'`. metrics.jsonl and report.html hold the same figures without it.",
    ),
    "E0907": Code(
        "network that cannot predict",
        "`nasir predict` takes a finished run, or an emitted file with model.safetensors and deploy.json beside it. The"
        " weights must be that network's, and deploy.json must say how its images were prepared. Where a"
        " `python:` module prepared them, only that module knows how.",
    ),
    "E0910": Code(
        "fault of nasir",
        "Something happened that no input should make happen. Among the checks: each emitted module is run once before"
        " it is written, and must give the shape, the multiply-adds and the parameters of the network. Please report it"
        " with the command and the program; `NASIR_TRACEBACK=1` shows where it happened.",
    ),
    "W0201": Code(
        "name that nothing uses",
        "A statement binds a name that nothing reads. What it makes is no part of the network, and decisions in it"
        " decide nothing. Most often the next line meant this name and has another.",
        _space("z = x -> conv(3, 16, stride=2) -> bn", "y = x -> conv(3, 16, stride=2) -> relu"),
        _space("z = x -> conv(3, 16, stride=2) -> bn", "y = z -> relu"),
    ),
    "W0202": Code(
        "decision that changes nothing",
        "No network of the space depends on this decision: what it decides is not used, or is the same for every"
        " option. A search would spend its gradient on nothing.",
        _space("let width = {8, 16}", "y = x -> conv(3, min(width, 8), stride=2) -> bn"),
        _space("let width = {8, 16}", "y = x -> conv(3, width, stride=2) -> bn"),
    ),
    "W0401": Code(
        "output that no training can use",
        "`nasir search` and `nasir train` tell classes apart: the space returns a vector of decided width, or a 1x1"
        " map. In a loop of your own any output will do.",
        _NO_CLASSES % "x -> conv(3, 10)",
        _NO_CLASSES % "x -> conv(3, 10) -> global_avg_pool",
    ),
}
