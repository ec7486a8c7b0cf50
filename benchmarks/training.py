"""Networks trained from scratch as `nasir train` does, without a run folder that stays."""

from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import nn

import nasir
from nasir.data import DataSet
from nasir.execution import network_class
from nasir.jobs.folder import RunFolder
from nasir.jobs.ranks import Ranks
from nasir.jobs.signals import Pauses
from nasir.searching.measures import Confusion
from nasir.searching.training import Training, counted

_CPU = torch.device("cpu")


def trained(network: nasir.Space, data: DataSet, seed: int) -> tuple[nn.Module, int]:
    """The module after its recipe, and how many of the test inputs it tells right."""
    torch.manual_seed(seed)
    module = network_class(Path("model.py"), nasir.emit(network))()
    settings, measure = network.settings.train, Confusion(data.classes)
    training = Training(module, data, settings, seed, _CPU, Ranks(), measure=measure)
    with TemporaryDirectory() as folder:
        run = RunFolder(Path(folder) / "run")
        run.start(overwrite=False)
        training.run(run, lambda epoch, values: None, Pauses())
    score = measure.score(counted(module, data.test, settings.batch, measure))
    return module, round(score * len(data.test))
