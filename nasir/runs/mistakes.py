"""One constructor for each mistake that a run ends with, from its request to what is told of its folder."""

from collections.abc import Sequence
from pathlib import Path

from nasir.diagnostics import CompileError, Diagnostic

_AGAIN = "start again with `--overwrite`"
_NAMED = "name the folder that `nasir search --out` was given"


# What is asked for


def nothing_to_search(space: str) -> CompileError:
    hint = "`nasir train` trains a network that is decided"
    return CompileError(
        Diagnostic("E0605", f"`{space}` has nothing to search: no set and no choice is left in it", hints=(hint,))
    )


def no_loss(text: str, why: str, hints: Sequence[str] = ()) -> CompileError:
    hints = tuple(hints) or ("write `--loss python:my_loss:huber`, the function `huber` of my_loss.py",)
    return CompileError(Diagnostic("E0942", f"`--loss {text}` names no function: {why}", hints=hints))


# Devices


def no_computation(name: str) -> CompileError:
    return CompileError(Diagnostic("E0904", f"nothing can be computed on `{name}`", hints=("use `cpu` or `cuda`",)))


def one_device_for_all(name: str) -> CompileError:
    hint = "write `--device cuda`: each rank takes its own"
    return CompileError(Diagnostic("E0924", f"all ranks would take `{name}`", hints=(hint,)))


def synchronised_without_gpus() -> CompileError:
    hint = "leave `--sync-bn` out: without it each rank takes the statistics of its own images"
    return CompileError(Diagnostic("E0925", "torch synchronises batch norms on GPUs alone", hints=(hint,)))


# Networks in Python files


def not_made(path: Path, error: Exception) -> CompileError:
    message = f"the network of `{path}` cannot be made without arguments: {error}"
    return CompileError(Diagnostic("E0709", message, hints=("give each parameter of `__init__` a default",)))


def nothing_to_train(path: Path) -> CompileError:
    return CompileError(Diagnostic("E0710", f"the network of `{path}` has no weights to train"))


def images_not_taken(path: Path, error: Exception, data: str, shape: Sequence[int]) -> CompileError:
    hint = f"the inputs of `{data}` are {[*shape]}"
    return CompileError(Diagnostic("E0820", f"`{path}` does not take the inputs: {error}", hints=(hint,)))


def no_output(path: Path) -> CompileError:
    hint = "its output is one tensor, [N, classes] or [N, channels, height, width]"
    return CompileError(Diagnostic("E0940", f"`{path}` does not give one output for each input", hints=(hint,)))


def no_parameter(path: Path, network: str, name: str, known: Sequence[str]) -> CompileError:
    message = f"the constructor of `{network}` in `{path}` has no parameter `{name}`"
    hint = f"it has `{', '.join(known)}`" if known else "it has none, or the file does not define it"
    return CompileError(Diagnostic("E0930", message, hints=(hint,)))


def no_argument(path: Path, network: str, parameter: str, text: str) -> CompileError:
    message = f"`{text}` is no value for the parameter `{parameter}` of `{network}` in `{path}`"
    hint = "the command line gives whole numbers, numbers, `true`, `false` and texts, as the parameter's kind asks for"
    return CompileError(Diagnostic("E0931", message, hints=(hint,)))


# Weights to start from


def nothing_fits(path: Path, file: str, network: str) -> CompileError:
    hint = f"weights are taken by name and shape: the first of the file is {file}, of the network {network}"
    return CompileError(Diagnostic("E0933", f"no weight of `{path}` is one of the network's", hints=(hint,)))


def teaches_classes_alone(path: Path) -> CompileError:
    message = f"`{path}` teaches by the probabilities of an input's classes, and these targets are none"
    return CompileError(Diagnostic("E0936", message, hints=("leave `--teacher` out",)))


def teaches_other_classes(path: Path, taught: int, classes: int) -> CompileError:
    message = f"`{path}` tells {taught} classes, and the data set has {classes}"
    hint = "name a network that was trained on the same classes"
    return CompileError(Diagnostic("E0937", message, hints=(hint,)))


# Supernets of other runs


def no_supernet(path: Path, why: str) -> CompileError:
    hint = f"name a run whose search is done; `nasir search ... --out {path} --resume` goes on with one that is not"
    return CompileError(Diagnostic("E0938", f"`{path}` has no trained supernet: {why}", hints=(hint,)))


def other_supernet(path: Path, different: Sequence[str]) -> CompileError:
    hint = "a supernet serves other bounds of the same search: give the same file and options"
    message = f"the supernet of `{path}` is another one: it has {' and '.join(different)}"
    return CompileError(Diagnostic("E0939", message, hints=(hint,)))


# Folders of runs


def sweep_there(folder: Path, name: str) -> CompileError:
    hint = "`--resume` goes on with a sweep, `--overwrite` replaces it, `--out DIR` goes elsewhere"
    return CompileError(Diagnostic("E0901", f"`{folder}` already contains the `{name}` of a sweep", hints=(hint,)))


def bounds_left_out(folder: Path, bounds: Sequence[str]) -> CompileError:
    hint = "name them too, as they were written; `--overwrite` replaces the sweep, `--out DIR` goes elsewhere"
    told = ", ".join(f"`{bound}`" for bound in bounds)
    message = f"the sweep in `{folder}` has other bounds as well: {told}"
    return CompileError(Diagnostic("E0943", message, hints=(hint,)))


