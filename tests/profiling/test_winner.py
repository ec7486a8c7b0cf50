"""A search's network measured in a real runtime, where that is the device file's."""

import json

import pytest
from typer.testing import CliRunner

import nasir
from nasir.cli.main import app
from nasir.cost.profile import read_profile
from nasir.profiling import winner
from nasir.profiling.winner import measured_winner

SPACE = """space small(classes = 2) {
  x = image(1, size=8)
  return x -> conv(3, {4, 8}) -> bn -> relu -> global_avg_pool -> linear(classes)
}
"""
BOUND = """
objective {
  minimize cross_entropy
  subject to latency("here.json", median) <= 1s
}
"""


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    folder = tmp_path_factory.mktemp("winner")
    path, table = folder / "small.nas", folder / "here.json"
    path.write_text(SPACE)
    made = CliRunner().invoke(app, ["profile", str(path), "--runtime", "torch", "--networks", "2", "-o", str(table)])
    assert made.exit_code == 0, made.output
    path.write_text(SPACE + BOUND)
    space = nasir.load(path)
    return space.at(space.largest()), table


def test_it_is_measured_among_copies_and_alone(network):
    (found,) = measured_winner(network[0])
    assert found.why == ""
    assert found.file == "here.json"
    assert found.measured is not None
    assert found.alone is not None
    assert 0 < found.alone < 1_000_000
    assert 0 < found.measured < 1_000_000
    assert found.predicted <= found.within


def test_copies_keep_small_weights_out_of_the_caches(network, monkeypatch):
    counts, wholes = [], winner.wholes

    def counted(space, profile, runtime, networks, batch, draw):
        counts.append(len(networks))
        return wholes(space, profile, runtime, networks, batch, draw)

    monkeypatch.setattr(winner, "wholes", counted)
    measured_winner(network[0])
    assert counts == [30, 1]


def test_figures_of_another_machine_are_not_taken_for_its(network):
    _, table = network
    told = json.loads(table.read_text())
    for key, value, why in (
        ("processor", "another one", "this machine is another"),
        ("runtime", "a phone's", "its runtime is none that is measured here"),
        ("backend", "npu", "its runtime is none that is measured here"),
    ):
        table.write_text(json.dumps({**told, key: value}))
        changed = nasir.load(table.with_name("small.nas"))
        (found,) = measured_winner(changed.at(changed.largest()))
        assert (found.measured, found.alone, found.why) == (None, None, why)
    table.write_text(json.dumps(told))
    assert read_profile(table).conditions["runtime"] == "torch"
