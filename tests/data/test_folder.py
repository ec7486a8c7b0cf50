"""`folder:DIR`: what is read, in which order, and what is said where it cannot be."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

import nasir
from nasir.data import Input, batches, load_data
from nasir.lang.settings import Settings, override
from nasir.runs.request import Request
from nasir.runs.run import search, train_file, train_network
from tests.spaces import TINY

NET = (
    "space net(classes = 3) { return image(3, size=8) -> conv(3, 4) -> bn -> global_avg_pool -> linear(classes) }\n"
    "train { epochs = 1 }"
)
COLOURS = {"blue": (0, 0, 255), "green": (0, 255, 0), "red": (255, 0, 0)}


def write(folder, count=6, size=(40, 30)):
    """Class folders of images of one colour each, a little noise on it."""
    draw = np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (folder / name).mkdir(parents=True)
        for i in range(count):
            pixels = np.array(colour) * 0.8 + draw.uniform(0, 50, (size[1], size[0], 3))
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{i}.png")


def test_every_image_has_its_class_s_label_and_the_network_s_size(tmp_path):
    write(tmp_path)
    data = load_data(f"folder:{tmp_path}", Input(3, (16, 16)))
    assert (data.classes, len(data.train), len(data.test)) == (3, 15, 3)
    assert len({*data.train.files, *data.test.files}) == 18
    for images, labels in batches(data.train, 4, seed=0, epoch=0):
        assert images.shape[1:] == (3, 16, 16)
        brightest = images.mean((2, 3)).argmax(1)
        assert torch.equal(2 - brightest, labels)  # blue, green, red: the channels backwards


def test_train_and_val_folders_are_the_two_parts(tmp_path):
    write(tmp_path / "train")
    write(tmp_path / "val", count=2)
    data = load_data(f"folder:{tmp_path}", Input(1, (8, 8)))
    assert (len(data.train), len(data.test)) == (18, 6)
    (images, _), *_ = batches(data.test, 6, 0, 0)
    assert images.shape == (6, 1, 8, 8)
    (tmp_path / "val" / "red").rename(tmp_path / "val" / "rot")
    with pytest.raises(nasir.CompileError, match=r"E0815: .*differ in their classes: red, rot"):
        load_data(f"folder:{tmp_path}", Input(1, (8, 8)))


def test_batches_are_a_function_of_seed_and_epoch_whatever_the_number_of_workers(tmp_path, monkeypatch):
    write(tmp_path)
    data = load_data(f"folder:{tmp_path}", Input(3, (16, 16))).train

    def epoch(number):
        return torch.cat([images for images, _ in batches(data, 5, 1, number)])

    first = epoch(0)
    monkeypatch.setattr("nasir.data.base.workers", lambda: 1)
    torch.manual_seed(123)
    assert torch.equal(epoch(0), first)
    assert not torch.equal(epoch(1), first)


def test_each_image_and_each_epoch_has_its_own_part_and_side(tmp_path):
    write(tmp_path)
    ramp = Image.fromarray(np.tile(np.arange(0, 200, 2, dtype=np.uint8)[None, :, None], (100, 1, 3)))
    for name in COLOURS:
        for i in range(6):
            ramp.save(tmp_path / name / f"{i}.png")
    data = load_data(f"folder:{tmp_path}", Input(1, (16, 16))).train
    every = [torch.arange(len(data))]
    ((first, _),), ((second, _),), ((again, _),) = (data.batches(every, key) for key in (1, 2, 1))
    assert torch.equal(first, again)
    assert not any(torch.equal(a, b) for a, b in zip(first, second, strict=True))  # by the epoch
    assert len({image.numpy().tobytes() for image in first}) == len(first)  # by the image
    slopes = (first[:, 0, :, -1] - first[:, 0, :, 0]).mean(1)
    assert (slopes > 0).any()
    assert (slopes < 0).any()  # mirrored
    assert float(slopes.abs().max() / slopes.abs().min()) > 1.3  # of larger and of smaller parts


def test_the_channels_are_normalised_in_their_order(tmp_path):
    write(tmp_path)
    data = load_data(f"folder:{tmp_path}", Input(3, (8, 8)))
    Image.new("RGB", (8, 8), (124, 116, 104)).save(data.test.files[0])  # ImageNet's mean
    ((images, _),) = data.test.batches([torch.tensor([0])], None)
    assert float(images.abs().max()) < 0.01


def test_test_images_are_their_middle_and_not_augmented(tmp_path):
    write(tmp_path)
    ramp = np.tile(np.arange(0, 80, dtype=np.uint8)[:, None, None], (1, 40, 3))
    Image.fromarray(ramp).save(tmp_path / "blue" / "0.png")
    data = load_data(f"folder:{tmp_path}", Input(1, (35, 35))).train
    place = next(i for i, file in enumerate(data.files) if file.endswith("blue/0.png"))
    ((image, _),) = data.batches([torch.tensor([place])], None)
    rows = (image[0, 0, :, 0] * 0.226 + 0.449) * 255
    # 35 of the 40 pixels of the shorter side, so rows 22.5 to 57.5 of 80, one to one.
    assert rows.tolist() == pytest.approx([22.5 + i for i in range(35)], abs=1.0)


def test_what_is_wrong_is_said_with_the_file_s_name(tmp_path):
    write(tmp_path)

    def problem():
        with pytest.raises(nasir.CompileError) as caught:
            list(batches(load_data(f"folder:{tmp_path}", Input(3, (16, 16))).train, 8, 0, 0))
        (found,) = caught.value.diagnostics
        return found.code, found.message

    for name in COLOURS:
        for file in (tmp_path / name).iterdir():
            file.write_bytes(file.read_bytes()[:200])
    code, message = problem()
    assert (code, "cannot be read" in message, ".png" in message) == ("E0805", True, True)
    (tmp_path / "green" / "0.png").rename(tmp_path / "green.png")
    for file in (tmp_path / "green").iterdir():
        file.unlink()
    assert problem() == ("E0818", f"the class folder `{tmp_path}/green` has no images")
    (tmp_path / "green").rmdir()
    (tmp_path / "blue").rename(tmp_path / "red" / "blue")
    assert problem() == ("E0817", f"`{tmp_path}` has 1 class folder")
    with pytest.raises(nasir.CompileError, match="E0807: there is no folder"):
        load_data("folder:nowhere", Input(3, (16, 16)))
    with pytest.raises(nasir.CompileError, match=r"E0802: .*5 channels"):
        load_data(f"folder:{tmp_path}", Input(5, (16, 16)))


def test_sixteen_bits_are_not_clipped_and_what_is_no_image_is_not_read(tmp_path):
    write(tmp_path)
    for name in COLOURS:
        for file in (tmp_path / name).iterdir():
            file.unlink()
        ramp = np.tile(np.linspace(0, 65535, 40).astype(np.uint16)[:, None], (1, 40))
        for i in range(3):
            Image.fromarray(ramp).save(tmp_path / name / f"{i}.png")
        os.mkfifo(tmp_path / name / "pipe.png")
        (tmp_path / name / "._0.png").write_bytes(b"not an image")
        (tmp_path / name / "folder.png").mkdir()
    data = load_data(f"folder:{tmp_path}", Input(1, (16, 16)))
    assert len(data.train) + len(data.test) == 9
    ((images, _),) = data.test.batches([torch.tensor([0])], None)
    pixels = images * 0.226 + 0.449
    assert float(pixels.min()) < 0.15
    assert float(pixels.max()) > 0.85
    assert float(pixels.mean()) == pytest.approx(0.5, abs=0.02)


def test_images_are_found_in_folders_within_and_links_to_nowhere_are_said(tmp_path):
    write(tmp_path / "images", count=5)
    (tmp_path / "images" / "red" / "more").mkdir()
    (tmp_path / "images" / "red" / "0.png").rename(tmp_path / "images" / "red" / "more" / "0.png")
    (tmp_path / "images" / "red" / "more" / "around").symlink_to(tmp_path / "images" / "red")
    data = load_data(f"folder:{tmp_path / 'images'}", Input(3, (16, 16)))
    assert len(data.train) + len(data.test) == 15
    (tmp_path / "images" / "red" / "more" / "9.png").symlink_to(tmp_path / "nowhere.png")
    data = load_data(f"folder:{tmp_path / 'images'}", Input(3, (16, 16)))
    assert len(data.train) + len(data.test) == 16
    with pytest.raises(nasir.CompileError, match=r"9\.png` cannot be read"):
        [[*batches(split, 8, 0, 0)] for split in (data.train, data.test)]


def test_a_class_of_which_no_image_can_be_read_is_an_error(tmp_path):
    write(tmp_path / "images" / "train")
    write(tmp_path / "images" / "val", count=2)
    for file in (tmp_path / "images" / "train" / "red").iterdir():
        file.write_bytes(b"no image")
    (tmp_path / "net.nas").write_text(NET)
    request = Request(f"folder:{tmp_path / 'images'}", tmp_path / "run", skip_broken=True)
    with pytest.raises(
        nasir.CompileError, match=r"E0823: .*red/.*` cannot be read, nor can any other training image of its class"
    ):
        train_network(nasir.load(tmp_path / "net.nas"), request, Console(quiet=True))


def test_resuming_on_other_images_is_refused(tmp_path):
    write(tmp_path / "images")
    (tmp_path / "tiny.nas").write_text(
        TINY.replace("image(1", "image(3").replace("classes = 10", "classes = 3").replace("15K", "40K")
    )
    space = nasir.load(tmp_path / "tiny.nas")
    request = Request(f"folder:{tmp_path / 'images'}", tmp_path / "run")
    search(space, request, Console(quiet=True))
    (tmp_path / "images" / "red" / "0.png").rename(tmp_path / "images" / "red" / "zzz.png")
    with pytest.raises(nasir.CompileError, match="other images"):
        search(space, replace(request, resume=True), Console(quiet=True))


def test_an_unreadable_test_image_does_not_lose_the_training(tmp_path):
    write(tmp_path / "train")
    write(tmp_path / "val", count=2)
    (tmp_path / "val" / "red" / "1.png").write_bytes(b"no image")
    (tmp_path / "net.nas").write_text(NET)
    network = nasir.load(tmp_path / "net.nas")
    request = Request(f"folder:{tmp_path}", tmp_path / "run")
    with pytest.raises(nasir.CompileError, match="cannot be read: it is none of JPEG") as caught:
        train_network(network, request, Console(quiet=True))
    assert "--resume --skip-broken" in caught.value.diagnostics[0].hints[0]
    before = (tmp_path / "run" / "model.safetensors").read_bytes()
    result = train_network(network, replace(request, resume=True, skip_broken=True), Console(quiet=True))
    assert result.summary.skipped_files == 1
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == before
    assert json.loads((tmp_path / "run" / "plan.json").read_text())["skip_broken"]
    with pytest.raises(nasir.CompileError, match="`--skip-broken`"):  # files may be left out that now must not be
        train_network(network, replace(request, resume=True), Console(quiet=True))


def test_an_emitted_file_is_trained_on_images_of_its_own_size(tmp_path):
    write(tmp_path / "images")
    (tmp_path / "net.nas").write_text(
        "space net(classes = 3) { return image(3, size=9) -> conv(3, 4) -> bn -> global_avg_pool -> linear(classes) }"
    )
    (tmp_path / "net.py").write_text(nasir.emit(nasir.load(tmp_path / "net.nas")))
    settings = override(Settings(), ["epochs=1"], "train")
    request = Request(f"folder:{tmp_path / 'images'}", tmp_path / "run")
    summary = train_file(tmp_path / "net.py", settings, request, Console(quiet=True))
    assert summary.costs["macs"] == nasir.load(tmp_path / "net.nas").macs()[0]


def test_a_search_over_the_resolution_runs_on_a_folder(tmp_path):
    write(tmp_path / "images")
    text = TINY.replace("image(1, size=8)", "image(3, size={8, 12})").replace("classes = 10", "classes = 3")
    (tmp_path / "tiny.nas").write_text(text.replace("15K", "40K").replace("batch  = 256", "batch = 8"))
    space = nasir.load(tmp_path / "tiny.nas")
    summary = search(space, Request(f"folder:{tmp_path / 'images'}", tmp_path / "run"), Console(quiet=True)).summary
    assert summary.costs["macs"] <= 40_000
    size = nasir.load(tmp_path / "run" / "arch.nas").graph.input["size"]
    assert f"[N, 3, {size}, {size}]" in (tmp_path / "run" / "model.py").read_text()


def classes_of(root, make, count=5):
    """Two class folders of `count` files each, written by `make(path, class)`."""
    for number, name in enumerate(("a", "b")):
        (root / name).mkdir(parents=True)
        for i in range(count):
            make(root / name / f"{i}", number)


def image_of(data):
    """The first test image as the network sees it, in 0..1, [C, H, W]."""
    images, _ = next(data.test.batches([torch.tensor([0])], None))
    mean, std = (torch.tensor(v).view(-1, 1, 1) for v in (data.mean, data.std))
    return images[0] * std + mean


def test_photos_are_turned_upright(tmp_path):
    """A camera held sideways writes the pixels as they come, and EXIF's orientation."""
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:4] = 255  # the upper half is bright

    def turned(path, number):
        exif = Image.Exif()
        exif[0x0112] = 6  # turn by 90 degrees clockwise to see it upright
        Image.fromarray(pixels).rotate(90, expand=True).save(f"{path}.png", exif=exif)

    classes_of(tmp_path, turned)
    image = image_of(load_data(f"folder:{tmp_path}", Input(3, (8, 8))))
    assert image[:, :3].mean() > 0.9
    assert image[:, 5:].mean() < 0.1


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_is_white_paper(tmp_path, mode):
    """A black drawing on nothing would be wholly black without its alpha."""
    alpha = np.zeros((16, 16), np.uint8)
    alpha[:, 6:10] = 255

    def drawn(path, number):
        image = Image.new("RGBA", (16, 16))
        image.putalpha(Image.fromarray(alpha))
        if mode == "P":
            palette = Image.fromarray(np.where(alpha > 0, 0, 1).astype(np.uint8), "L").convert("P")
            palette.putpalette([0, 0, 0, 0, 0, 0] + [0] * 750)
            palette.info["transparency"] = 1
            palette.save(f"{path}.png", transparency=1)
        else:
            image.convert(mode).save(f"{path}.png")

    classes_of(tmp_path, drawn)
    image = image_of(load_data(f"folder:{tmp_path}", Input(1, (16, 16))))[0]
    assert image[:, :4].min() > 0.95
    assert image[:, 7:9].max() < 0.05