def bounds_of_a_supernet(folder: Path) -> CompileError:
    hint = f"name the bounds that it began with; `nasir search FILE --supernet {folder} --bound ...` searches one more"
    return CompileError(Diagnostic("E0943", f"the supernet in `{folder}` was trained for other bounds", hints=(hint,)))


def no_run(folder: Path) -> CompileError:
    return CompileError(Diagnostic("E0908", f"`{folder}` contains no run", hints=(_NAMED,)))


def damaged_file(path: Path, reason: str) -> CompileError:
    return CompileError(Diagnostic("E0909", f"`{path}` is damaged: {reason}", hints=(_AGAIN,)))


def damaged_run(folder: Path, error: Exception) -> CompileError:
    message = f"the files of `{folder}` are damaged: {type(error).__name__}: {error}"
    return CompileError(Diagnostic("E0909", message, hints=("run it again with `--overwrite`",)))


def another_run(folder: Path, different: Sequence[str]) -> CompileError:
    hint = "resume with the same file and options, or start again with `--overwrite`"
    message = f"the run in `{folder}` is another one: it has {' and '.join(different)}"
    return CompileError(Diagnostic("E0911", message, hints=(hint,)))


# Ranks


def ranks_differ(different: Sequence[str]) -> CompileError:
    hint = "give all machines the same command, files, data and versions"
    message = f"the processes of this run do not do the same: one has {' and '.join(different)}"
    return CompileError(Diagnostic("E0962", message, hints=(hint,)))


def run_elsewhere(folder: Path, rank: int) -> CompileError:
    hint = "keep run folders on a disk that all machines share: any of them may be the first"
    message = f"the run in `{folder}` is on the disk of process {rank}, and the first process does not have it"
    return CompileError(Diagnostic("E0963", message, hints=(hint,)))


# Runs to repeat


def nothing_to_repeat(run: Path) -> CompileError:
    return CompileError(Diagnostic("E0908", f"`{run}` contains no search to repeat", hints=(_NAMED,)))


def repeated_on_other_data(run: Path, data: str) -> CompileError:
    hint = f"to repeat it, say so: `--data {data}`"
    return CompileError(Diagnostic("E0915", f"`{run}` was searched on the data `{data}`", hints=(hint,)))


def settings_from_python(run: Path) -> CompileError:
    hint = "its settings were given in Python: repeat it from there"
    message = f"`{run}` was searched with other settings than its space and its command line give"
    return CompileError(Diagnostic("E0916", message, hints=(hint,)))


def loss_from_python(run: Path) -> CompileError:
    hint = "repeat it from there, `nasir.search(..., loss=...)`, or search again with the same `--loss`"
    message = f"`{run}` was searched with a loss that was given in Python"
    return CompileError(Diagnostic("E0929", message, hints=(hint,)))


def repeated_without(run: Path, what: str, remedy: str) -> CompileError:
    message = f"`{run}` was searched with {what}"
    return CompileError(Diagnostic("E0983", message, hints=(f"to repeat it, {remedy}",)))


def other_ranks(run: Path, ranks: int) -> CompileError:
    hint = f"torchrun --no-python --nproc-per-node {ranks} nasir search --from {run}"
    message = f"`{run}` was searched by {ranks} rank{'s' * (ranks != 1)}, and a repetition needs as many"
    return CompileError(Diagnostic("E0917", message, hints=(hint,)))


# Networks that predict


def no_network(path: Path) -> CompileError:
    hint = "name a run that is finished, or an emitted `model.py` with `model.safetensors` beside it"
    return CompileError(Diagnostic("E0912", f"`{path}` contains no network", hints=(hint,)))


def network_in_python(path: Path) -> CompileError:
    hint = f"its network is code: name the file, `{path / 'model.py'}`, which runs it"
    return CompileError(Diagnostic("E0912", f"`{path}` contains no network in the language", hints=(hint,)))


def no_weights_there(path: Path) -> CompileError:
    hint = f"the network's weights lie beside it: `nasir train` writes both; put yours at `{path}`"
    return CompileError(Diagnostic("E0907", f"there is no `{path}`", hints=(hint,)))


def no_deployment(path: Path, error: Exception | str) -> CompileError:
    hint = "take the `deploy.json` that the run wrote beside the network"
    return CompileError(Diagnostic("E0926", f"`{path}` cannot be used: {error}", hints=(hint,)))


def prepared_by_code(maker: str) -> CompileError:
    hint = "prepare the inputs as it does, and call the network from Python"
    message = f"the training inputs were prepared by {maker}, which `nasir predict` does not run"
    return CompileError(Diagnostic("E0927", message, hints=(hint,)))


def deployment_of_another(path: Path, reason: str) -> CompileError:
    hint = "take the `deploy.json` that the run wrote beside the network"
    return CompileError(Diagnostic("E0928", f"`{path}` and its `deploy.json` do not fit: {reason}", hints=(hint,)))


def maps_of_values(path: Path, shape: Sequence[int]) -> CompileError:
    hint = "call the network from Python: `deploy.json` says how a file becomes its input"
    message = f"the outputs of `{path}` are maps of numbers, {[*shape]}, which no line can hold"
    return CompileError(Diagnostic("E0941", message, hints=(hint,)))
