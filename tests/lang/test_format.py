"""The one layout: what it looks like, and that it changes nothing but looks."""

import re

import pytest

import nasir
from nasir import resources
from nasir.diagnostics import CompileError, Source
from nasir.lang import reformat
from nasir.lang.format import print_file
from nasir.lang.parser import parse
from nasir.lang.reformat import formatted
from tests.conftest import all_spaces, each_space
from tests.layouts import assert_layout_keeps, mangled
from tests.programs import program


def laid_out(text: str) -> str:
    return formatted(Source("net.nas", text)).text


@pytest.mark.parametrize("first", range(0, 150, 25))
def test_a_layout_changes_neither_tree_nor_comments_nor_itself(first):
    for seed in range(first, first + 25):
        assert_layout_keeps(mangled(program(seed), seed))


@pytest.mark.parametrize("path", all_spaces(), ids=lambda p: p.stem)
def test_nor_does_it_of_the_spaces_in_other_layouts(path):
    for seed in range(3):
        assert_layout_keeps(mangled(path.read_text(encoding="utf-8"), seed))


@each_space
def test_derived_programs_are_in_the_layout(path):
    space = nasir.load(path)
    arch = space.derived(space.sample(0))
    assert laid_out(arch) == arch


COMMENTS = """\
# The head.


from "lib/mobile.nas" import ir   # behind an import
from "lib/mbconv.nas" import mbconv
# of what follows
choice c { a: ir(8)   # behind an alternative
  # above it
  longer: (conv(3, 8)->bn) when stride==1 }
## Says what it is.
block b(width, # the width
  act=relu) { # behind a bracket

  y=x->stages { # of the table
    # above the header
    |block|width|
    # between rows
    |c|width|  # behind a row

    |ir|let {8,16}|
    # the last of the table
  }->act # behind a statement


  # above a statement
  first,second=y->split(2)
  return first
  # before the end
}
search { epochs=4 # few

  weights=sgd(lr=0.1) }
train {
}
# The end.
"""
COMMENTS_LAID_OUT = """\
# The head.

from "lib/mobile.nas" import ir  # behind an import
from "lib/mbconv.nas" import mbconv

# of what follows
choice c {
  a:      ir(8)  # behind an alternative
  # above it
  longer: (conv(3, 8) -> bn)  when stride == 1
}

## Says what it is.
block b(
  width,  # the width
  act = relu
) {  # behind a bracket
  y             = x -> stages {  # of the table
    # above the header
    | block | width       |
    # between rows
    | c     | width       |  # behind a row

    | ir    | let {8, 16} |
    # the last of the table
  } -> act  # behind a statement

  # above a statement
  first, second = y -> split(2)
  return first
  # before the end
}

search {
  epochs  = 4  # few

  weights = sgd(lr=0.1)
}

train {}
# The end.
"""


def test_comments_stay_where_they_stand():
    assert laid_out(COMMENTS) == COMMENTS_LAID_OUT
    assert_layout_keeps(COMMENTS)


LONG = """\
block b(first_of_the_parameters = 1, the_second = {relu, hswish}, a_third = 8..16 by 4, the_fourth = 2) {
  flow  = x -> conv(3, 16, stride=2) -> bn -> relu -> conv(3, 32, stride=2) -> bn -> relu -> conv(1, 64) -> bn -> relu
  call  = concat(x -> conv(3, 16) -> bn, x -> conv(5, 16) -> bn -> relu, x -> max_pool(3), x -> conv(1, 16) -> bn)
  words = concat(x, flow, call, another_of_the_tensors, and_another_one, and_one_more_of_them, and_the_last_one)
  sum   = (x -> conv(3, 16) -> bn -> relu -> conv(1, 16) -> bn) + flow * 3 - (x -> conv(5, 16) -> bn -> relu -> bn)
  inner = x -> shortcut(x, x -> conv(3, 16, stride=2) -> bn -> relu -> conv(3, 32, stride=2) -> bn -> relu, last=true)
  guard = x -> (conv(1, first_of_the_parameters) -> bn -> the_second) when a_third != x.channels or the_fourth > 100
  long  = x -> pick(2, x -> conv(3, 16) -> bn -> relu -> conv(1, 16) -> bn, (x -> stages { | block |
    | bn | }) + x)
  return { one: x -> conv(3, 16) -> bn -> global_avg_pool -> linear(10), two: flow -> global_avg_pool -> linear(10) }
}
choice c { long: conv(3, 16, stride=2) -> bn -> relu -> conv(3, 32, stride=2) -> bn -> relu -> conv(1, 64) -> bn -> relu
  two: conv(3, first_of_the_parameters, stride=stride) when stride == 1 and first_of_the_parameters > the_fourth }
objective { minimize cross_entropy
  subject to macs <= 60%, params <= 40K, activations <= 40M, macs(exact) <= 12M, another_cost <= 5 * 10, last <= 1 }
"""
LONG_LAID_OUT = """\
block b(
  first_of_the_parameters = 1, the_second = {relu, hswish}, a_third = 8..16 by 4, the_fourth = 2
) {
  flow  = x -> conv(3, 16, stride=2) -> bn -> relu -> conv(3, 32, stride=2) -> bn -> relu
          -> conv(1, 64) -> bn -> relu
  call  = concat(
    x -> conv(3, 16) -> bn,
    x -> conv(5, 16) -> bn -> relu,
    x -> max_pool(3),
    x -> conv(1, 16) -> bn
  )
  words = concat(
    x, flow, call, another_of_the_tensors, and_another_one, and_one_more_of_them, and_the_last_one
  )
  sum   = (x -> conv(3, 16) -> bn -> relu -> conv(1, 16) -> bn) + flow * 3
          - (x -> conv(5, 16) -> bn -> relu -> bn)
  inner = x -> shortcut(
    x,
    x -> conv(3, 16, stride=2) -> bn -> relu -> conv(3, 32, stride=2) -> bn -> relu,
    last=true
  )
  guard = x -> (conv(1, first_of_the_parameters) -> bn -> the_second)
               when a_third != x.channels or the_fourth > 100
  long  = x -> pick(
    2,
    x -> conv(3, 16) -> bn -> relu -> conv(1, 16) -> bn,
    (x -> stages {
      | block |
      | bn    |
    }) + x
  )
  return {
    one: x -> conv(3, 16) -> bn -> global_avg_pool -> linear(10),
    two: flow -> global_avg_pool -> linear(10)
  }
}

choice c {
  long: conv(3, 16, stride=2) -> bn -> relu -> conv(3, 32, stride=2) -> bn -> relu -> conv(1, 64)
        -> bn -> relu
  two:  conv(3, first_of_the_parameters, stride=stride)
        when stride == 1 and first_of_the_parameters > the_fourth
}

objective {
  minimize cross_entropy
  subject to macs <= 60%, params <= 40K, activations <= 40M, macs(exact) <= 12M,
             another_cost <= 5 * 10, last <= 1
}
"""


