"""Networks of the zoo are the published ones: parameters, multiply-adds, and outputs under weights by a formula.

`references.json` was recorded of the published implementations by `python -m benchmarks.references`; nothing here needs
them."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

import nasir
from nasir import resources
from tests.references import example, filled, told

RECORDED = json.loads(Path(__file__).with_name("references.json").read_text(encoding="utf-8"))
ZOO = {path.stem for path in (resources.folder("spaces") / "zoo").glob("*.nas")}
# Their layers and totals are published, and held by tests/cost/test_released.py.
BY_TOTALS = {f"fbnet_{name}" for name in "abc"} | {f"fbnetv2_{name}" for name in "f0 f1 f2 f3 f4 l1 l2".split()}

# Of these the rows are published, and no more.
BY_ROWS = {"chamnet_v1", "chamnet_v2"}


def test_every_program_of_the_zoo_is_held_to_what_was_published():
    assert ZOO - {reference["program"] for reference in RECORDED.values()} == BY_TOTALS | BY_ROWS


@pytest.mark.parametrize("name", [name for name, reference in RECORDED.items() if reference["program"] in ZOO])
def test_a_program_is_the_published_network(name, emitted):
    expected = RECORDED[name]
    network = nasir.load(f"zoo/{expected['program']}", **expected["with"])
    assert list(network.graph.input.shape.values()) == expected["input"]
    costs = network.costs.at({})
    assert (costs["params"], costs["macs"]) == (expected["parameters"], expected["macs"])
    found = told(emitted(network), expected["input"])
    assert (found["parameters"], found["macs"]) == (expected["parameters"], expected["macs"])
    assert [output["shape"] for output in found["outputs"]] == [output["shape"] for output in expected["outputs"]]
    for mine, theirs in zip(found["outputs"], expected["outputs"], strict=True):
        near = {"rtol": 0, "atol": 1e-8 * theirs["mean_abs"]}
        torch.testing.assert_close(mine["numbers"], theirs["numbers"], **near)
        for over_all in ("sum", "mean_abs"):
            torch.testing.assert_close(mine[over_all], theirs[over_all], **near)


class Scale(nn.Module):
    """A scale of its own for each of four numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(4))

    def forward(self, x):
        return x * self.gamma


class Scaled(Scale):
    """The same scale between two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(3, 4), nn.Linear(4, 2)

    def forward(self, x):
        return self.last(super().forward(self.first(x)))


def test_the_formula_does_not_depend_on_who_owns_a_bare_parameter():
    apart = nn.Sequential(nn.Linear(3, 4), Scale(), nn.Linear(4, 2))
    assert torch.equal(filled(apart.double(), example((3,))), filled(Scaled().double(), example((3,))))


def test_the_formula_reaches_every_part_or_says_so():
    network = Scaled().double()
    network.spare = nn.Linear(2, 2)
    with pytest.raises(ValueError, match="never called: spare"):
        filled(network, example((3,)))
