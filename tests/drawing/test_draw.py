"""The picture: well-formed, true to the graph, the same bytes each time."""

import xml.etree.ElementTree as ET

import pytest

import nasir
from nasir.drawing import draw
from nasir.drawing.layers import layers
from tests.conftest import each_space, load_small

SVG = "{http://www.w3.org/2000/svg}"


@each_space
def test_every_space_has_a_picture_that_parses(path):
    space = load_small(path)
    for graph in (space.graph, space.at(space.sample(0)).graph):
        picture = draw(graph)
        assert ET.fromstring(picture).tag == f"{SVG}svg"
        assert picture == draw(graph)


def test_layers_of_f4_are_those_of_the_paper_s_figure():
    found = {layer.name: layer for layer in layers(nasir.load("zoo/fbnetv2_f4").graph)}
    assert len(found) == 19
    assert found["trunk.10"].skip == "all"
    assert found["trunk.15"].kernels == (3,)
    assert found["trunk.15"].expansion == pytest.approx((624 / 112, 624 / 112))
    assert (found["trunk.15"].attention, found["trunk.15"].activations) == ("all", ("hswish",))
    assert found["trunk.0"].attention == ""
    assert found["trunk.4"].activations == ("relu",)


def test_a_space_shows_its_ranges():
    layer = layers(nasir.load("digits").graph)[0]
    assert layer.kernels == (3, 5)
    assert layer.expansion == (1.0, 3.0)
    assert (layer.skip, layer.attention, layer.widths) == ("some", "some", "8-24")


def test_text_of_a_program_is_escaped():
    from dataclasses import replace

    picture = draw(replace(nasir.load("digits").graph, name="<script>&"))
    assert "<script>" not in picture
    ET.fromstring(picture)
