"""One constructor for each mistake that the data of a run hold."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from nasir.diagnostics import CompileError, Diagnostic, closest
from nasir.named import NotNamed


def unknown_data(name: str, kind: str, known: Iterable[str], shown: str) -> CompileError:
    hints = closest(kind, known) or (f"data sets: {shown}",)
    return CompileError(Diagnostic("E0801", f"no data set is named `{name}`", hints=hints))


def too_few_images(name: str, training: int, test: int) -> CompileError:
    message = f"`{name}` has {training} training and {test} test inputs"
    hint = "at least two training inputs and a test input are needed"
    return CompileError(Diagnostic("E0810", message, hints=(hint,)))


def bad_class_count(text: str, wrong: str, of: int) -> CompileError:
    hint = f"write a number from 2 to {of}, or a percentage of them"
    return CompileError(Diagnostic("E0811", f"`--classes {text}` is {wrong} of the {of} classes", hints=(hint,)))


def bad_label(where: str, image: int, label: int, wrong: str) -> CompileError:
    hint = "labels count from 0, and each of them has images"
    return CompileError(Diagnostic("E0812", f"{where}: image {image} has the label {label}, {wrong}", hints=(hint,)))


# Data and network


def other_kind(
    data: str, network: tuple[str, Sequence[int]], found: tuple[str, Sequence[int]], right: str
) -> CompileError:
    """What inputs are called and their shape, of the network and of the data."""
    (taken, wanted), (given, shape) = network, found
    message = f"the network takes {taken} {[*wanted]}, and the inputs of `{data}` are {given} {[*shape]}"
    hint = f"write `{right}`, or name data that fit: `--data D`"
    return CompileError(Diagnostic("E0840", message, hints=(hint,)))


def other_channels(kind: str, wanted: int, given: str, *hints: str) -> CompileError:
    message = f"the network takes {kind} of {wanted} channels, and the data's have {given}"
    return CompileError(Diagnostic("E0802", message, hints=hints))


def no_classes(data: str, target: str) -> CompileError:
    hint = "leave `--classes` out"
    return CompileError(Diagnostic("E0844", f"the targets of `{data}` are no classes, but {target}", hints=(hint,)))


# Data of nasir's own


def no_digits() -> CompileError:
    return CompileError(
        Diagnostic("E0808", "the digits come with scikit-learn", hints=("pip install 'nasir[digits]'",))
    )


def takes_no_folder(name: str, rest: str) -> CompileError:
    hint = f"write `--data {name}`"
    return CompileError(Diagnostic("E0809", f"`{name}` takes no folder, and `{rest}` was given", hints=(hint,)))


# Folders


def no_data_folder(path: str, kind: str, contents: str) -> CompileError:
    hint = f"write `--data {kind}:DIR`, the folder with {contents}"
    return CompileError(Diagnostic("E0807", f"there is no folder `{path}`", hints=(hint,)))


def no_idx_file(root: Path, names: Sequence[str]) -> CompileError:
    return CompileError(Diagnostic("E0814", f"`{root}` has no file `{names[0]}`, nor `{names[1]}`"))


def damaged_idx_file(path: Path, wrong: str) -> CompileError:
    return CompileError(Diagnostic("E0822", f"`{path}` {wrong}", hints=("replace the file",)))


def other_count(root: Path, part: str, images: int, labels: int) -> CompileError:
    message = f"`{root}`: `{part}` has {images} images and {labels} labels"
    return CompileError(Diagnostic("E0813", message, hints=("take both files from one data set",)))


def parts_apart(training: Path, tests: Path, different: Sequence[str]) -> CompileError:
    message = f"`{training}` and `{tests}` differ in their classes: {', '.join(different)}"
    return CompileError(Diagnostic("E0815", message, hints=("each class needs a folder in both",)))


def one_part(alone: Path, training: Sequence[str], tests: Sequence[str]) -> CompileError:
    message = f"`{alone}` is one part of a data set, and the other part is missing"
    hint = f"it needs both: {', '.join(training)}; and {', '.join(tests)}"
    return CompileError(Diagnostic("E0816", message, hints=(hint,)))


def too_few_classes(root: Path, count: int) -> CompileError:
    hint = "it needs a folder for each class: DIR/cat/1.jpg, DIR/dog/1.jpg"
    message = f"`{root}` has {count or 'no'} class folder{'s' * (not count)}"
    return CompileError(Diagnostic("E0817", message, hints=(hint,)))


def empty_class(folder: Path, endings: Sequence[str]) -> CompileError:
    what = "recordings" if ".wav" in endings else "images"
    hint = f"{what} end in {', '.join(endings)}; take the folder away if the class is not wanted"
    return CompileError(Diagnostic("E0818", f"the class folder `{folder}` has no {what}", hints=(hint,)))


def vectors_of_a_folder(shape: Sequence[int]) -> CompileError:
    message = f"the network takes vectors {[*shape]}, and the files of a folder are images or recordings"
    hint = "vectors come from a function of your own: `--data python:module:function`"
    return CompileError(Diagnostic("E0840", message, hints=(hint,)))


# Recordings


def no_soundfile() -> CompileError:
    hint = "pip install 'nasir[audio]'"
    return CompileError(Diagnostic("E0845", "recordings are read by soundfile, which is not installed", hints=(hint,)))


def undecided_length(largest: int) -> CompileError:
    message = "the length of the network's signals is undecided, and recordings are cut to one"
    hint = f"write one length, `signal(1, {largest})`, or give the parameter: `--with NAME={largest}`"
    return CompileError(Diagnostic("E0846", message, hints=(hint,)))


def other_rate(file: str, rate: int, first: str, wanted: int) -> CompileError:
    message = f"`{file}` has {rate:,} samples a second, and `{first}` has {wanted:,}"
    hint = f"change them to one rate first, as `sox` or `ffmpeg -ar {wanted}` does"
    return CompileError(Diagnostic("E0847", message, hints=(hint,)))


def other_sound_channels(file: str, given: int, wanted: int) -> CompileError:
    message = f"the network takes signals of {wanted} channels, and `{file}` has {given}"
    hint = "write `signal(1, ...)`: the mean of a recording's channels is taken"
    return CompileError(Diagnostic("E0848", message, hints=(hint,)))


# Image files


def broken_image(file: str, reason: str, *hints: str) -> CompileError:
    return CompileError(Diagnostic("E0805", f"`{file}` cannot be read: {reason}", hints=hints))


def broken_class(file: str) -> CompileError:
    hint = "mend them, or take the folder of the class away"
    return CompileError(
        Diagnostic("E0823", f"`{file}` cannot be read, nor can any other training image of its class", hints=(hint,))
    )


def broken_images(file: str, tries: int, reason: str) -> CompileError:
    message = f"`{file}` cannot be read, nor can the {tries} files after it: {reason}"
    return CompileError(Diagnostic("E0824", message, hints=("look at the files: they seem to be no images",)))


def no_readable_image(which: str) -> CompileError:
    hint = "look at the files: they seem to be no images"
    return CompileError(Diagnostic("E0824", f"none of the {which} can be read", hints=(hint,)))


def failed_worker(reason: str) -> CompileError:
    hint = "where memory is short, a smaller `batch` helps"
    return CompileError(Diagnostic("E0825", f"the images cannot be read: {reason}", hints=(hint,)))


# Data sets of the user's own, `python:MODULE:FUNCTION`


def no_function(rest: str, missing: NotNamed) -> CompileError:
    hints = missing.hints or ("write `--data python:my_data:load`, the function `load` of my_data.py",)
    return CompileError(Diagnostic("E0806", f"`python:{rest}` names no function: {missing.why}", hints=hints))


def no_pair(function: str, module: str, told: str) -> CompileError:
    message = f"`{function}` of `{module}` does not return a training and a test set: {told}"
    hint = "return two data sets, or two pairs of arrays: `return (x, y), (x_test, y_test)`"
    return CompileError(Diagnostic("E0827", message, hints=(hint,)))


def failed_item(reason: str) -> CompileError:
    return CompileError(Diagnostic("E0826", f"the images cannot be read: {reason}"))


def unreadable_labels(name: str, told: str) -> CompileError:
    return CompileError(Diagnostic("E0828", f"the labels of `{name}` cannot be read: {told}"))


def different_shapes(name: str, what: str, shapes: str) -> CompileError:
    hint = "resize them to one size"
    return CompileError(Diagnostic("E0829", f"the {what} of `{name}` differ in shape: {shapes}", hints=(hint,)))


def infinite_pixels(what: str, item: object) -> CompileError:
    return CompileError(Diagnostic("E0830", f"the {what} of item {item} has values that are not finite numbers"))


def other_form(kind: str, type: object, shape: Sequence[int], wanted: str, right: str) -> CompileError:
    message = f"the {kind} are {type} of shape {[*shape]}, not float32 {wanted}"
    hints = [f"write `{right}` in the space"] if right else []
    hints += ["torchvision's ToTensor makes such images"] if kind == "images" else ["`tensor.float()` makes float32"]
    return CompileError(Diagnostic("E0831", message, hints=tuple(hints)))


def other_targets(name: str, training: str, test: str) -> CompileError:
    message = f"the training targets of `{name}` are {training}, and the test targets {test}"
    return CompileError(Diagnostic("E0843", message, hints=("make both parts alike",)))


def target_out_of_range(name: str, item: object, value: object, least: float, most: float) -> CompileError:
    message = f"the target of item {item} of `{name}` has the value {value}, and the loss takes {least:g} to {most:g}"
    hint = "number classes from 0; a whole number of -100 is a pixel that does not count"
    return CompileError(Diagnostic("E0849", message, hints=(hint,)))
