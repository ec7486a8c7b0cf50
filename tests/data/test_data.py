"""Data sets other than the digits and folders: MNIST-format files, the user's own, some of the classes."""

import gzip
import random
import struct
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import Dataset

import nasir
from nasir.data import Input, batches, class_count, load_data
from nasir.data.memory import in_memory


def idx(array):
    """An IDX file's bytes."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_idx(root, images=60, tests=20, classes=4, pack=gzip.compress, ending=".gz"):
    rng = np.random.default_rng(0)
    for name, count in (("train", images), ("t10k", tests)):
        labels = (np.arange(count) % classes).astype(np.uint8)
        pixels = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        (root / f"{name}-images-idx3-ubyte{ending}").write_bytes(pack(idx(pixels)))
        (root / f"{name}-labels-idx1-ubyte{ending}").write_bytes(pack(idx(labels)))


@pytest.mark.parametrize(("pack", "ending"), [(gzip.compress, ".gz"), (bytes, "")])
def test_idx_files_plain_and_gzipped(tmp_path, pack, ending):
    write_idx(tmp_path, pack=pack, ending=ending)
    data = load_data(f"idx:{tmp_path}", Input(1, (28, 28)))
    assert (data.classes, len(data.train), len(data.test)) == (4, 60, 20)
    ((images, labels),) = data.train.batches([torch.arange(60)], None)
    assert images.shape == (60, 1, 28, 28)
    assert float(images.mean()) == pytest.approx(0, abs=1e-5)
    assert float(images.std()) == pytest.approx(1, abs=1e-3)
    assert labels.tolist() == [i % 4 for i in range(60)]


def test_idx_images_are_resized_to_what_the_network_takes(tmp_path):
    write_idx(tmp_path)
    ((images, _),) = load_data(f"idx:{tmp_path}", Input(1, (14, 14))).test.batches([torch.arange(3)], None)
    assert images.shape == (3, 1, 14, 14)


def damage(name, change):
    def apply(root):
        path = root / f"{name}.gz"
        path.write_bytes(change(path.read_bytes()))

    return apply


LABELS, IMAGES = "train-labels-idx1-ubyte", "train-images-idx3-ubyte"
FOUR_AS_FIVE = bytes([4] + [i % 4 for i in range(1, 60)])


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (damage(LABELS, lambda data: data[:20]), "E0822", "cannot be read"),
        (
            damage(IMAGES, lambda data: gzip.compress(gzip.decompress(data)[:-100])),
            "E0822",
            "is cut off: 46,940 bytes of 47,040",
        ),
        (
            damage(LABELS, lambda data: gzip.compress(b"not an idx file")),
            "E0822",
            "is no IDX file of bytes in 1 dimension",
        ),
        (damage(LABELS, lambda data: b"plain text"), "E0822", "cannot be read"),
        (
            damage(LABELS, lambda data: gzip.compress(idx(np.arange(59, dtype=np.uint8) % 4))),
            "E0813",
            "60 images and 59 labels",
        ),
        (
            damage(
                LABELS, lambda data: gzip.compress(idx(np.arange(60, dtype=np.uint8) % 4 + (np.arange(60) % 4 > 1)))
            ),
            "E0812",
            "train-labels-idx1-ubyte.gz`: image 3 has the label 4, and no training image has 2",
        ),
        (
            damage("t10k-labels-idx1-ubyte", lambda data: gzip.compress(idx(np.arange(20, dtype=np.uint8) % 5))),
            "E0812",
            "t10k-labels-idx1-ubyte.gz`: image 4 has the label 4, and no training image has",
        ),
        (
            damage(LABELS, lambda data: gzip.compress(idx(np.array([*range(4)] * 14 + [0, 4, 2, 3], dtype=np.uint8)))),
            "E0812",
            "train-labels-idx1-ubyte.gz`: image 57 has the label 4, and no test image has",
        ),
        (lambda root: write_idx(root, images=0), "E0822", "holds nothing: 0 x 28 x 28"),
        (lambda root: write_idx(root, tests=0), "E0822", "holds nothing: 0 x 28 x 28"),
        (lambda root: (root / f"{IMAGES}.gz").unlink(), "E0814", "has no file `train-images-idx3-ubyte`"),
    ],
)
def test_what_is_wrong_with_idx_files_is_said_with_the_file(tmp_path, change, code, message):
    write_idx(tmp_path)
    change(tmp_path)
    with pytest.raises(nasir.CompileError, match=f"{code}: .*{message}") as caught:
        load_data(f"idx:{tmp_path}", Input(1, (28, 28)))
    assert str(tmp_path) in caught.value.diagnostics[0].message


def test_a_wrong_folder_and_coloured_networks_are_diagnostics(tmp_path):
    with pytest.raises(nasir.CompileError, match="E0807: there is no folder"):
        load_data("idx:nowhere")
    write_idx(tmp_path)
    with pytest.raises(nasir.CompileError, match=r"E0802: .*images of 3 channels, and the data's have 1"):
        load_data(f"idx:{tmp_path}", Input(3, (28, 28)))


def test_some_of_the_classes_are_drawn_by_the_seed_and_numbered_anew(tmp_path):
    write_idx(tmp_path)
    every = load_data(f"idx:{tmp_path}")
    half = load_data(f"idx:{tmp_path}", classes="50%", seed=1)
    assert (half.classes, len(half.train), len(half.test)) == (2, 30, 10)
    assert sorted(set(half.train.labels.tolist())) == [0, 1]
    pixels = {
        image.numpy().tobytes(): int(label) for image, label in zip(every.train.images, every.train.labels, strict=True)
    }
    pairs = {
        (pixels[image.numpy().tobytes()], int(label))
        for image, label in zip(half.train.images, half.train.labels, strict=True)
    }
    assert len(pairs) == 2  # each old class is one new one
    assert [old for old, _ in sorted(pairs)] == sorted(old for old, _ in pairs)  # in their order
    drawn = {tuple(sorted({old for old, _ in picked(every, seed)})) for seed in range(12)}
    assert len(drawn) > 3


def picked(data, seed):
    part = data.with_classes(2, seed).train
    pixels = {
        image.numpy().tobytes(): int(label) for image, label in zip(data.train.images, data.train.labels, strict=True)
    }
    return [(pixels[i.numpy().tobytes()], int(y)) for i, y in zip(part.images, part.labels, strict=True)]


def test_the_number_of_classes_is_a_share_or_a_count():
    assert class_count("10%", 1000) == class_count("100", 1000) == 100
    for wrong in ("0", "1", "11", "many", "0%", "101%", "", "-3"):
        with pytest.raises(nasir.CompileError, match="--classes"):
            class_count(wrong, 10)


class Own(Dataset):
    """A data set as a user would write one; its images have random noise."""

    def __init__(self, labels):
        self.targets = labels

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, index):
        return torch.full((1, 6, 6), float(self.targets[index])) + 0.01 * torch.rand(1, 6, 6), self.targets[index]


def good():
    return Own([0, 1, 2] * 6), Own([0, 1, 2])


def one_set():
    return torch.zeros(4, 1, 6, 6), torch.arange(4)


def no_number():
    x, y = torch.zeros(4, 1, 6, 6), torch.arange(4.0)
    return (x, y.where(y != 2, torch.nan)), (x, y)


def no_pair():
    return Own([0, 1, 0])


def raising():
    raise RuntimeError("no such disk")


def gap():
    return Own([0, 2, 2]), Own([0])


def words():
    return Own(["cat", "dog"]), Own(["cat"])


class Broken(Own):
    def __getitem__(self, index):
        if index == 3:
            raise OSError("image 3 is gone")
        return super().__getitem__(index)


def broken():
    return Broken([0, 1] * 4), Own([0, 1])


class Coloured(Own):
    def __getitem__(self, index):
        return torch.zeros(3, 6, 6), 0


def coloured():
    return Coloured([0, 1] * 4), Own([0, 1])


class Double(Own):
    def __getitem__(self, index):
        return torch.zeros(1, 6, 6, dtype=torch.float64), 0


def double():
    return Double([0, 1] * 4), Own([0, 1])


class Stopping(Own):
    def __getitem__(self, index):
        raise StopIteration


def stopping():
    return Stopping([0, 1] * 4), Own([0, 1])


def numbers():
    return 3, 4


def leaving():
    raise SystemExit(3)


def far_apart():
    return Own([0, 10**12]), Own([0, 1])


def below():
    return Own([0, 1]), Own([0, -1])


def empty():
    return Own([]), Own([0, 1])


class NotFinite(Own):
    def __getitem__(self, index):
        image, label = super().__getitem__(index)
        return (image / 0 if index == 3 else image), label


def not_finite():
    return NotFinite([0, 1, 2] * 6), Own([0, 1, 2])


def shuffled():
    labels = [0, 1, 2] * 6
    random.shuffle(labels)
    return Own(labels), Own(torch.randperm(3).tolist())


def test_a_data_set_of_the_user_s_own():
    data = load_data(f"python:{__name__}:good", Input(1, (8, 8)))
    assert (data.classes, len(data.train), len(data.test)) == (3, 18, 3)
    for images, labels in batches(data.train, 4, 0, 0):
        assert images.shape[1:] == (1, 8, 8)  # resized
        assert torch.equal(images.mean((1, 2, 3)).round().long(), labels)

    def epoch(number):
        return torch.cat([images for images, _ in batches(data.train, 4, 0, number)])

    torch.manual_seed(1)
    first = epoch(0)
    torch.manual_seed(2)
    assert torch.equal(epoch(0), first)  # what is random in it is a function of the seed, the epoch and the image
    assert not torch.equal(epoch(1), first)


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("", "E0806", "names no function"),
        (":good", "E0806", "names no function"),
        ("tests.data.nowhere:good", "E0806", "there is no module `tests.data.nowhere` in this folder"),
        ("nowhere.py:good", "E0806", "`nowhere.py` cannot be read: No such file"),
        (f"{__name__}:nothing", "E0806", f"`{__name__}` has no `nothing`"),
        (f"{__name__}:one_set", "E0827", r"an array of inputs is \[N, ...\], and one is \[4\]"),
        (f"{__name__}:no_number", "E0830", "the target of item 2 has values that are not finite numbers"),
        (f"{__name__}:raising", "E0827", r"RuntimeError: no such disk \(.*test_data.py, line \d+\)"),
        (f"{__name__}:no_pair", "E0827", "does not return a training and a test set"),
        (f"{__name__}:gap", "E0812", "image 1 has the label 2, and no training image has 1"),
        (f"{__name__}:below", "E0812", "the test set of .*: image 1 has the label -1, which is below 0"),
        (f"{__name__}:empty", "E0810", "has 0 training and 2 test inputs"),
        (f"{__name__}:not_finite", "E0830", "the image of item 3 has values that are not finite numbers"),
        (f"{__name__}:words", "E0828", "labels of"),
        (f"{__name__}:broken", "E0826", "image 3 is gone"),
        (f"{__name__}:double", "E0831", "torch.float64 of shape"),
        (f"{__name__}:stopping", "E0826", "StopIteration"),
        (f"{__name__}:numbers", "E0827", "does not return a training and a test set"),
        (f"{__name__}:leaving", "E0827", "SystemExit"),
        (f"{__name__}:far_apart", "E0812", "image 1 has the label 1000000000000, and no training image has 1"),
        (f"{__name__}:coloured", "E0831", r"of shape \[3, 6, 6\], not float32 \[1, H, W\]"),
    ],
)
def test_what_is_wrong_with_a_data_set_of_the_user_s_own_is_said(name, code, message):
    with pytest.raises(nasir.CompileError, match=f"{code}: .*{message}"):
        list(batches(load_data(f"python:{name}", Input(1, (6, 6))).train, 4, 0, 0))


def write_folder(root, broken=()):
    for label, name in enumerate(("cat", "dog")):
        (root / name).mkdir()
        for i in range(10):
            path = root / name / f"{i}.png"
            Image.new("RGB", (12, 12), (100 * label, 20 * i, 0)).save(path)
            if (name, i) in broken:
                path.write_bytes(path.read_bytes()[:40])


def test_broken_files_are_skipped_and_counted_where_that_is_asked_for(tmp_path):
    write_folder(tmp_path, {("cat", 2), ("dog", 5), ("dog", 6)})
    with pytest.raises(nasir.CompileError, match="cannot be read") as caught:
        list(batches(load_data(f"folder:{tmp_path}", Input(3, (8, 8))).train, 4, 0, 0))
    assert "--skip-broken" in caught.value.diagnostics[0].hints[0]
    data = load_data(f"folder:{tmp_path}", Input(3, (8, 8)), skip_broken=True)
    sizes = [len(y) for _, y in batches(data.train, 4, 0, 0)]
    assert sizes == [4, 4, 4, 4]  # a broken image is replaced by the next
    tested = sum(len(y) for _, y in data.test.batches([torch.arange(len(data.test))], None))
    skipped = {path.rsplit("/", 2)[1:][0] + path.rsplit("/", 1)[1] for path in data.skipped}
    assert skipped == {"cat2.png", "dog5.png", "dog6.png"}
    assert tested == len(data.test) - sum(path in data.skipped for path in data.test.files.tolist())


def test_a_folder_of_nothing_readable_ends_the_run_all_the_same(tmp_path):
    write_folder(tmp_path, {(name, i) for name in ("cat", "dog") for i in range(10)})
    data = load_data(f"folder:{tmp_path}", Input(3, (8, 8)), skip_broken=True)
    with pytest.raises(nasir.CompileError, match=r"E0824: .*nor can the 100 files after it"):
        list(batches(data.train, 4, 0, 0))


def test_what_is_random_in_a_function_of_the_user_s_own_is_the_same_each_time():
    random.seed(1)
    expected = random.random()
    random.seed(1)
    one, other = (load_data(f"python:{__name__}:shuffled") for _ in range(2))
    assert random.random() == expected  # and nobody else's numbers are drawn
    assert one.train.labels.tolist() == other.train.labels.tolist() != sorted(one.train.labels.tolist())
    assert one.files == other.files != load_data(f"python:{__name__}:good").files


def test_a_run_of_broken_files_is_skipped_too(tmp_path):
    """More in one batch than are tried for one image, none of them in vain."""
    write_folder(tmp_path, {("dog", i) for i in range(9)})
    data = load_data(f"folder:{tmp_path}", Input(3, (8, 8)), skip_broken=True)
    assert sum(len(y) for _, y in data.train.batches([torch.arange(len(data.train)).repeat(20)], 0)) == 20 * len(
        data.train
    )


def test_changed_labels_are_other_data(tmp_path):
    write_idx(tmp_path)
    before = load_data(f"idx:{tmp_path}").files
    labels = gzip.compress(idx((np.arange(60) % 4)[::-1].astype(np.uint8)))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(labels)
    assert load_data(f"idx:{tmp_path}").files != before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "code", "message"),
    [("late", "E0826", "bad item"), ("varying", "E0829", "differ in shape: item")],
)
@pytest.mark.parametrize("way", ["command", "python"])
def test_an_error_in_a_worker_ends_the_run(tmp_path, name, code, message, way):
    """The main process must not wait for workers that nothing can end, whoever started it."""
    (tmp_path / "own.py").write_text(
        """
