"""What the loops do with images and weights: augmentation where it belongs, averages, precision."""

from dataclasses import replace

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file
from torch import nn

import nasir
from nasir.data import load_data
from nasir.data.memory import TensorSplit
from nasir.execution import network_class
from nasir.jobs.folder import RunFolder
from nasir.jobs.ranks import Ranks
from nasir.jobs.signals import Pauses
from nasir.lang.settings import Settings, TrainSettings, override
from nasir.runs.request import Request
from nasir.runs.run import train_file
from nasir.searching.averaging import Average
from nasir.searching.loop import Search
from nasir.searching.measures import Confusion
from nasir.searching.prices import targets
from nasir.searching.training import Training, counted
from tests.searches import run
from tests.spaces import TINY

CPU = torch.device("cpu")
DIGITS = Confusion(10)


class Watched(TensorSplit):
    """Notes how its batches were asked for."""

    asked: list

    def batches(self, index, augmentation):
        Watched.asked.append(augmentation)
        return super().batches(index, augmentation)


@pytest.fixture
def data():
    Watched.asked = []
    digits = load_data("digits")
    fields = ("images", "labels", "most", "mean", "std", "sizes")
    train, test = (Watched(*(getattr(s, name) for name in fields)) for s in (digits.train, digits.test))
    return replace(digits, train=train, test=test)


def quiet(epoch, values):
    pass


def test_images_are_augmented_to_train_and_never_to_compare(compiled, data, tmp_path):
    space = compiled(TINY)
    loop = Search(space, data, targets(space.settings.objective, space.costs), 0, CPU)
    folder = RunFolder(tmp_path / "run")
    folder.start(overwrite=False)
    loop.run(folder, quiet, Pauses())
    assert Watched.asked
    assert None not in Watched.asked
    assert len(set(Watched.asked)) == len(Watched.asked)  # another in each epoch of each part
    Watched.asked = []
    loop.strategy.evaluate(space.smallest(), Pauses())
    assert set(Watched.asked) == {None}


def test_the_derived_network_too(compiled, data, emitted, tmp_path):
    network = compiled(TINY)
    module = emitted(network.at(network.smallest()))
    settings = TrainSettings(epochs=2, batch=256)
    folder = RunFolder(tmp_path / "run")
    folder.start(overwrite=False)
    Training(module, data, settings, 0, CPU, Ranks(), measure=DIGITS).run(folder, quiet, Pauses())
    assert [one is None for one in Watched.asked] == [False, True] * 2  # what is held out is only compared
    Watched.asked = []
    counted(module, data.test, 64, DIGITS)
    assert Watched.asked == [None]


def test_a_derived_network_is_trained_at_its_own_size(compiled, tmp_path):
    space = compiled(TINY.replace("size=8", "size={4, 6}").replace("macs <= 15K", "macs <= 6K"))
    space = replace(space, settings=override(space.settings, ["epochs=1", "train.epochs=1"]))
    run(space, tmp_path / "run")
    source = (tmp_path / "run" / "model.py").read_text()
    network = nasir.load(tmp_path / "run" / "arch.nas")
    size = int(network.graph.input["size"])
    assert f"[N, 1, {size}, {size}]" in source
    assert nasir.load(tmp_path / "run" / "space.nas").decisions  # with its parameters as searched


def test_an_average_follows_the_weights_and_is_put_in_their_place():
    weight = nn.Parameter(torch.zeros(2))
    average = Average([weight], 0.5)
    expected = torch.zeros(2)
    for step in range(30):
        with torch.no_grad():
            weight.fill_(float(step))
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * step
        average.update()
    average.put()
    torch.testing.assert_close(weight.detach(), expected)
    average.put()
    assert weight.tolist() == [29.0, 29.0]
    other = Average([nn.Parameter(torch.zeros(2))], 0.5)
    other.restore(average.state())
    for one in (average, other):
        with torch.no_grad():
            one._parameters[0].fill_(7.0)
        one.update()  # the first steps weigh otherwise than later ones
    assert torch.equal(other.state()["values"][0], average.state()["values"][0])
    assert Average([weight], 0.0).state()["values"] == []


@pytest.mark.parametrize("setting", ["ema=0.9", "precision=bfloat16"])
def test_settings_of_training_change_what_it_ends_with(compiled, tmp_path, setting):
    space = compiled(TINY)
    network = space.at(space.largest())
    ends = []
    for texts in ([], [setting], [setting]):
        folder = RunFolder(tmp_path / str(len(ends)))
        folder.start(overwrite=False)
        settings = override(network.settings, texts, "train").train
        torch.manual_seed(0)
        path = folder.path / "model.py"
        path.write_text(nasir.emit(network), encoding="utf-8")
        module = network_class(path)()
        Training(module, load_data("digits"), settings, 0, CPU, Ranks(), measure=DIGITS).run(folder, quiet, Pauses())
        ends.append(torch.cat([p.detach().flatten() for p in module.parameters()]))
    assert not torch.equal(ends[0], ends[1])
    assert torch.equal(ends[1], ends[2])
    torch.testing.assert_close(ends[0], ends[1], rtol=0.5, atol=0.5)


def test_synchronised_batch_norms_of_one_process_are_its_own(compiled):
    space = compiled(TINY)
    goal = targets(space.settings.objective, space.costs)
    loop = Search(space, load_data("digits"), goal, 0, CPU, synchronised=True)
    images, _ = next(load_data("digits").train.batches([torch.arange(8)], None))
    assert loop.strategy.supernet.train()(images).logits.shape == (8, 10)


def test_a_state_knows_the_files_that_were_left_out(compiled):
    space = compiled(TINY)
    goal = targets(space.settings.objective, space.costs)
    before, after = (replace(load_data("digits"), skipped=files) for files in ({"a.png", "b.png"}, {"c.png"}))
    state = Search(space, before, goal, 0, CPU).state()
    Search(space, after, goal, 0, CPU).restore(state)
    assert after.skipped == {"a.png", "b.png", "c.png"}


FILE = """
import torch
from torch import nn

class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(64, 64)
        self.second = nn.Linear(64, 64)
        self.second.weight = self.first.weight
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        return self.head(torch.relu(self.second(torch.relu(self.first(x.flatten(1))))))
"""


def test_a_file_of_one_s_own_may_share_weights_and_must_have_some(tmp_path):
    settings = override(Settings(), ["epochs=1"], "train")
    (tmp_path / "own.py").write_text(FILE, encoding="utf-8")
    train_file(tmp_path / "own.py", settings, Request("digits", tmp_path / "run"), Console(quiet=True))
    module = network_class(tmp_path / "own.py")()
    module.load_state_dict(load_file(tmp_path / "run" / "model.safetensors"))
    body = "class None_(nn.Module):\n    def forward(self, x):\n        return x.flatten(1)[:, :10]\n"
    text = f"from torch import nn\n\n\n{body}"
    (tmp_path / "none.py").write_text(text, encoding="utf-8")
    with pytest.raises(nasir.CompileError, match=r"E0710: .*no weights to train"):
        train_file(tmp_path / "none.py", settings, Request("digits", tmp_path / "none"), Console(quiet=True))
