"""Objectives and settings as a file or a command line writes them."""

import math

import pytest

import nasir
from nasir.diagnostics import Source
from nasir.lang.format import print_file
from nasir.lang.objectives import Bound, Power
from nasir.lang.parser import parse
from nasir.lang.settings import Settings, override, with_bounds

NET = "space s() {\n  x = image(1, size=8)\n  return x -> conv(3, {8, 16}) -> global_avg_pool -> linear(10)\n}\n\n"


def objective(compiled, text):
    return compiled(NET + f"objective {{\n  minimize {text}\n}}\n").settings.objective


def test_the_three_forms_of_an_objective(compiled):
    additive = objective(compiled, "cross_entropy + 0.1 * macs / 1M + params / 1K subject to macs <= 60%, params <= 4M")
    assert dict(additive.weights) == {"macs": pytest.approx(1e-7), "params": pytest.approx(1e-3)}
    assert additive.bounds == (Bound("macs", 0.6, True), Bound("params", 4e6))
    product = objective(compiled, "cross_entropy * (macs / 60M) ^ 0.6 * (params / 1M) ^ 0.07")
    assert product.powers == (Power("macs", 60e6, 0.6), Power("params", 1e6, 0.07))
    both = objective(compiled, "(macs / 1M) ^ 2 * cross_entropy + params / 1M")
    assert both.powers == (Power("macs", 1e6, 2.0),)
    assert dict(both.weights) == {"params": pytest.approx(1e-6)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2 * cross_entropy", "once"),
        ("cross_entropy + cross_entropy", "once"),
        ("macs", "once"),
        ("cross_entropy * macs", "weighted sum"),
        ("cross_entropy * (60M / macs) ^ 2", "a cost over its target"),
        ("cross_entropy * macs ^ 2", "a cost over its target"),
        ("cross_entropy + (macs / 1M) ^ 2", "multiplies `cross_entropy` alone|once"),
        ("cross_entropy * (macs / 0) ^ 2", "a target is above 0"),
        ("cross_entropy * (macs / 1M) ^ 900", "at most 8"),
        ("cross_entropy * (macs / 1M) ^ -0.07", "above 0"),
        ("cross_entropy + (-0.1) * macs / 1M", "is below 0"),
        ("cross_entropy - 0.1 * macs / 1M", "weighted sum"),
        ("cross_entropy * (flops / 1M) ^ 2", "two different things"),
        ("cross_entropy subject to macs <= 0%", "above 0"),
        ("cross_entropy subject to macs <= 3M, macs <= 60%", "gives `macs` two bounds"),
    ],
)
def test_other_forms_are_diagnostics(compiled, text, message):
    with pytest.raises(nasir.CompileError, match=message):
        objective(compiled, text)


def test_powers_and_percentages_print_as_they_are_read():
    text = (
        "objective {\n  minimize cross_entropy * (macs / 60M) ^ 0.07\n  subject to macs <= 60%, params <= 4M\n}\n\n"
        "search {\n  temperature = 5 * 0.9 ^ epoch ^ 2 * (1 + epoch) ^ (2 + 1) - (-2) ^ 2 + 2 ^ -3\n}\n"
    )
    assert print_file(parse(Source("s.nas", text))) == text


def test_a_power_in_a_formula_groups_to_the_right():
    settings = override(Settings(), ["temperature=2 ^ 3 ^ 2 / 512 + 0.5 ^ epoch"])
    assert settings.search.temperature_at(1) == 1.5


def test_a_power_where_networks_are_described_is_a_diagnostic(compiled):
    with pytest.raises(nasir.CompileError, match=r"E0336: .*is for objectives"):
        compiled(NET.replace("{8, 16}", "2 ^ 4"))


def test_bounds_of_the_command_line_stand_in_for_the_file_s_on_the_same_cost(compiled):
    space = compiled(
        NET + "objective {\n  minimize cross_entropy + macs / 1M\n  subject to macs <= 1K, params <= 2K\n}\n"
    )
    changed = with_bounds(space.settings, ["macs <= 50%"]).objective
    assert changed.bounds == (Bound("macs", 0.5, True), Bound("params", 2000))
    assert changed.weights == space.settings.objective.weights
    for wrong in ("flops <= 3M", "macs >= 3M", "macs <= ", "macs <= 3M } search {", "3M"):
        with pytest.raises(nasir.CompileError) as caught:
            with_bounds(space.settings, [wrong])
        span = caught.value.diagnostics[0].span
        assert (span.source.name, span.source.text) == ("--bound", wrong)


def test_new_settings_are_read_and_checked():
    settings = override(Settings(), ["ema=0.99", "compile=aot_eager", "candidates=3", "train.precision=bfloat16"])
    assert (settings.search.ema, settings.search.compile, settings.search.candidates) == (0.99, "aot_eager", 3)
    assert settings.train.precision == "bfloat16"
    assert not math.isclose(settings.search.ema, settings.train.ema)
    for wrong in ("ema=1", "compile=yes", "candidates=0", "train.candidates=2", "train.ema=-1"):
        with pytest.raises(nasir.CompileError):
            override(Settings(), [wrong])


def test_settings_of_the_command_line_are_checked_together_not_in_their_order():
    for texts in (["epochs=3", "temperature=3.0 - epoch"], ["temperature=3.0 - epoch", "epochs=3"]):
        assert override(Settings(), texts).search.temperature_at(2) == 1.0
    with pytest.raises(nasir.CompileError, match=r"E0509: .*above 0 in every epoch"):
        override(Settings(), ["temperature=3.0 - epoch", "epochs=4"])


def test_two_bounds_on_one_cost_are_a_mistake():
    with pytest.raises(nasir.CompileError, match=r"E0513: .*two bounds"):
        with_bounds(Settings(), ["macs <= 10K", "macs <= 20K"])


@pytest.mark.parametrize(
    ("text", "code", "mark"),
    [
        ("epochs=3 batch=5", "E0101", "batch"),
        ("epochs=3 } train { batch=5", "E0101", "}"),
        ("train.epochs=", "E0103", "="),
        ("trian.epochs=3", "E0515", "trian"),
        ("train.epoch=3", "E0502", "epoch"),
    ],
)
def test_an_option_gives_one_setting_and_a_mistake_is_marked_in_its_own_text(text, code, mark):
    with pytest.raises(nasir.CompileError) as raised:
        override(Settings(), [text])
    (found,) = raised.value.diagnostics
    assert (found.code, found.span.source.text, found.span.text) == (code, text, mark)


@pytest.mark.parametrize("text", ["macs < 60M", "macs >= 60M", "", "macs <= \N{FULLWIDTH DIGIT SIX}0M"])
def test_what_is_no_bound(text):
    """A bound may be reached: `<` would say otherwise."""
    with pytest.raises(nasir.CompileError):
        with_bounds(Settings(), [text])
