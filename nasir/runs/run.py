"""A whole run: search, derive, emit, train; everything into one folder."""

import json
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from rich.console import Console
from safetensors.torch import save
from torch import Tensor, nn

from nasir.api import Space
from nasir.cost.registry import PRIMARY
from nasir.data import DataSet, Input, input_of, load_data
from nasir.execution import network_class, proved, source_of
from nasir.ir.graph import Choices
from nasir.jobs.events import Events, check_events
from nasir.jobs.folder import RunFolder
from nasir.jobs.machine import fitting_threads, launcher
from nasir.jobs.progress import progress
from nasir.jobs.ranks import joined
from nasir.jobs.signals import pausing
from nasir.lang.settings import Settings, TrainSettings
from nasir.profiling.winner import FILE as LATENCIES
from nasir.profiling.winner import Winner, measured_winner
from nasir.runs import mistakes
from nasir.runs.beginning import begin, goes_on, mend_lines, saved
from nasir.runs.constructing import constructed
from nasir.runs.deploying import DEPLOY_KEY, deployment, deployment_notes, show_data
from nasir.runs.network_files import checked, made, written_input
from nasir.runs.plan import Job, check_same_search, pick_device, plan, run_facts
from nasir.runs.report import write_report
from nasir.runs.request import Request
from nasir.runs.starting import of_its_own, with_start, with_supernet, with_supernet_start, with_teacher
from nasir.runs.summary import Summary
from nasir.runs.weights import given
from nasir.searching.fitting import fitted, output_of
from nasir.searching.loop import Search
from nasir.searching.measures import Measure
from nasir.searching.prices import Targets, targets
from nasir.searching.strategy import Found
from nasir.searching.training import Training, check_training, counted
from nasir.weights import read_weights


@dataclass(frozen=True)
class Result:
    """A run's summary, its network, the choices that the network uses (none where nothing was searched), and how many
    decisions there were."""

    summary: Summary
    network: Space
    chosen: Choices
    decisions: int = 0


def search(space: Space, request: Request, console: Console) -> Result:
    """Run the main job.

    Raises:
        CompileError: where the space, the data, the bounds or the folder do not do.
        Stopped: where a signal ended it; it can be resumed.
    """
    check_open(space)
    request = request.on(space.name).with_loss()
    goal = targets(space.settings.objective, space.costs)
    for choices in (space.largest(), space.smallest(), space.sample(request.seed)):
        space.arch(choices)  # what cannot be written out is said before the search, not after it
        proved(space.at(choices))

    def data() -> DataSet:
        found = _load(request, input_of(space.graph))
        return fitted(found, output_of(space.graph), space.settings, request.loss, search=True)[0]

    # A step goes forward and backward, of the largest network at most.
    batch = space.settings.search.batch
    work = 3 * batch * space.range()[1]
    with _job(request, console, data, fitting_threads(work, len(space.graph.nodes))) as job:
        return _search(space, goal, job)


def check_open(space: Space) -> None:
    """There is something to search.

    Raises:
        CompileError: where there is not.
    """
    if not space.decisions:
        raise mistakes.nothing_to_search(space.name)


def _search(space: Space, goal: Targets, job: Job) -> Result:
    """The main job in its folder; what is parallel ends with it."""
    folder, ranks = job.folder, job.ranks
    check_training(job.data, space.settings.train, job.request.seed)  # of the training, before the search
    request = job.request
    path = space.weights
    weights = ranks.lead(lambda: read_weights(path)) if path else None
    loop = Search(
        space,
        job.data,
        goal,
        request.seed,
        job.device,
        ranks,
        synchronised=request.synchronised,
        loss=request.loss,
        start=given(weights) if weights else None,
    )
    job = with_supernet_start(job, weights, loop)
    job = with_supernet(job, space.settings.search.strategy)
    wanted = plan(space, job, loop.measure.metrics, goal)
    if job.shared is not None:
        check_same_search(job.shared, wanted, request)
        loop.take(job.shared.state)
    begin(job, wanted, lambda: folder.write_program("space.nas", space.source.text, space.files))
    if (state := saved(job, "search")) is not None:
        loop.restore(state)
    if loop.found is None:
        ranks.lead(lambda: folder.drop_checkpoints("train"))
        mend_lines(job)
    epochs = space.settings.search.epochs
    for words in loop.notes:
        job.console.print(words, style="yellow", markup=False, soft_wrap=True)
    with progress(job.console, "search", epochs, loop.epoch) as report:
        loop.run(folder, report, job.pauses)
    found = loop.found or ranks.lead(lambda: loop.choose(job.pauses))
    loop.found = found
    loop.save(folder, job.pauses)
    network, active = space.at(found.choices), space.active(found.choices)
    # What a skipped layer would have had is no part of the network, and moved nowhere.
    found = replace(found, likeliest={n: option for n, option in found.likeliest.items() if n in active})

    def write() -> None:
        folder.write_json("choices.json", found.choices)
        folder.write("arch.nas", space.arch(found.choices))

    ranks.lead(write)
    if (taken := input_of(network.graph)) != input_of(space.graph):
        again = _load(request, taken)
        again.skip(job.data.left_out)
        job = replace(job, data=again)
    sliced = space.settings.train.init == "sliced"
    initial = ranks.lead(lambda: loop.weights(found.choices)) if sliced else None
    summary = _train(job, network, found, goal, initial)
    return Result(summary, network, active, len(space.decisions))


