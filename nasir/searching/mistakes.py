"""One constructor for each mistake that a search, a training or a run's folder ends with."""

from collections.abc import Sequence
from pathlib import Path

from nasir.diagnostics import CompileError, Diagnostic
from nasir.lang.settings import Optimizer

_ANOTHER = "take another folder: `--out DIR`"
_AWAY = "take it away, or take another folder: `--out DIR`"
_AGAIN = "start again with `--overwrite`"
_NAMED = "name the folder that `nasir search --out` was given"


# What is asked for


def nothing_to_search(space: str) -> CompileError:
    hint = "`nasir train` trains a network that is decided"
    return CompileError(
        Diagnostic("E0605", f"`{space}` has nothing to search: no set and no choice is left in it", hints=(hint,))
    )


def bound_too_low(cost: str, limit: float, least: float) -> Diagnostic:
    message = f"no network of the space has {cost} <= {limit:,.12g}: the smallest found has {least:,}"
    return Diagnostic("E0507", message, hints=("raise the bound, or add smaller options to the space",))


def bounds_apart(bounds: Sequence[str]) -> CompileError:
    message = f"no network was found that keeps {', '.join(bounds)} together"
    return CompileError(Diagnostic("E0516", message, hints=("raise a bound",)))


def nothing_to_keep(why: str) -> CompileError:
    message = f"`keep = best` keeps the weights of an epoch, and {why}"
    return CompileError(Diagnostic("E0510", message, hints=("leave one of the two out",)))


# Devices and packages


def no_device(name: str) -> CompileError:
    return CompileError(
        Diagnostic("E0904", f"there is no device `{name}` here", hints=("use `cpu`, `cuda` or `cuda:N`",))
    )


def no_computation(name: str) -> CompileError:
    return CompileError(Diagnostic("E0904", f"nothing can be computed on `{name}`", hints=("use `cpu` or `cuda`",)))


def one_device_for_all(name: str) -> CompileError:
    hint = "write `--device cuda`: each rank takes its own"
    return CompileError(Diagnostic("E0924", f"all ranks would take `{name}`", hints=(hint,)))


def synchronised_without_gpus() -> CompileError:
    hint = "leave `--sync-bn` out: without it each rank takes the statistics of its own images"
    return CompileError(Diagnostic("E0925", "torch synchronises batch norms on GPUs alone", hints=(hint,)))


def no_tensorboard() -> CompileError:
    hint = "pip install 'nasir[tensorboard]'"
    return CompileError(Diagnostic("E0906", "`--tensorboard` needs TensorBoard", hints=(hint,)))


# Steps


def empty_part() -> CompileError:
    hint = "change `split` or `batch`, so that each part makes batches of at least two images for each rank"
    return CompileError(
        Diagnostic("E0803", "one of the two parts of the training images does not fill a batch", hints=(hint,))
    )


def no_batches() -> CompileError:
    hint = "raise `train.batch`: each rank needs two images of a batch"
    return CompileError(Diagnostic("E0821", "the training images do not fill a batch", hints=(hint,)))


def diverged(loss: float, where: str, setting: str, optimizer: Optimizer, *hints: str) -> CompileError:
    """A loss is no finite number; `setting` is the optimizer that led there."""
    gentler = {name: value / 10 if name == "lr" else value for name, value in optimizer.arguments}
    arguments = ", ".join(f"{name}={value:g}" for name, value in gentler.items())
    change = f'--set "{setting}={optimizer.name}({arguments})"'
    hint = f"lower its learning rate, `{change}`, and start again with `--overwrite`"
    return CompileError(Diagnostic("E0804", f"the loss is {loss} in {where}", hints=(hint, *hints)))


def infinite_weights() -> CompileError:
    hint = "lower the learning rates, and start again with `--overwrite`"
    return CompileError(Diagnostic("E0804", "some of the weights are not finite numbers", hints=(hint,)))


def infinite_outputs() -> CompileError:
    hint = "lower the learning rate of the training, and start again with `--overwrite`"
    return CompileError(Diagnostic("E0804", "some of the network's outputs are not finite numbers", hints=(hint,)))


# Networks in Python files


def not_made(path: Path, error: Exception) -> CompileError:
    message = f"the network of `{path}` cannot be made without arguments: {error}"
    return CompileError(Diagnostic("E0709", message, hints=("give each parameter of `__init__` a default",)))


def nothing_to_train(path: Path) -> CompileError:
    return CompileError(Diagnostic("E0710", f"the network of `{path}` has no weights to train"))


def images_not_taken(path: Path, error: Exception, data: str, shape: Sequence[int]) -> CompileError:
    hint = f"the images of `{data}` are {[*shape]}"
    return CompileError(Diagnostic("E0820", f"`{path}` does not take the images: {error}", hints=(hint,)))


def classes_not_told(path: Path, data: str, classes: int) -> CompileError:
    hint = f"its output needs a value for each class: [N, {classes}]"
    message = f"`{path}` does not tell the {classes} classes of `{data}` apart"
    return CompileError(Diagnostic("E0819", message, hints=(hint,)))


# Folders of runs


def in_use(folder: Path) -> CompileError:
    hint = "wait for it, or take another folder: `--out DIR`"
    return CompileError(Diagnostic("E0905", f"another run writes into `{folder}`", hints=(hint,)))


