"""Data of every form: vectors, signals, images that are not square, maps of targets, no targets at all."""

import struct

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import Dataset

import nasir
from nasir.data import Input, Target, batches, input_of, load_data
from nasir.data.forms import check_input
from nasir.data.memory import resized_targets
from tests.data.test_data import idx

DRAW = np.random.default_rng(0)


def table():
    """Ten numbers a row in float64, as numpy makes them, and classes."""
    return (DRAW.normal(size=(20, 10)), np.arange(20) % 3), (DRAW.normal(size=(6, 10)), np.arange(6) % 3)


def signals():
    return (torch.randn(12, 2, 30), torch.arange(12) % 2), (torch.randn(4, 2, 30), torch.arange(4) % 2)


def wide_images():
    return (torch.randn(12, 3, 6, 10), torch.arange(12) % 2), (torch.randn(4, 3, 6, 10), torch.arange(4) % 2)


def rows_alone():
    return torch.randn(12, 10), torch.randn(4, 10)


def numbers():
    return (torch.randn(12, 10), torch.randn(12)), (torch.randn(4, 10), torch.randn(4))


class Masks(Dataset):
    """Images with a map of classes, of which some pixels do not count; what is random in an item is in both."""

    classes = ["ground", "dot"]

    def __init__(self, size, label=1):
        self.size, self.label = size, label

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        image = torch.zeros(1, 6, 8)
        row = int(torch.randint(6, ()))
        image[0, row, index % 8] = 1
        mask = (image[0] * self.label).to(torch.uint8).long()
        mask[:, -1] = -100
        return image, mask


def masks():
    return Masks(12), Masks(4)


def far_masks():
    return Masks(12, label=7), Masks(4)


def other_tests():
    return Masks(12), [(torch.zeros(1, 6, 8), 0), (torch.zeros(1, 6, 8), 1)]


def unequal():
    return (torch.randn(12, 10), torch.arange(11)), (torch.randn(4, 10), torch.arange(4))


def infinite_targets():
    return (torch.randn(12, 10), torch.full((12, 3), torch.inf)), (torch.randn(4, 10), torch.zeros(4, 3))


def own(name, input=None):
    return load_data(f"python:{__name__}:{name}", input)


def first(data):
    return next(iter(batches(data.train, 4, 0, 0)))


@pytest.mark.parametrize(
    ("name", "shape"), [("table", (10,)), ("signals", (2, 30)), ("wide_images", (3, 6, 10)), ("rows_alone", (10,))]
)
def test_arrays_of_every_form_come_as_the_network_takes_them(name, shape):
    data = own(name, Input(shape[0], shape[1:]))
    inputs, targets = first(data)
    assert inputs.shape == (4, *shape)
    assert inputs.dtype == torch.float32
    if name == "rows_alone":
        assert data.target == Target((10,), whole=False, itself=True)
        assert torch.equal(inputs, targets)
    else:
        assert data.target.is_class
        assert targets.dtype == torch.int64
    assert own(name).kind in {"images", "vectors", "signals"}


def test_signals_are_resized_linearly_and_images_to_height_and_width():
    line = torch.arange(10.0).repeat(4, 1, 1)
    from nasir.data.memory import resized

    assert resized(line, (5,))[0, 0].tolist() == [0.5, 2.5, 4.5, 6.5, 8.5]
    assert first(own("signals", Input(2, (15,))))[0].shape == (4, 2, 15)
    assert first(own("wide_images", Input(3, (4, 12))))[0].shape == (4, 3, 4, 12)
    vectors = torch.randn(4, 3)
    assert torch.equal(resized(vectors, ()), vectors)


def test_maps_of_targets_are_resized_with_their_images_each_number_the_nearest():
    maps = torch.tensor([[[0, 1], [2, 3]]])
    assert resized_targets(maps, (2, 2), (4, 4))[0].tolist() == [[0, 0, 1, 1]] * 2 + [[2, 2, 3, 3]] * 2
    assert torch.equal(resized_targets(maps, (2, 2), (2, 2)), maps)
    assert torch.equal(resized_targets(torch.ones(1, 4), (2, 2), (4, 4)), torch.ones(1, 4))  # no map
    data = load_data("shapes", Input(1, (16, 16)))
    images, targets = first(data)
    assert images.shape == (4, 1, 16, 16)
    assert data.target.shape == targets.shape[1:] == (16, 16)