def train_network(network: Space, request: Request, console: Console) -> Result:
    """Train a decision-free space from scratch.

    Raises:
        CompileError: where decisions are left, or the data or the folder do not do.
        Stopped: where a signal ended it; it can be resumed.
    """
    source = proved(network)  # a diagnostic where decisions are left
    request = request.on(network.name).with_loss()

    def data() -> DataSet:
        found = _load(request, input_of(network.graph))
        return fitted(found, output_of(network.graph), network.settings, request.loss, search=False)[0]

    work = 3 * network.settings.train.batch * network.range()[0]
    with _job(request, console, data, fitting_threads(work, len(network.graph.nodes))) as job:
        job = with_start(job, lambda: network_class(Path("model.py"), source)())
        network = replace(network, settings=of_its_own(job, network.settings))
        program = network.source.text
        _, measure = fitted(job.data, output_of(network.graph), network.settings, request.loss, search=False)
        wanted = plan(network, job, measure.metrics)
        begin(job, wanted, lambda: job.folder.write_program("arch.nas", program, network.files))
        return Result(_train(job, network, None, None), network, {})


def train_file(
    path: Path, settings: Settings, request: Request, console: Console, given: Mapping[str, str] | None = None
) -> Summary:
    """Train the module that an emitted file defines, made with the arguments `given`.

    Raises:
        CompileError: where the file defines none, it does not take the arguments or the data's images, or the folder
            does not do.
        Stopped: where a signal ended it; it can be resumed.
    """
    source = constructed(path, source_of(path), given or {})
    module = made(path, source)
    request = request.on(path.stem).with_loss()
    with _job(request, console, lambda: _load(request, written_input(source)), 1) as job:
        costs, output = checked(module, path, job.data)
        found, measure = fitted(job.data, output, settings, request.loss, search=False)
        job = with_start(job, lambda: module)
        settings = of_its_own(job, settings)
        work = 3 * settings.train.batch * costs[PRIMARY]
        job = replace(job, data=found, threads=fitting_threads(work, len(list(module.modules()))))
        text = source.decode("utf-8", errors="backslashreplace")
        program: dict[str, Any] = {"name": path.stem, "space": text, "imports": {}, "bounds": {}}
        wanted = {**program, **run_facts(settings, job, measure.metrics)}
        begin(job, wanted, lambda: job.folder.write("model.py", source))
        return _train_module(job, path.stem, source, costs, settings.train, measure)


def _load(request: Request, input: Input | None) -> DataSet:
    return load_data(request.data, input, classes=request.classes, seed=request.seed, skip_broken=request.skip_broken)


@contextmanager
def _job(request: Request, console: Console, data: Callable[[], DataSet], threads: int) -> Generator[Job]:
    """A run with its data, in a folder that no other run writes into; `threads` fit it where none are asked for."""
    began = time.time()
    device = pick_device(request.device)
    if device.type == "meta":
        raise mistakes.no_computation("meta")
    with joined(device) as ranks, pausing() as pauses:
        if request.synchronised and device.type != "cuda":
            raise mistakes.synchronised_without_gpus()
        folder = RunFolder(request.folder, writes=ranks.first)
        shown = console if ranks.first else Console(quiet=True)
        if request.loss is not None and request.loss_named is None:
            words = f"the loss `{request.loss_name}` was given in Python: the command line cannot repeat this run"
            shown.print(words, style="yellow", markup=False, soft_wrap=True)
        found = ranks.together(data)
        show_data(found, shown)
        if request.tensorboard:
            ranks.lead(check_events)
        events = Events(folder) if request.tensorboard and ranks.first else None
        ranks.lead(folder.lock)
        try:
            launchers = ranks.union({launcher()} - {""})
            resumes = goes_on(request, folder, ranks, launchers)
            request = replace(request, device=str(device))
            threads = request.threads or threads
            job = Job(request, found, device, ranks, folder, pauses, shown, began, resumes, threads, launchers)
            yield with_teacher(job)
        finally:
            if events is not None:
                events.close()
            if ranks.first:
                folder.unlock()


