"""What a run says of its network."""

from nasir.runs.summary import SHARED, by_layer, undecided


def test_decisions_are_told_with_the_layer_that_they_are_within():
    chosen = {"stem.width": "8", "trunk.0.c1.kernel": "5", "trunk.0.block": "b", "trunk.0.width": "16", "w": "4"}
    assert by_layer(chosen, ["stem", "trunk.0", "trunk.1"]) == {
        "stem": "width 8",
        "trunk.0": "b, c1.kernel 5, width 16",
        SHARED: "w 4",
    }


def test_advice_tells_of_what_landing_moved_where_it_moved_any():
    assert "not the likeliest one in 2 of 3 decisions" in undecided(0.9, 2, 3)
    assert "likeliest" not in undecided(0.9, 0, 1)
    assert undecided(0.05, 0, 3) == undecided(None, 0, 3) == ""