def test_an_item_s_image_and_its_map_are_made_together():
    data = own("masks", Input(1, (6, 8)))
    assert (data.target, data.names, data.classes) == (Target((6, 8)), ("ground", "dot"), 0)
    for epoch in range(3):
        images, targets = next(iter(batches(data.train, 12, 0, epoch)))
        counted = targets >= 0
        assert torch.equal(images[:, 0][counted].long(), targets[counted])
    again = next(iter(batches(data.train, 12, 0, epoch)))
    assert torch.equal(images, again[0])
    assert torch.equal(targets, again[1])


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("far_masks", "E0849", "has the value 7, and the loss takes 0 to 1"),
        ("other_tests", "E0843", r"are whole numbers of shape \[6, 8\], and the test targets classes"),
        ("unequal", "E0827", "there are 12 inputs and 11 targets"),
        ("infinite_targets", "E0830", "the target of item . has values that are not finite"),
        ("signals", "E0831", r"of shape \[2, 30\], not float32 \[1, H, W\]"),
    ],
)
def test_what_is_wrong_with_targets_is_said(name, code, message):
    with pytest.raises(nasir.CompileError, match=f"{code}: .*{message}"):
        for _ in batches(
            own(name, None if name == "infinite_targets" else Input(1, (6, 8))).within(0, 1).train, 4, 0, 0
        ):
            pass


def test_data_that_the_network_does_not_take_are_named_with_both_shapes_and_what_to_write(compiled, tmp_path):
    net = "space n() {{ x = {} return x -> linear(10) }}"
    vectors = input_of(compiled(net.format("features(13)")).graph)
    assert vectors == Input(13)
    with pytest.raises(nasir.CompileError, match=r"E0840: .*vectors \[13\].*`digits` are images \[1, 8, 8\]") as caught:
        load_data("digits", vectors)
    assert "`image(1, size=8)`" in caught.value.diagnostics[0].hints[0]
    with pytest.raises(nasir.CompileError, match=r"E0840: .*images \[3, 8, 8\].*`signals` are signals \[1, 40\]"):
        load_data("signals", Input(3, (8, 8)))
    with pytest.raises(nasir.CompileError, match=r"E0802: .*signals of 2 channels, and the data's have 1"):
        load_data("signals", Input(2, (40,)))
    with pytest.raises(nasir.CompileError, match="E0802") as caught:
        check_input(Input(3, (8, 9)), (8, 9, 3), "mine")
    assert "the last axis?" in caught.value.diagnostics[0].hints[1]
    for taken, shape in ((Input(28, (28, 28)), (1, 28, 28)), (Input(40, (1,)), (1, 40)), (Input(3, (8, 8)), (1, 8, 3))):
        with pytest.raises(nasir.CompileError, match="E0802") as caught:
            check_input(taken, shape, "mine")
        assert len(caught.value.diagnostics[0].hints) == 1
    with pytest.raises(nasir.CompileError, match=r"E0840: .*vectors \[13\], and the files of a folder"):
        load_data(f"folder:{tmp_path}", vectors)
    with pytest.raises(nasir.CompileError, match="E0809: `shapes` takes no folder"):
        load_data("shapes:here")
    with pytest.raises(nasir.CompileError, match=r"E0844: .*`shapes` are no classes, but whole numbers"):
        load_data("shapes", classes="2")


def test_files_of_images_take_the_network_s_height_and_width(tmp_path):
    for name in ("a", "b"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(5):
            Image.new("RGB", (30, 20), (i, 0, 0)).save(tmp_path / "photos" / name / f"{i}.png")
    data = load_data(f"folder:{tmp_path / 'photos'}", Input(3, (10, 16)))
    assert first(data)[0].shape == (4, 3, 10, 16)
    for part in ("train", "t10k"):
        pixels, labels = np.zeros((6, 5, 9), np.uint8), (np.arange(6) % 2).astype(np.uint8)
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(idx(pixels))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx(labels))
    assert first(load_data(f"idx:{tmp_path}"))[0].shape == (4, 1, 5, 9)
    assert first(load_data(f"idx:{tmp_path}", Input(1, (10, 9))))[0].shape == (4, 1, 10, 9)
    assert struct.calcsize("I") == 4


def test_the_generated_data_are_what_their_formula_says():
    one, other = load_data("signals"), load_data("signals")
    assert torch.equal(one.train.images, other.train.images)
    assert [len(one.train), len(one.test), one.classes] == [4_000, 1_000, 10]
    assert torch.bincount(one.test.labels).tolist() == [100] * 10
    square = one.train.images[one.train.labels == one.names.index("square_2")].double().numpy()[:, 0]
    spectrum = np.abs(np.fft.rfft(square)).mean(0)
    assert spectrum[1:].argmax() + 1 == 2  # cycles
    shapes = load_data("shapes")
    assert [len(shapes.train), len(shapes.test), shapes.classes] == [1_000, 250, 4]
    pixels, targets = shapes.train.images[:, 0].double(), shapes.train.targets
    assert sorted(targets.unique().tolist()) == [0, 1, 2, 3]
    lit = [float(pixels[i][targets[i] > 0].mean() - pixels[i][targets[i] == 0].mean()) for i in range(50)]
    assert min(lit) > 40  # shapes are brighter than the ground
