"""A space's parameters from outside: `--with` and keywords of `nasir.load`."""

import numpy as np
import pytest
import torch

import nasir
from nasir.diagnostics import Source
from nasir.lang.parameters import with_parameters
from tests.spaces import TINY


def codes(path, **parameters):
    with pytest.raises(nasir.CompileError) as caught:
        nasir.load(path, **parameters)
    return [d.code for d in caught.value.diagnostics]


@pytest.fixture
def tiny(tmp_path):
    path = tmp_path / "tiny.nas"
    path.write_text(
        TINY.replace("tiny(classes = 10) {", "tiny(classes = 10, size = 8) {  # ten digits").replace(
            "size=8)", "size=size)"
        )
    )
    return path


def test_the_space_is_the_one_with_other_defaults(tiny, tmp_path):
    space = nasir.load(tiny, classes=7, size=(6, 8))
    assert "space tiny(classes = 7, size = {6, 8}) {  # ten digits" in space.source.text
    again = tmp_path / "again.nas"
    again.write_text(space.source.text)
    assert nasir.load(again).graph == space.graph
    assert nasir.load(tiny, size="8 / 2").source.text.count("size = 8 / 2") == 1


def test_a_parameter_without_a_default_gets_one():
    text = "space s(classes) { return image(3, size=8) -> global_avg_pool -> linear(classes) }"
    assert "s(classes = 3)" in with_parameters(Source("s.nas", text), {"classes": "3"}).text


@pytest.mark.parametrize(
    "value", ["3 let y = 3", "3 }", "", "3, size = 9", "3 space t() { }", "3\nlet y = 3", "3) { return x } #"]
)
def test_a_value_is_one_expression_and_cannot_be_more(tiny, value):
    found = codes(tiny, classes=value)
    assert set(found) <= {"E0101", "E0102", "E0103", "E0611"}
    assert found


def test_a_comment_after_a_value_does_not_swallow_the_program(tiny):
    assert "classes = 3, size = 8)" in nasir.load(tiny, classes="3 # and no more").source.text


def test_an_unknown_parameter_is_said(tiny):
    assert codes(tiny, clases=3, sizes=3) == ["E0611", "E0611"]


def test_a_default_in_parentheses_is_replaced_whole():
    text = "space s(a = ( 1 + 2 ), b = (8)) { return image(b, size=8) -> global_avg_pool -> linear(a) }"
    changed = with_parameters(Source("s.nas", text), {"a": "4", "b": "1"}).text
    assert changed.startswith("space s(a = 4, b = 1) {")


def test_python_values_are_written_as_the_language_has_them(tiny):
    assert "size = {6, 8})" in nasir.load(tiny, size=range(6, 9, 2)).source.text
    assert "size = 8.0" in codes_text(tiny, size=np.float64(8))
    for value in (np.int64(6), torch.tensor(6), np.array(6)):
        assert "size = 6)" in nasir.load(tiny, size=value).source.text
    for value in (None, np.ones(2), {1: 2}):
        with pytest.raises(TypeError, match="a number, a text or a tuple"):
            nasir.load(tiny, size=value)


def codes_text(path, **parameters):
    with pytest.raises(nasir.CompileError) as caught:
        nasir.load(path, **parameters)
    return caught.value.diagnostics[0].span.source.text