def run_there(folder: Path) -> CompileError:
    hint = "`--resume` continues it, `--overwrite` replaces it, `--out DIR` goes elsewhere"
    return CompileError(Diagnostic("E0901", f"`{folder}` already contains a run", hints=(hint,)))


def sweep_there(folder: Path, name: str) -> CompileError:
    hint = "`--resume` goes on with a sweep, `--overwrite` replaces it, `--out DIR` goes elsewhere"
    return CompileError(Diagnostic("E0901", f"`{folder}` already contains the `{name}` of a sweep", hints=(hint,)))


def no_run(folder: Path) -> CompileError:
    return CompileError(Diagnostic("E0908", f"`{folder}` contains no run", hints=(_NAMED,)))


def damaged_plan(path: Path, reason: str = "it is not a JSON object") -> CompileError:
    return CompileError(Diagnostic("E0909", f"`{path}` is damaged: {reason}", hints=(_AGAIN,)))


def damaged_run(folder: Path, error: Exception) -> CompileError:
    message = f"the files of `{folder}` are damaged: {type(error).__name__}: {error}"
    return CompileError(Diagnostic("E0909", message, hints=("run it again with `--overwrite`",)))


def another_run(folder: Path, different: Sequence[str]) -> CompileError:
    hint = "resume with the same file and options, or start again with `--overwrite`"
    message = f"the run in `{folder}` is another one: it has {' and '.join(different)}"
    return CompileError(Diagnostic("E0911", message, hints=(hint,)))


def foreign_file(folder: Path, name: str) -> CompileError:
    hint = "a run would replace it: take another folder, `--out DIR`"
    message = f"`{folder}` already contains `{name}`, which no nasir run wrote"
    return CompileError(Diagnostic("E0913", message, hints=(hint,)))


def no_folder(path: Path, name: str) -> CompileError:
    message = f"`{path}` is not a folder, and a run writes `{name}` into it"
    return CompileError(Diagnostic("E0914", message, hints=(_AWAY,)))


def folder_for_a_file(path: Path) -> CompileError:
    message = f"`{path}` is a folder, and a run writes a file of that name"
    return CompileError(Diagnostic("E0914", message, hints=(_AWAY,)))


def no_lock_file(path: Path) -> CompileError:
    message = f"`{path}` is not a regular file, and a run locks its folder with it"
    return CompileError(Diagnostic("E0914", message, hints=(_AWAY,)))


def folder_not_made(path: Path, reason: str | None) -> CompileError:
    return CompileError(Diagnostic("E0918", f"the folder `{path}` cannot be made: {reason}", hints=(_ANOTHER,)))


def import_in_the_way(name: str) -> CompileError:
    message = f"the space imports `{name}`, and a run writes a file of that name"
    return CompileError(Diagnostic("E0919", message, hints=("give the imported file another name",)))


def checkpoint_not_written(path: Path, error: OSError) -> CompileError:
    hint = "make room, or take a folder that can be written, then go on with `--resume`"
    return CompileError(Diagnostic("E0903", f"`{path}` cannot be written: {error.strerror}", hints=(hint,)))


def events_not_written(folder: Path, error: OSError) -> CompileError:
    message = f"events cannot be written to `{folder}`: {error.strerror or error}"
    return CompileError(Diagnostic("E0903", message, hints=("go on without `--tensorboard`",)))


def damaged_checkpoint(path: Path, error: Exception, phase: str, before: str | None) -> CompileError:
    """`before` is the name of the checkpoint before it, where there is one."""
    hint = _AGAIN
    if before is not None:
        hint = f"take it away, and `--resume` goes on from the one before it, `{before}`"
    elif phase == "train":
        hint = "take it away, and `--resume` trains the network from its beginning"
    return CompileError(Diagnostic("E0902", f"the checkpoint `{path}` is damaged: {error}", hints=(hint,)))


def other_checkpoint(of: str, error: Exception) -> CompileError:
    return CompileError(Diagnostic("E0920", f"the checkpoint does not fit the {of}: {error}", hints=(_AGAIN,)))


# Networks that predict


def no_network(path: Path) -> CompileError:
    hint = "name a run that is finished, or an emitted `model.py` with `model.safetensors` beside it"
    return CompileError(Diagnostic("E0912", f"`{path}` contains no network", hints=(hint,)))


def network_in_python(path: Path) -> CompileError:
    hint = f"its network is code: name the file, `nasir predict {path / 'model.py'} ...`, which runs it"
    return CompileError(Diagnostic("E0912", f"`{path}` contains no network in the language", hints=(hint,)))


def other_weights(path: Path, reason: str) -> CompileError:
    hint = "take the weights that the run wrote beside the network"
    return CompileError(Diagnostic("E0907", f"`{path}` does not fit the network: {reason}", hints=(hint,)))


def no_deployment(path: Path, error: Exception) -> CompileError:
    hint = "take the `deploy.json` that the run wrote beside the network"
    return CompileError(Diagnostic("E0926", f"`{path}` cannot be used: {error}", hints=(hint,)))


def prepared_by_code(maker: str) -> CompileError:
    hint = "prepare the images as it does, and call the network from Python"
    message = f"the training images were prepared by {maker}, which `nasir predict` does not run"
    return CompileError(Diagnostic("E0927", message, hints=(hint,)))


def deployment_of_another(path: Path, reason: str) -> CompileError:
    hint = "take the `deploy.json` that the run wrote beside the network"
    return CompileError(Diagnostic("E0928", f"`{path}` and its `deploy.json` do not fit: {reason}", hints=(hint,)))