@pytest.mark.parametrize(("most", "bits"), [(4095, 12), (1023, 10), (65535, 16), (16383, 14), (255, 8)])
def test_files_of_sixteen_bits_have_the_depth_that_they_use(tmp_path, most, bits):
    ramp = np.linspace(0, most, 64).round().astype(np.uint16).reshape(8, 8)
    classes_of(tmp_path, lambda path, number: Image.fromarray(ramp).save(f"{path}.png"))
    data = load_data(f"folder:{tmp_path}", Input(1, (8, 8)))
    assert data.preparation.bits == bits
    assert image_of(data).max() > 0.85


def test_gifs_are_images_and_other_files_are_named(tmp_path):
    def animated(path, number):
        frames = [Image.new("L", (8, 8), 200 * number), Image.new("L", (8, 8), 50)]
        frames[0].save(f"{path}.gif", save_all=True, append_images=frames[1:])

    classes_of(tmp_path, animated)
    for name in ("a/notes.txt", "a/photo.heic", "readme.md", "a/.DS_Store", "b/Thumbs.db", "a/._0.gif"):
        (tmp_path / name).write_bytes(b"?")
    (tmp_path / "__MACOSX" / "a").mkdir(parents=True)
    (tmp_path / "__MACOSX" / "a" / "0.gif").write_bytes(b"?")
    data = load_data(f"folder:{tmp_path}", Input(1, (8, 8)))
    assert (data.names, len(data.train), len(data.test)) == (("a", "b"), 8, 2)
    assert sorted(data.passed_over) == ["a/notes.txt", "a/photo.heic", "readme.md"]