def test_long_expressions_break_where_one_reads_on():
    assert laid_out(LONG) == LONG_LAID_OUT
    assert_layout_keeps(LONG)


def test_parentheses_and_commas_that_nothing_needs_go_and_those_that_do_stay():
    text = "let a = ((3) + (2 * (4)))\nlet b = (3 + 2) * 4\nlet c = f((x -> g), {(1), 2},)\nlet d = x -> (f -> g)\n"
    assert laid_out(text) == (
        "let a = 3 + 2 * 4\nlet b = (3 + 2) * 4\nlet c = f(x -> g, {1, 2})\nlet d = x -> (f -> g)\n"
    )
    assert_layout_keeps(text)


def test_comments_where_no_line_should_end_indent_what_goes_on():
    text = "block b(w) {\n  y = # why\n x -> bn # of that\n -> relu\n  # own\n -> act\n let # one\n z = 3 }\n"
    assert laid_out(text) == (
        "block b(w) {\n  y =  # why\n    x -> bn  # of that\n    -> relu\n    # own\n    -> act\n"
        "  let  # one\n    z = 3\n}\n"
    )
    assert_layout_keeps(text)


def test_a_guard_of_an_alternative_does_not_become_its_last_step_s():
    assert_layout_keeps("choice c { a: (conv(3, 8) -> bn) when stride == 1  b: conv(3, 8) -> bn when stride == 1 }")


BROKEN = """\
# The head.
from "lib/mobile.nas" import ir
block good() { return x->ir(8) }


block bad( {   # no name
    return   x
}
# of the next
let w={4,8}
space s() { x=image(3,size=8)
 return x->global_avg_pool->linear(w) }
"""
BROKEN_LAID_OUT = """\
# The head.
from "lib/mobile.nas" import ir

block good() {
  return x -> ir(8)
}

block bad( {   # no name
    return   x
}

# of the next
let w = {4, 8}

space s() {
  x = image(3, size=8)
  return x -> global_avg_pool -> linear(w)
}
"""


def test_items_that_do_not_parse_stay_as_they_are():
    result = formatted(Source("net.nas", BROKEN))
    assert [d.code for d in result.mistakes] == ["E0101"]
    assert result.text == BROKEN_LAID_OUT
    assert laid_out(result.text) == result.text


def test_every_kind_of_item_begins_a_part_of_its_own():
    grammar = (resources.folder("grammars") / "nas.lark").read_text(encoding="utf-8")
    kinds = re.findall(r"\w+", re.search(r"^\?item: (.*)$", grammar, re.MULTILINE)[1])
    words = {word for kind in kinds for word in re.findall(rf'^{kind}: "(\w+)"', grammar, re.MULTILINE)}
    words |= set(re.findall(r'^(?:SEARCH|TRAIN): "(\w+)"$', grammar, re.MULTILINE))
    assert len(words) >= 9
    assert all(reformat._ITEM.match(f"{word} more") for word in words)
    text = "block bad( {\n  return x\n}\n\nset   bn( eps=1e-3 )\n"
    assert laid_out(text).endswith("set bn(eps = 1e-3)\n")


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing else\n", "# one\n\n# two\n"])
def test_files_without_items(text):
    assert laid_out(text) == text.lstrip("\n")


def test_a_layout_that_would_change_the_meaning_is_refused(monkeypatch):
    other = parse(Source("other.nas", "let a = 4\n"))
    monkeypatch.setattr("nasir.lang.reformat.print_file", lambda tree, gaps: print_file(other))
    with pytest.raises(CompileError) as raised:
        laid_out("let a = 3\n")
    assert [d.code for d in raised.value.diagnostics] == ["E0910"]


NESTED = """
block unit(width) { return x -> conv({1, 3}, width) -> bn }
block within(f) { return (x -> f -> stages { | block | width |
  | unit | 8 | }) + x }
space nested(classes = 3) {
  x = image(2, size=8)
  a = (x -> stages { | block | width | depth |
    | unit | 8 | 2 | }) + (x -> conv(1, 8))
  b = concat(a, x -> stages { | block | width |
    | unit | {4, 8} | }) -> conv(1, 8) -> within(f=relu)
  return { one: b -> global_avg_pool -> linear(classes), two: b -> stages { | block | width |
    | unit | 8..16 by 8 | } -> global_avg_pool -> linear(classes) }
}
"""


def test_tables_within_expressions_are_written_out_in_derived_programs(compiled):
    space = compiled(NESTED)
    for seed in range(4):
        assert space.arch(space.sample(seed)).count("stages {") == 4
