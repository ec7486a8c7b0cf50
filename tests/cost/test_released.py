"""The released networks, to the last multiply-add and weight.

Numbers: facebookresearch/mobile-vision, model_info of fbnet_v2 and fbnet (weights, operations with pooling); the
totals of multiply-adds alone and of all parameters follow from the same definitions.
"""

import pytest

import nasir

# published_params, published_macs; macs, params
FBNETV2 = {
    "f0": (2_811_448, 66_554_112, 66_280_000, 2_822_368),
    "f1": (5_999_408, 56_410_560, 56_231_936, 6_024_744),
    "f2": (5_999_408, 85_441_392, 85_163_192, 6_024_744),
    "f3": (6_899_504, 121_824_000, 121_423_712, 6_924_840),
    "f4": (6_994_824, 238_351_984, 237_605_592, 7_022_880),
    "l1": (8_496_520, 326_023_008, 325_025_344, 8_538_792),
    "l2": (8_496_520, 423_912_768, 422_610_304, 8_538_792),
}
FBNET = {
    "a": (4_270_288, 244_526_360),
    "b": (4_766_672, 291_101_640),
    "c": (5_525_424, 378_233_440),
}
NAMES = ("published_params", "published_macs", "macs", "params")


@pytest.mark.parametrize("name", FBNETV2)
def test_fbnetv2(name, emitted):
    network = nasir.load(f"zoo/fbnetv2_{name}")
    assert tuple(network.costs.at({}, NAMES).values()) == FBNETV2[name]
    assert sum(p.numel() for p in emitted(network).parameters()) == FBNETV2[name][3]


@pytest.mark.parametrize("name", FBNET)
def test_fbnet(name):
    network = nasir.load(f"zoo/fbnet_{name}")
    assert tuple(network.costs.at({}, NAMES[:2]).values()) == FBNET[name]


# Each layer's trainable parameters, in order, from the stem to the last searched row.
F1 = [240, 296, 2976, 8672, 19296, 23992, 14936, 29112, 77944, 4640, 132008, 39080, 158624, 617056, 808024, 32704]
F4_SKIP = [19304, 0, 58128]


def test_layers_of_f1_and_the_identity_of_f4():
    from nasir.cost.table import layer_rows

    rows = layer_rows(nasir.load("zoo/fbnetv2_f1").costs)
    assert [row.costs["params"] for row in rows][:16] == F1
    assert [row.costs["params"] for row in rows][16:] == [2_454_144, 1_601_000]
    rows = layer_rows(nasir.load("zoo/fbnetv2_f4").costs)
    assert [row.costs["params"] for row in rows][10:13] == F4_SKIP