import torch
from torch.utils.data import Dataset, get_worker_info

class Images(Dataset):
    targets = [i % 2 for i in range(40)]
    def __init__(self, kind): self.kind = kind
    def __len__(self): return 40
    def __getitem__(self, i):
        if self.kind == "late" and i == 33 and get_worker_info() is not None: raise ValueError("bad item")
        return torch.rand(1, 8, 8 + (i == 30 and self.kind == "varying")), i % 2

def late(): return Images("late"), Images("fine")
def varying(): return Images("varying"), Images("fine")
""",
        encoding="utf-8",
    )
    settings = ["batch=4", "train.batch=4"]
    command = [sys.executable, "-P", "-m", "nasir", "search", "digits", "--with", "classes=2", "--out", "run"]
    command += ["--data", f"python:own:{name}", *(f"--set={text}" for text in settings)]
    if way == "python":
        call = f"nasir.search(nasir.load('digits', classes=2), 'python:own:{name}', 'run', set={settings})"
        command = [sys.executable, "-P", "-c", f"import nasir\n{call}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert code in done.stderr
    assert message in done.stderr


def test_inputs_are_normalised_alike_whatever_the_number_of_threads():
    numbers = torch.randn(5_000, 1, 40, generator=torch.Generator().manual_seed(0))
    parts, before, found = [(numbers, torch.arange(5_000) % 10)] * 2, torch.get_num_threads(), set()
    try:
        for threads in (1, 2, 3, 4):
            torch.set_num_threads(threads)
            data = in_memory("signals", parts, 1, None)
            found.add((data.mean, data.std))
    finally:
        torch.set_num_threads(before)
    assert len(found) == 1
    ((mean,), (std,)) = found.pop()
    assert mean == pytest.approx(float(numbers.double().mean()), abs=1e-12)
    assert std == pytest.approx(float(numbers.double().std(correction=0)))
