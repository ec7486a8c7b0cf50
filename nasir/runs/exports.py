"""A network in the format of another runtime, in a folder of its own, with the proof that it is the network."""

import contextlib
import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import torch
from rich.console import Console
from torch import nn

from nasir.data import pieces
from nasir.diagnostics import CompileError
from nasir.exporting import mistakes
from nasir.exporting.format import INPUTS, Format, Runner
from nasir.exporting.formats import FORMATS
from nasir.exporting.named import listed, named_outputs
from nasir.exporting.proof import COARSE, TOLERANCE, Deployed, Proof, proofs, seconds
from nasir.files import replace_atomically
from nasir.mistakes import not_written
from nasir.runs.subjects import Subject, first
from nasir.searching.training import counted

RECORD, DEPLOYMENT = "export.json", "deploy.json"
FLOAT, WHOLE = "float32", "int8"
_CALIBRATED = 256  # inputs
_REPEATS = 25
_TOLERATED = {FLOAT: TOLERANCE, WHOLE: COARSE}
_BATCH = 32


@dataclass(frozen=True)
class Order:
    """What an export is asked for: a format, a folder, the numbers of its weights, the threads of its times; and
    whether it may replace one that is there."""

    format: Format
    out: Path
    dtype: str = FLOAT
    threads: int = 1
    overwrite: bool = False

    @property
    def file(self) -> str:
        return f"model{self.format.suffix}"


def check_free(order: Order) -> None:
    """No export is in the folder, or it may be replaced.

    Raises:
        CompileError: where one is.
    """
    there = [name for name in _names() if os.path.lexists(order.out / name)]
    if there and not order.overwrite:
        raise mistakes.export_there(order.out, there[0])


def export(subject: Subject, order: Order, console: Console) -> dict[str, Any]:
    """Write a network, run what was written beside it, and put both into the folder; what `export.json` then says.

    Raises:
        CompileError: where it cannot be written, or is not the network; nothing is left then.
    """
    check_free(order)
    if subject.data is None and order.dtype == WHOLE:
        raise mistakes.no_data(subject.name, subject.without)
    torch.set_num_threads(order.threads)
    facts = _deployment(subject)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / order.file
        with console.status("writing"):
            _write(subject, order, path, _told(subject, facts))
        with console.status("proving"):
            runner = _loaded(subject, order, path)
            proved = _proofs(subject, order, runner)
            times = seconds(subject.network, runner, subject.inputs[:1], _REPEATS)
        with console.status("measuring"):
            metrics = _metrics(subject, order, runner)
        content = path.read_bytes()
    record = {
        **_file(subject, order, content),
        "inputs": subject.drawn,
        "tolerance": _TOLERATED[order.dtype],
        "differences": [asdict(one) for one in proved],
        "seconds": {"emitted": times[0], "exported": times[1], "repeats": _REPEATS, "threads": order.threads},
        **({"metrics": metrics} if metrics else {}),
        **_made_by(order),
    }
    _place(order.out, {order.file: content, **({DEPLOYMENT: _text(facts)} if facts else {}), RECORD: _text(record)})
    return record


def _file(subject: Subject, order: Order, content: bytes) -> dict[str, Any]:
    """Which network the file is, and how it is called."""
    _, names = named_outputs(subject.network, subject.inputs[:1])
    with torch.no_grad():
        shapes = [list(one.shape[1:]) for one in listed(subject.network(subject.inputs[:1]))]
    batch = "N" if order.format.any_batch else 1
    return {
        "network": subject.name,
        "weights": subject.weights,
        "format": order.format.name,
        "dtype": order.dtype,
        "file": order.file,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "input": {"name": _input_name(subject), "shape": [batch, *subject.shape], "dtype": FLOAT},
        "outputs": [{"name": name, "shape": [batch, *shape]} for name, shape in zip(names, shapes, strict=True)],
    }


def _input_name(subject: Subject) -> str:
    return INPUTS[len(subject.shape) - 1]


def _made_by(order: Order) -> dict[str, Any]:
    ours = {"nasir": version("nasir"), "python": platform.python_version(), "torch": torch.__version__}
    return {"versions": {**ours, **order.format.versions()}, "machine": platform.machine()}


