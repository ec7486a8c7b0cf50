"""One constructor for each mistake that the search or the training of a network ends with."""

from collections.abc import Sequence

from nasir.diagnostics import CompileError, Diagnostic, Span
from nasir.lang.settings import Optimizer

# What is asked for


def bound_too_low(bound: str, least: str) -> Diagnostic:
    message = f"no network of the space has {bound}: the smallest found has {least}"
    return Diagnostic("E0507", message, hints=("raise the bound, or add smaller options to the space",))


def nothing_to_bound(cost: str) -> Diagnostic:
    message = f"a share of `{cost}` bounds nothing: every network of the space has 0"
    return Diagnostic("E0507", message, hints=("take the bound away, or bound another cost",))


def bounds_apart(bounds: Sequence[str]) -> CompileError:
    message = f"no network was found that keeps {', '.join(bounds)} together"
    return CompileError(Diagnostic("E0516", message, hints=("raise a bound",)))


def nothing_to_keep(why: str) -> CompileError:
    message = f"`keep = best` keeps the weights of an epoch, and {why}"
    return CompileError(Diagnostic("E0510", message, hints=("leave one of the two out",)))


def empty_part() -> CompileError:
    hint = "change `split` or `batch`, so that each part makes batches of at least two inputs for each rank"
    return CompileError(
        Diagnostic("E0803", "one of the two parts of the training inputs does not fill a batch", hints=(hint,))
    )


def no_batches() -> CompileError:
    hint = "raise `train.batch`: each rank needs two inputs of a batch"
    return CompileError(Diagnostic("E0821", "the training inputs do not fill a batch", hints=(hint,)))


# Outputs, targets and losses


def other_classes(span: Span | None, what: str, data: str, classes: int, pixels: bool) -> CompileError:
    message = f"{what} does not have one value for each of the {classes} classes of `{data}`"
    end = f"-> conv(1, {classes})" if pixels else f"-> global_avg_pool -> linear({classes})"
    hint = f"end with `{end}`, or where the program has that parameter, give it: `--with classes={classes}`"
    if span is None:  # it is a file of Python
        hint = f"give the parameter of its constructor: `--with classes={classes}`"
    return CompileError(Diagnostic("E0819", message, span, (hint,)))


def undecided_output(span: Span | None, what: str, loss: str) -> CompileError:
    message = f"the shape of {what} is undecided, and `{loss}` compares it with targets of one shape"
    hint = "write one width in the last layer; maps have one size where the input has one, `image(1, size=32)`"
    return CompileError(Diagnostic("E0842", message, span, (hint,)))


def several_outputs(span: Span | None) -> CompileError:
    message = "a loss compares one output with the targets, and the network has several"
    hint = "return the one to train by; `nasir build` emits a network with several, for a loop of your own"
    return CompileError(Diagnostic("E0851", message, span, (hint,)))


def other_output(
    span: Span | None, what: str, shape: Sequence[int], loss: tuple[str, str], data: tuple[str, str]
) -> CompileError:
    """`loss` is its name and what it wants; `data` their name and what they have."""
    message = f"{what} has the shape {[*shape]}, and the targets of `{data[0]}` are {data[1]}"
    hints = (f"`{loss[0]}` takes {loss[1]}", "change the end of the network, or name a loss that fits: `--loss NAME`")
    return CompileError(Diagnostic("E0841", message, span, hints))


def failed_loss(name: str, shape: Sequence[int], target: str, why: str) -> CompileError:
    message = f"the loss `{name}` does not take outputs of shape {[*shape]} and targets that are {target}: {why}"
    hint = "it gives a scalar, the mean over the batch, of outputs [N, ...] and targets [N, ...]"
    return CompileError(Diagnostic("E0850", message, hints=(hint,)))


# Steps


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


# Checkpoints


def other_checkpoint(of: str, error: Exception) -> CompileError:
    hint = "start again with `--overwrite`"
    return CompileError(Diagnostic("E0920", f"the checkpoint does not fit the {of}: {error}", hints=(hint,)))


def starts_from_nothing(strategy: str) -> CompileError:
    hint = "leave `init` out of `search`, or take another strategy"
    message = f"the strategy `{strategy}` starts from no weights, and `search` names some"
    return CompileError(Diagnostic("E0934", message, hints=(hint,)))


def unused(strategy: str, what: str, why: str = "it trains one network after another") -> CompileError:
    message = f"the strategy `{strategy}` has no use for {what}: {why}"
    return CompileError(Diagnostic("E0852", message, hints=("leave it out, or take another strategy",)))


def serves_its_own_bounds(strategy: str) -> CompileError:
    hint = "`--set search.strategy=evolution` trains a supernet that serves all"
    message = f"the strategy `{strategy}` trains for its own bounds, and no search for others"
    return CompileError(Diagnostic("E0853", message, hints=(hint,)))


def no_weights_to_slice(strategy: str) -> CompileError:
    hint = "leave `init = sliced` out of `train`, or take another strategy"
    message = f"the strategy `{strategy}` has no weights after the search, and `train` starts from them"
    return CompileError(Diagnostic("E0935", message, hints=(hint,)))
