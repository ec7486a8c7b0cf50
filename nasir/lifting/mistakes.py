"""One constructor for each mistake of lifting a network."""

from collections.abc import Sequence
from math import prod
from pathlib import Path

from nasir.diagnostics import CompileError, Diagnostic, Span, closest
from nasir.named import NotNamed

# The network that is named


def no_factory(where: str, missing: NotNamed) -> CompileError:
    hints = missing.hints or ("write `nasir lift my_networks:SmallNet`, or `nasir lift my_networks.py:SmallNet`",)
    message = f"`{where}` names no class or function of a module: {missing.why}"
    return CompileError(Diagnostic("E0973", message, hints=hints))


def not_loaded(where: str, told: str) -> CompileError:
    return CompileError(Diagnostic("E0974", f"the module of `{where}` cannot be run: {told}"))


def not_made(where: str, told: str, names: Sequence[str]) -> CompileError:
    """`names` are those of its arguments, where they have to do with it."""
    hints = (f"it takes {', '.join(f'`--with {name}=...`' for name in names)}",) if names else ()
    return CompileError(Diagnostic("E0974", f"`{where}` cannot be made: {told}", hints=hints))


def scripted(where: str, name: str) -> CompileError:
    message = f"`{name}` of `{where}` is TorchScript" if name else f"`{where}` is TorchScript"
    hint = "name the network before `torch.jit.script` or `torch.jit.trace` makes that of it"
    return CompileError(Diagnostic("E0972", f"{message}, which has no Python to record", hints=(hint,)))


def not_begun(where: str, name: str) -> CompileError:
    hint = "run the network once where it is made, so that its lazy layers have sizes"
    return CompileError(Diagnostic("E0972", f"`{name}` of `{where}` has no weights yet", hints=(hint,)))


def no_network(where: str, kind: str) -> CompileError:
    hint = "name a class of torch.nn.Module, or a function that returns one"
    return CompileError(Diagnostic("E0975", f"`{where}` is no network, but of the type `{kind}`", hints=(hint,)))


def no_shape(text: str) -> CompileError:
    hint = "write channels and sizes: `3x224x224` of images, `40x98` of sequences, `54` of vectors"
    return CompileError(Diagnostic("E0976", f"`--input {text}` is no shape of an input", hints=(hint,)))


def too_large(shape: Sequence[int], most: int) -> CompileError:
    numbers = f"{' x '.join(map(str, shape))} is an input of {prod(shape):,} numbers, and {most:,} are the most"
    return CompileError(Diagnostic("E0986", numbers, hints=("lift the network at a smaller size",)))


def shape_missing(where: str) -> CompileError:
    hint = "give the shape of one: `--input 3x224x224`"
    return CompileError(Diagnostic("E0977", f"`{where}` does not say what inputs it takes", hints=(hint,)))


# What it does


_OF_LOSSES = frozenset(("log_softmax", "softmax", "argmax"))


def not_liftable(call: str, why: str, span: Span | None) -> Diagnostic:
    hint = "docs/lift.md tells what can be lifted"
    if call in _OF_LOSSES:
        hint = "at the end of a network leave it out: losses and `nasir predict` take what is before it"
    return Diagnostic("E0970", f"`{call}` cannot be lifted: {why}", span, (hint,))


def not_traced(where: str, error: Exception, span: Span | None) -> CompileError:
    first = str(error).strip().partition("\n")[0]
    if "data-dependent" in first or "DataDependent" in type(error).__name__:
        hint = "a program is one network: let an argument of the constructor decide, not the numbers of an input"
        message = f"what `{where}` does depends on the numbers of its input"
        return CompileError(Diagnostic("E0971", message, span, (hint,)))
    hint = "does it take one batch of inputs of the shape that `--input` names?"
    if "pytree" in str(error):
        first, hint = "what it returns is of a class of its own", "return a tensor, a tuple, a list or a dict"
    return CompileError(Diagnostic("E0972", f"`{where}` cannot be run: {type(error).__name__}: {first}", span, (hint,)))


def named_input(where: str, name: str) -> CompileError:
    message = f"`{where}` takes `{name}` by its name alone"
    hint = f"let `forward` take it by its place as well: `def forward(self, {name})`"
    return CompileError(Diagnostic("E0985", message, hints=(hint,)))


def several_inputs(where: str, names: Sequence[str]) -> CompileError:
    message = f"`{where}` takes {len(names)} inputs, {', '.join(f'`{name}`' for name in names)}: a program takes one"
    return CompileError(Diagnostic("E0985", message, hints=("lift the part that is to run on the device",)))


def shared(op: str, span: Span | None, first: Span | None) -> Diagnostic:
    related = ((first, "they are used here before"),) if first else ()
    hint = "each layer of a program has weights of its own: make a module for each use"
    return Diagnostic("E0979", f"the weights of this `{op}` are used twice", span, (hint,), related)


# What comes of it


def not_finite(where: str) -> CompileError:
    hint = "look at its weights, and at `--weights`: no program can be compared with it"
    return CompileError(
        Diagnostic("E0984", f"what `{where}` makes of normal noise are no finite numbers", hints=(hint,))
    )


def not_equal(where: str, error: float | None) -> CompileError:
    told = "has other layers" if error is None else f"differs by {error:.1e} of the largest output"
    hint = "nothing was written; please report it with the network"
    return CompileError(Diagnostic("E0980", f"the program of `{where}` is another network: it {told}", hints=(hint,)))


def is_there(path: Path) -> CompileError:
    return CompileError(Diagnostic("E0981", f"`{path}` is there already", hints=("replace it with `--overwrite`",)))


def no_kind(name: str, known: Sequence[str]) -> CompileError:
    hints = closest(name, known) or (f"`--open` takes {', '.join(known)}",)
    return CompileError(Diagnostic("E0982", f"`{name}` is nothing that `--open` opens", hints=hints))