def test_each_class_has_its_share_of_test_images_and_some_training_image(tmp_path):
    for name, count in (("few", 1), ("many", 50), ("two", 2), ("ten", 10)):
        (tmp_path / name).mkdir()
        for i in range(count):
            Image.new("L", (8, 8), i).save(tmp_path / name / f"{i}.png")
    data = load_data(f"folder:{tmp_path}", Input(1, (8, 8)))
    assert data.counts() == [("few", 1, 0), ("many", 40, 10), ("ten", 8, 2), ("two", 1, 1)]
    assert "one image in five of each class" in data.split
    again = load_data(f"folder:{tmp_path}", Input(1, (8, 8)))
    assert again.train.file_names() == data.train.file_names()


def test_a_file_deeper_than_the_others_is_named(tmp_path):
    """Only some files are looked at beforehand: the others must not turn white without a word."""
    classes_of(tmp_path, lambda path, number: Image.fromarray(np.full((8, 8), 900, np.uint16)).save(f"{path}.png"))
    data = load_data(f"folder:{tmp_path}", Input(1, (8, 8)))
    for file in data.train.file_names():
        Image.fromarray(np.full((8, 8), 60_000, np.uint16)).save(file)
    with pytest.raises(nasir.CompileError, match="it has 16 bits, where others have 10"):
        list(data.train.batches([torch.tensor([0, 1])], None))


@pytest.mark.parametrize("names", [("Train", "Val"), ("train", "valid"), ("training", "validation"), ("TRAIN", "test")])
def test_parts_have_several_names_and_what_lies_beside_them_is_named(tmp_path, names):
    for name in names:
        write(tmp_path / name, count=2)
    (tmp_path / "extra").mkdir()
    data = load_data(f"folder:{tmp_path}", Input(3, (8, 8)))
    assert (data.classes, len(data.train), len(data.test)) == (3, 6, 6)
    assert list(data.passed_over) == ["extra"]
    (tmp_path / names[1]).rename(tmp_path / "other")
    with pytest.raises(nasir.CompileError, match=r"E0816: .*the other part is missing"):
        load_data(f"folder:{tmp_path}", Input(3, (8, 8)))
