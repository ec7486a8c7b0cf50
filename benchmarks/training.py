"""Networks trained from scratch as `nasir train` does, and searches as of `nasir search`, without run folders that
stay."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn

import nasir
from nasir.data import DataSet
from nasir.data.forms import Input
from nasir.data.generated import signal_parts, signals
from nasir.data.memory import in_memory
from nasir.execution import network_class
from nasir.jobs.folder import RunFolder
from nasir.jobs.ranks import Ranks
from nasir.jobs.signals import Pauses
from nasir.searching.loop import Search
from nasir.searching.measures import Confusion
from nasir.searching.prices import targets
from nasir.searching.strategy import Found
from nasir.searching.training import Training, counted

_CPU = torch.device("cpu")
_FRESH, _MORE = 1, 4
"""The seeds of the signals that networks are tested with, and of more to train them; the data set `signals` is drawn
with 0."""
TESTED_SIGNALS = 10_000


def fresh_signals(input: Input | None, count: int = 0) -> DataSet:
    """The data set `signals` with 10,000 others for the test in place of its 1,000: one training tells more. For the
    training it has its own, or so many others."""
    given = signals(count, _MORE) if count else signal_parts()[0]
    return in_memory("signals", [given, signals(TESTED_SIGNALS, _FRESH)], 1, input)


@contextmanager
def _folder() -> Generator[RunFolder]:
    with TemporaryDirectory() as name:
        run = RunFolder(Path(name) / "run")
        run.start(overwrite=False)
        yield run


def trained(
    network: nasir.Space, data: DataSet, seed: int, state: Mapping[str, Tensor] | None = None
) -> tuple[nn.Module, int]:
    """The module after its recipe, from these weights or anew, and how many of the test inputs it tells right."""
    torch.manual_seed(seed)
    module = network_class(Path("model.py"), nasir.emit(network))()
    if state is not None:
        module.load_state_dict(state)
    settings = network.settings.train
    training = Training(module, data, settings, seed, _CPU, Ranks(), measure=Confusion(data.classes))
    with _folder() as run:
        training.run(run, lambda epoch, values: None, Pauses())
    return module, told_right(module, data, settings.batch)


def told_right(module: nn.Module, data: DataSet, batch: int) -> int:
    """How many of the test inputs a module tells right."""
    measure = Confusion(data.classes)
    return round(measure.score(counted(module, data.test, batch, measure)) * len(data.test))


def searched(space: nasir.Space, data: DataSet, seed: int) -> tuple[Search, Found]:
    """A search of its settings to the end, and what it found."""
    loop = Search(space, data, targets(space.settings.objective, space.costs), seed, _CPU)
    with _folder() as run:
        loop.run(run, lambda epoch, values: None, Pauses())
        return loop, loop.choose(Pauses())
