"""One constructor for each mistake that a long job's folder holds, or that its machine lacks something for."""

import re
from collections.abc import Mapping
from pathlib import Path

from nasir.diagnostics import CompileError, Diagnostic

_AWAY = "take it away, or take another folder: `--out DIR`"


# Folders


def in_use(folder: Path) -> CompileError:
    hint = "wait for it, or take another folder: `--out DIR`"
    return CompileError(Diagnostic("E0905", f"another run writes into `{folder}`", hints=(hint,)))


def run_there(folder: Path) -> CompileError:
    hint = "`--resume` continues it, `--overwrite` replaces it, `--out DIR` goes elsewhere"
    return CompileError(Diagnostic("E0901", f"`{folder}` already contains a run", hints=(hint,)))


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
    hint = "take another folder: `--out DIR`"
    return CompileError(Diagnostic("E0918", f"the folder `{path}` cannot be made: {reason}", hints=(hint,)))


def import_in_the_way(name: str) -> CompileError:
    message = f"the space imports `{name}`, and a run writes a file of that name"
    return CompileError(Diagnostic("E0919", message, hints=("give the imported file another name",)))


# Checkpoints


def checkpoint_not_written(path: Path, error: OSError) -> CompileError:
    hint = "make room, or take a folder that can be written, then go on with `--resume`"
    return CompileError(Diagnostic("E0903", f"`{path}` cannot be written: {error.strerror}", hints=(hint,)))


def damaged_checkpoint(path: Path, error: Exception, phase: str, before: str | None) -> CompileError:
    """`before` is the name of the checkpoint before it, where there is one."""
    hint = "start again with `--overwrite`"
    if before is not None:
        hint = f"take it away, and `--resume` goes on from the one before it, `{before}`"
    elif phase == "train":
        hint = "take it away, and `--resume` trains the network from its beginning"
    return CompileError(Diagnostic("E0902", f"the checkpoint `{path}` is damaged: {error}", hints=(hint,)))


# TensorBoard


def no_tensorboard() -> CompileError:
    hint = "pip install 'nasir[tensorboard]'"
    return CompileError(Diagnostic("E0906", "`--tensorboard` needs TensorBoard", hints=(hint,)))


def events_not_written(folder: Path, error: OSError) -> CompileError:
    message = f"events cannot be written to `{folder}`: {error.strerror or error}"
    return CompileError(Diagnostic("E0903", message, hints=("go on without `--tensorboard`",)))


# Pools of workers


def no_ray() -> CompileError:
    hint = "pip install 'nasir[ray]'"
    return CompileError(Diagnostic("E0965", "`--on ray` needs Ray", hints=(hint,)))


def no_cluster(address: str, error: object) -> CompileError:
    hint = "start it, and install on its machines what is installed here: Python, Ray and nasir of the same versions"
    reason = getattr(error, "strerror", None) or str(error).strip().partition("\n")[0] or type(error).__name__
    return CompileError(Diagnostic("E0966", f"the cluster `{address}` cannot be used: {reason}", hints=(hint,)))


def no_machine_for_it(wanted: Mapping[str, float], most: Mapping[str, float]) -> CompileError:
    message = f"no machine of the cluster has {_amounts(wanted)} for a job: the largest has {_amounts(most)}"
    return CompileError(Diagnostic("E0967", message, hints=("ask for less with `--cpus` and `--gpus`",)))


def _amounts(counts: Mapping[str, float]) -> str:
    return " and ".join(f"{count:g} {name}{'s' * (count != 1)}" for name, count in counts.items())


def workers_lost(key: str, count: int, last: str) -> CompileError:
    message = f"{count} workers ended while they did `{key}`, the last one so: {last}"
    hint = "their memory may not do: take fewer `--jobs`, or a machine with more; `--resume` goes on"
    return CompileError(Diagnostic("E0968", message, hints=(hint,)))


def not_shared(folder: Path, machine: str) -> CompileError:
    message = f"`{folder}`, which is written into, is not on the machine `{machine}`"
    hint = "run it in a folder that all machines of the cluster have by the same path"
    return CompileError(Diagnostic("E0969", message, hints=(hint,)))


# Ranks


def rank_lost(count: int, error: BaseException) -> CompileError:
    reason = (
        re.sub(r"^\[[^]]*\] ", "", str(error).strip()).split(". ")[0].split("\n")[0]
    )  # what gloo says of its own files
    hint = "`torchrun --max-restarts N` goes on with those that are left, from the last checkpoint"
    message = f"one of the {count} processes of this run went away: {reason}"
    return CompileError(Diagnostic("E0961", message, hints=(hint,)))