def _text(facts: Mapping[str, Any]) -> bytes:
    return (json.dumps(facts, indent=2) + "\n").encode()


def _deployment(subject: Subject) -> dict[str, Any]:
    """The run's `deploy.json`, with what the file calls the input."""
    facts = dict(subject.facts)
    if isinstance(taken := facts.get("input"), dict):
        facts["input"] = {**cast("dict[str, Any]", taken), "name": _input_name(subject)}
    return facts


def _told(subject: Subject, facts: Mapping[str, Any]) -> dict[str, str]:
    """What the file itself says."""
    told = {"network": subject.name, "shape": json.dumps(["N", *subject.shape])}
    told |= {name: json.dumps(facts[name]) for name in ("scale", "mean", "std", "classes") if name in facts}
    return {**told, **({"deploy": json.dumps(facts)} if facts else {})}


def _write(subject: Subject, order: Order, path: Path, told: Mapping[str, str]) -> None:
    form, network, example = order.format, subject.network, subject.inputs[:1]
    try:
        if order.dtype == FLOAT:
            form.write(network, example, path, told)
            return
        assert subject.data is not None, "int8 without data was refused"
        calibration = pieces(first(subject.data.train, _CALIBRATED), _BATCH)
        form.quantise(network, example, path, calibration, told)
    except CompileError:
        raise
    except Exception as error:  # whatever a format's library raises
        raise mistakes.not_exported(form.name, subject.name, error) from error


def _loaded(subject: Subject, order: Order, path: Path) -> Runner:
    try:
        runner = order.format.load(path, order.threads)
        runner(torch.zeros(1, *subject.shape).numpy())
    except CompileError:
        raise
    except Exception as error:  # whatever a runtime raises
        raise mistakes.not_exported(order.format.name, subject.name, error) from error
    return runner


def _proofs(subject: Subject, order: Order, runner: Runner) -> list[Proof]:
    """For batches of one, and of all inputs where the format takes such.

    Raises:
        CompileError: where the file is not the network.
    """
    form, inputs = order.format, subject.inputs
    try:
        found = proofs(subject.network, runner, inputs, sorted({1, len(inputs)} if form.any_batch else {1}))
    except Exception as error:  # whatever a runtime or a module of the user's raises
        raise mistakes.not_exported(form.name, subject.name, error) from error
    holds = [one.holds if order.dtype == FLOAT else one.exported.relative <= COARSE for one in found]
    if not all(holds):
        off = found[holds.index(False)].exported
        reason = f"outputs are off by {off.absolute:.2g}, {off.relative:.2g} of the greatest"
        tolerated = f"{_TOLERATED[order.dtype]:g} is tolerated"
        raise mistakes.not_the_network(form.name, subject.name, f"{reason}, and {tolerated}")
    return found


def _metrics(subject: Subject, order: Order, runner: Runner) -> dict[str, dict[str, float]]:
    """Of an int8 file, what it and the network are worth on all test inputs."""
    measure, data = subject.measure, subject.data
    if order.dtype == FLOAT or measure is None or data is None:
        return {}
    modules: dict[str, nn.Module] = {
        FLOAT: subject.network,
        WHOLE: Deployed(runner, not order.format.any_batch),
    }
    found = {name: measure.values(counted(one, data.test, _BATCH, measure)) for name, one in modules.items()}
    return {
        metric.name: {name: values[i] for name, values in found.items()} for i, metric in enumerate(measure.metrics)
    }


def _names() -> list[str]:
    """Of all files that an export may consist of, the record first."""
    return [RECORD, *(f"model{one.suffix}" for one in FORMATS.values()), DEPLOYMENT]


def _place(out: Path, files: Mapping[str, bytes]) -> None:
    """Put the files into the folder, in the place of an earlier export's; `export.json` is the last: with it the export
    is whole."""
    made = not os.path.lexists(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in _names():
            (out / name).unlink(missing_ok=True)
    except OSError as error:
        raise not_written(out, error) from None
    try:
        for name, content in files.items():
            replace_atomically(out / name, content)
    except BaseException:
        with contextlib.suppress(OSError):
            for name in files:
                (out / name).unlink(missing_ok=True)
            if made:
                out.rmdir()
        raise