def _train(
    job: Job,
    network: Space,
    found: Found | None,
    goal: Targets | None,
    initial: Mapping[str, Tensor] | None = None,
) -> Summary:
    """Train a network; of a search with the supernet's weights as `initial` ones, where it starts from them."""
    data, measure = fitted(job.data, output_of(network.graph), network.settings, job.request.loss, search=False)
    job = replace(job, data=data)
    source = proved(network, deployment_notes(data, measure))
    job.ranks.lead(lambda: job.folder.write("model.py", source))
    costs = network.costs.at({}, network.cost_names)
    winners = job.ranks.lead(lambda: measured_winner(network)) if found else []
    return _train_module(
        job, network.name, source, costs, network.settings.train, measure, found, goal, winners, initial
    )


def _train_module(
    job: Job,
    name: str,
    source: str | bytes,
    costs: Mapping[str, int],
    settings: TrainSettings,
    measure: Measure,
    found: Found | None = None,
    goal: Targets | None = None,
    winners: Sequence[Winner] = (),
    initial: Mapping[str, Tensor] | None = None,
) -> Summary:
    """Train the module that `source` defines, which is the folder's `model.py`, and write what it is worth."""
    folder, ranks = job.folder, job.ranks
    torch.manual_seed(job.request.seed)
    module: nn.Module = network_class(folder.path / "model.py", source)()
    if initial is not None:
        module.load_state_dict(initial)
    elif job.start is not None and found is None:
        job.start.put(module)
    if job.request.synchronised:
        module = cast(nn.Module, nn.SyncBatchNorm.convert_sync_batchnorm(module))
    training = _training(job, module, settings, measure)
    mend_lines(job)
    with progress(job.console, "train ", settings.epochs, training.epoch) as report:
        training.run(folder, report, job.pauses)

    def finish() -> Summary:
        facts = _write_weights(job, module, measure)
        counts = counted(module, job.data.test.to(job.device), settings.batch, measure, job.pauses)
        folder.write_json("test.json", measure.facts(counts, facts["classes"]))
        if winners:
            folder.write_json(LATENCIES, {"networks": [one.as_json() for one in winners]})
        bounds = goal.bounds if goal else ()
        summary = Summary(
            name=name,
            costs=costs,
            metrics=measure.metrics,
            test=measure.values(counts),
            supernet=found and found.score,
            seconds=_seconds(job),
            bounds={b.cost: {"limit": b.limit, "used": costs[b.cost] / b.limit} for b in bounds},
            lands=found.lands if found and goal and goal.spent else None,
            skipped_files=len(job.data.left_out),
            validation=training.validation,
            kept_epoch=training.kept,
            entropy=found and found.entropy,
            moved=found.moved if found else {},
            init=job.start and job.start.as_json(),
            teacher=job.teacher and job.teacher.as_json(),
        )
        folder.write_json("summary.json", summary.as_json())
        write_report(folder.path)
        return summary

    return ranks.lead(finish)


def _write_weights(job: Job, module: nn.Module, measure: Measure) -> dict[str, Any]:
    """Write the weights, and what a deployment needs beside them; the latter comes back."""
    # Copies: a file of the user's may have weights that share memory, and the format does not.
    state = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in module.state_dict().items()}
    facts = deployment(job.data, measure)
    job.folder.write_json("deploy.json", facts)
    # One entry of metadata: several would come in an order that changes from run to run.
    job.folder.write("model.safetensors", save(state, {DEPLOY_KEY: json.dumps(facts)}))
    return facts


def _training(job: Job, module: nn.Module, settings: TrainSettings, measure: Measure) -> Training:
    """The training of a module, where it stands."""
    check_training(job.data, settings, job.request.seed)
    training = Training(
        module,
        job.data,
        settings,
        job.request.seed,
        job.device,
        job.ranks,
        measure=measure,
        loss=job.request.loss,
        teacher=job.teacher and job.teacher.network(job.data),
    )
    if (state := saved(job, "train")) is not None:
        training.restore(state)
    return training


def _seconds(job: Job) -> float:
    """Wall time of the run: of this process, and of the epochs before it where it was resumed."""
    now = time.time()
    earlier = (line for line in job.folder.lines("timing.jsonl") if line["ended"] < job.began)
    return sum((line["seconds"] for line in earlier), 0.0) + now - job.began
