"""One constructor for each mistake about a file, an emitted module, a network or another's package, which no single
room makes."""

from collections.abc import Sequence
from pathlib import Path

from nasir.diagnostics import CompileError, Diagnostic, closest


def unreadable(path: Path | str, reason: object) -> CompileError:
    return CompileError(Diagnostic("E0702", f"`{path}` cannot be read: {reason}"))


def not_written(path: Path, error: OSError) -> CompileError:
    return CompileError(Diagnostic("E0903", f"`{path}` cannot be written: {error.strerror or error}"))


def folder_for_a_file(path: Path) -> CompileError:
    return CompileError(Diagnostic("E0921", f"`{path}` is a folder", hints=("name a file in it",)))


def source_fails(path: Path, told: str) -> CompileError:
    hint = "it is run alone, and copied into run folders: what it imports must be installed"
    hints = (hint,) if told.startswith(("ModuleNotFoundError", "ImportError")) else ()
    return CompileError(Diagnostic("E0703", f"`{path}` cannot be run: {told}", hints=hints))


def no_weights(path: Path, reason: str) -> CompileError:
    hint = "name a `.safetensors` file, as the `model.safetensors` of a run"
    return CompileError(Diagnostic("E0932", f"`{path}` cannot be read as weights: {reason}", hints=(hint,)))


def torchs_weights(path: Path) -> CompileError:
    made = path.with_suffix(".safetensors")
    hints = (
        "torch's own files can run code as they are read; write the weights once more:"
        f' `state = torch.load("{path}", weights_only=True)`, `safetensors.torch.save_file(state, "{made}")`',
        'of a checkpoint take what has the weights, `state["state_dict"]` or `state["model"]`; of a module that was'
        " saved whole, if you trust it, `torch.load(..., weights_only=False).state_dict()`",
    )
    return CompileError(Diagnostic("E0932", f"`{path}` is a file of torch.save", hints=hints))


def other_weights(path: Path, difference: str, before: str = "") -> CompileError:
    """`before` is what all names in the file begin with, where they would fit without."""
    hint = "take the weights that were written with the network"
    if before:
        hint = f"its names begin with `{before}`: take that away, and save them again"
    return CompileError(Diagnostic("E0907", f"`{path}` does not fit the network: {difference}", hints=(hint,)))


def no_cost(name: str, known: Sequence[str]) -> CompileError:
    hints = closest(name, known) or (f"known here: {', '.join(known)}",)
    return CompileError(Diagnostic("E0614", f"`{name}` is no cost of the space", hints=hints))


def no_device(name: str) -> CompileError:
    return CompileError(
        Diagnostic("E0904", f"there is no device `{name}` here", hints=("use `cpu`, `cuda` or `cuda:N`",))
    )


def no_module(path: Path) -> CompileError:
    hint = "`nasir build` writes a file that defines one"
    return CompileError(Diagnostic("E0708", f"`{path}` defines no torch.nn.Module", hints=(hint,)))


def several_modules(path: Path, names: Sequence[str]) -> CompileError:
    listed = f"{', '.join(f'`{name}`' for name in names[:-1])} and `{names[-1]}`"
    hint = "the network is the class that no other class of the file uses: keep one such class in it"
    return CompileError(Diagnostic("E0708", f"`{path}` defines several networks: {listed}", hints=(hint,)))


def unknown_extension(setting: str, name: str, known: Sequence[str]) -> CompileError:
    """A strategy or a loss that Python gives, or whose package has gone since; a program's has a place in its text."""
    hints = closest(name, known) or ("install the package that announces it, or take another",)
    message = f"`{setting}` must be one of {', '.join(known)}, and `{name}` was given"
    return CompileError(Diagnostic("E0503", message, hints=hints))


def extension_fails(setting: str, name: str, place: str, error: Exception) -> CompileError:
    hint = f"mend or reinstall the package that announces it, as `{place}`"
    message = f"`{setting} = {name}` cannot be loaded: {type(error).__name__}: {error}"
    return CompileError(Diagnostic("E0517", message, hints=(hint,)))


def still_undecided(space: str, decisions: Sequence[str]) -> CompileError:
    hint = "commands that need one network take `--largest`, `--sample SEED`, `--run RUN`; Python has `space.at`"
    shown = ", ".join(decisions[:4]) + (", ..." if len(decisions) > 4 else "")
    return CompileError(Diagnostic("E0604", f"`{space}` still has something to decide: {shown}", hints=(hint,)))


def not_written_out(space: str) -> CompileError:
    message = f"a network of `{space}` cannot be written out as a program"
    hint = "a fault of nasir's: please report the program; `nasir build` emits the network all the same"
    return CompileError(Diagnostic("E0608", message, hints=(hint,)))


def emitted_wrongly(network: str, difference: str) -> CompileError:
    hint = "this is a fault of nasir's: please report it with the program"
    message = f"the module emitted for `{network}` is not the network: {difference}"
    return CompileError(Diagnostic("E0910", message, hints=(hint,)))


def formatted_wrongly(name: str) -> CompileError:
    hint = "this is a fault of nasir's, and nothing was written: please report it with the file"
    return CompileError(Diagnostic("E0910", f"the layout would change what `{name}` says", hints=(hint,)))
