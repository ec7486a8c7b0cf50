"""What is asked of a run. From the fields of one dataclass come the options of the command line and of Python, what
plan.json holds of them, what must be the same where a run goes on, what `--from` repeats, and what a sweep hands on to
its searches. Nothing here imports torch."""

import operator
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, get_args

from nasir.lang.settings import Settings, override, with_bounds
from nasir.named import PYTHON, NotNamed, name_of, named, told
from nasir.runs import mistakes

RUNS = ("search", "train")
ALL = (*RUNS, "sweep")
MOST_THREADS = 1_024
SHIPPED = ("digits", "signals", "shapes")
"""Data sets that need no files."""


def unchanged(value: Any) -> Any:
    """The value itself."""
    return value


def anchor(data: str) -> str:
    """The same data set by a name that holds in any folder."""
    kind, colon, rest = data.partition(":")
    return f"{kind}:{Path(rest).resolve()}" if colon and rest and kind in {"idx", "folder"} else data


def device_kind(device: object) -> str:
    """`cuda` of `cuda:1`: which one it is makes no difference."""
    return str(device).split(":")[0]


@dataclass(frozen=True)
class Option:
    """What an option of a run says beside the name, the type and the default of its field."""

    flag: str
    help: str
    metavar: str | None = None
    least: int | None = None
    most: int | None = None
    commands: tuple[str, ...] = ALL
    """Those that have it; a sweep hands on what it has."""
    planned: bool = True
    """plan.json holds it, and `--from` takes it from there."""
    rare: bool = False
    """plan.json holds it where it is given, and not else."""
    renamed: bool = False
    """Beside `--from` it may be given all the same."""
    other: str = ""
    """Words for a run that had another one, so that it cannot go on with this one; empty where any will do."""
    differs: Callable[[Any, Any], bool] = operator.ne
    """Of what the plan has and what it would have now: it is another one."""
    written: Callable[[Any], Any] = unchanged
    """What the plan has of a value."""
    read: Callable[[Any], Any] = unchanged
    """The value for what the plan has."""


@dataclass(frozen=True)
class Request:
    """What a user asks of `nasir search`, `nasir train` and, of each of its searches, `nasir sweep`."""

    data: Annotated[
        str,
        Option(
            "--data",
            "The data set: `digits`, `signals`, `shapes`, `idx:DIR` (files like MNIST's), `folder:DIR` (class folders),"
            " or `python:module:function` (your own).  [default: the one that is called as the space, or `digits`]",
            "D",
            renamed=True,
            other="other data",
            written=anchor,
        ),
    ] = ""
    out: Annotated[
        Path | None,
        Option("--out", "The run folder.  [default: one of its own in runs]", "RUN", commands=RUNS, planned=False),
    ] = None
    _: KW_ONLY
    bound: Annotated[
        Sequence[str],
        Option(
            "--bound",
            "A bound, `macs <= 20M` or `macs <= 60%`, in place of the file's on that cost; may be repeated.",
            "COST<=LIMIT",
            commands=("search",),
        ),
    ] = ()
    set: Annotated[
        Sequence[str],
        Option(
            "--set",
            "A setting, `search.KEY=VALUE`, `train.KEY=VALUE`, or `KEY=VALUE` of the command's own; may be repeated.",
            "KEY=VALUE",
        ),
    ] = ()
    classes: Annotated[
        str | None,
        Option(
            "--classes", "So many of the classes, `100` or `10%`, picked by the seed.", "N", other="other `--classes`"
        ),
    ] = None
    skip_broken: Annotated[
        bool,
        Option(
            "--skip-broken",
            "Leave out image files that cannot be read, and count them.",
            other="`--skip-broken`",
            differs=lambda found, wanted: bool(found) and not wanted,  # what was left out would have to be read
        ),
    ] = False
    seed: Annotated[
        int, Option("--seed", "Seed of all randomness.", "N", least=0, most=2**31 - 1, other="another seed")
    ] = 0
    device: Annotated[
        str,
        Option(
            "--device",
            "`cpu`, `cuda`, or `auto`.",
            "D",
            renamed=True,
            other="another device",
            differs=lambda found, wanted: device_kind(found) != device_kind(wanted),
            read=device_kind,
        ),
    ] = "auto"
    threads: Annotated[
        int | None,
        Option(
            "--threads",
            "Threads that compute.  [default: one for small networks, else one a core]",
            "N",
            least=1,
            most=MOST_THREADS,
            other="another `--threads`",
            differs=lambda found, wanted: wanted is not None and found != wanted,
        ),
    ] = None
    synchronised: Annotated[
        bool,
        Option(
            "--sync-bn",
            "Batch statistics over all GPUs of a `torchrun`, not over each one's images.",
            commands=RUNS,
            other="another `--sync-bn`",
        ),
    ] = False
    tensorboard: Annotated[
        bool, Option("--tensorboard", "Write TensorBoard events to RUN/events as well.", commands=RUNS, planned=False)
    ] = False
    init: Annotated[
        Path | None,
        Option(
            "--init",
            "Start from the weights and buffers of a file, those that fit by name and shape; the others begin anew.",
            "FILE.safetensors",
            commands=("train",),
            planned=False,  # its digest is
        ),
    ] = None
    teacher: Annotated[
        Path | None,
        Option(
            "--teacher",
            "A trained network whose probabilities the training learns as well: a run folder, or an emitted file with"
            " its weights beside it.",
            "RUN|FILE.py",
            commands=RUNS,
            planned=False,  # its digest is
        ),
    ] = None
    supernet: Annotated[
        Path | None,
        Option(
            "--supernet",
            "Take the trained supernet of a run for other bounds, of the same space, data and settings; what is left"
            " is to choose, and to train the network.",
            "RUN",
            commands=("search",),
            planned=False,  # its digest is
        ),
    ] = None
    resume: Annotated[
        bool,
        Option("--resume", "Go on from the folder's last checkpoint; start where there is none.", planned=False),
    ] = False
    overwrite: Annotated[bool, Option("--overwrite", "Replace a run that is in the folder already.", planned=False)] = (
        False
    )
    loss_named: Annotated[
        str | None,
        Option(
            "--loss",
            "A loss in place of the space's, of the search and of the training: a name as `mse`, or your own,"
            " `python:module:function`.",
            "LOSS",
            other="another `--loss`",
            rare=True,
        ),
    ] = None
    loss: Callable[[Any, Any], Any] | None = None
    """A function in place of the losses of the settings: of outputs and targets, their mean over the batch."""

    @property
    def folder(self) -> Path:
        """The run folder."""
        assert self.out is not None, "who asks for a run names its folder"
        return self.out

    @property
    def loss_name(self) -> str | None:
        """What plan.json holds of a loss that was given in Python."""
        return None if self.loss is None else name_of(self.loss)

    def on(self, name: str) -> "Request":
        """It with data: where none are named, those that ship with nasir and are called as the space."""
        return self if self.data else replace(self, data=name if name in SHIPPED else SHIPPED[0])

    def settle(self, settings: Settings, section: str = "search") -> Settings:
        """The settings with what `--bound` and `--set` change of them; `section` is the command's own.

        Raises:
            CompileError: where one is no bound or no setting.
        """
        settings = override(with_bounds(settings, list(self.bound)), list(self.set), section)
        if self.loss_named is None or self.loss_named.startswith(PYTHON):
            return settings
        return override(settings, [f"{part}.loss={self.loss_named}" for part in RUNS], option="--loss")

    def with_loss(self) -> "Request":
        """It with the function that `--loss python:module:function` names.

        Raises:
            CompileError: where there is none.
        """
        if self.loss is not None or self.loss_named is None or not self.loss_named.startswith(PYTHON):
            return self
        try:
            found = named(self.loss_named.removeprefix(PYTHON))
            if not callable(found):
                raise TypeError("it cannot be called")
        except NotNamed as error:
            raise mistakes.no_loss(self.loss_named, error.why, error.hints) from None
        except (Exception, SystemExit) as error:  # whatever the user's code raises
            raise mistakes.no_loss(self.loss_named, told(error, __file__)) from error
        return replace(self, loss=found)

    def as_plan(self) -> dict[str, Any]:
        """What plan.json holds of it. `given` is how the settings came about."""
        values = {
            one.name: one.option.written(value)
            for one in OPTIONS
            if one.option.planned and ((value := getattr(self, one.name)) != one.default or not one.option.rare)
        }
        given = {one.name: list(values.pop(one.name)) for one in OPTIONS if one.repeats}
        return {**values, "given": given, **({"loss": self.loss_name} if self.loss else {})}

    def differences(self, plan: Mapping[str, Any]) -> list[str]:
        """What a run with this plan had otherwise, so that it cannot go on with this, in words."""
        mine = self.as_plan()
        known = [(one.name, one.option) for one in OPTIONS if one.option.other]
        words = [option.other for name, option in known if option.differs(plan.get(name), mine.get(name))]
        return words + ["another loss"] * (plan.get("loss") != mine.get("loss"))

    def repeat(self, plan: Mapping[str, Any], named: Collection[str]) -> "Request":
        """It with what a plan holds, but for the options that are `named` and may be.

        Raises:
            LookupError, TypeError, ValueError, AttributeError: where the plan is none.
        """
        changes: dict[str, Any] = {}
        for one in OPTIONS:
            if one.option.planned and not (one.option.renamed and one.name in named):
                if one.repeats:
                    value = plan["given"].get(one.name, [])
                else:
                    value = plan.get(one.name, one.default) if one.option.rare else plan[one.name]
                changes[one.name] = one.checked(one.option.read(value))
        return replace(self, **changes)

    def arguments(self) -> list[str]:
        """It as arguments of the command line, as far as a sweep hands it on."""
        found: list[str] = []
        for one in OPTIONS:
            value = getattr(self, one.name)
            if "sweep" not in one.option.commands or value == one.default:
                continue
            flag = one.option.flag
            found += [flag] if value is True else [f"{flag}={text}" for text in (value if one.repeats else [value])]
        return found


@dataclass(frozen=True)
class Known:
    """A field of `Request` that is an option."""

    name: str
    kind: Any
    default: Any
    option: Option

    @property
    def repeats(self) -> bool:
        """It may be given several times."""
        return self.kind == Sequence[str]

    def checked(self, value: Any) -> Any:
        """A value that it may have, given in Python or read from a plan that may have been changed.

        Raises:
            TypeError, ValueError: where it is of another kind, or out of range.
        """
        if value is None and self.default is None:
            return None
        if self.repeats:
            return _texts(self.name, value)
        (kind,) = {*(get_args(self.kind) or (self.kind,))} - {type(None)}
        if kind is int:
            return whole(self.name, value, self.option.least, self.option.most)
        if kind is Path and isinstance(value, str):
            return Path(value)
        if not isinstance(value, kind):
            raise TypeError(f"`{self.name}` is no {type(value).__name__}")
        return value


def _known() -> Iterator[Known]:
    for one in fields(Request):
        match get_args(one.type):
            case (kind, Option() as option):
                yield Known(one.name, kind, one.default, option)
            case _:
                pass  # of Python alone


OPTIONS = tuple(_known())
"""All options of runs, in their order."""


def options_of(command: str) -> list[Known]:
    """Those of a command."""
    return [one for one in OPTIONS if command in one.option.commands]


def request_of(**values: Any) -> Request:
    """A request as Python gives it.

    Raises:
        TypeError, ValueError: where an option is of another kind, or out of range.
    """
    if values.get("out") is not None and not str(values["out"]):
        raise ValueError("the run folder has no name")
    if values.get("resume") and values.get("overwrite"):
        raise ValueError("one of `resume` and `overwrite`")
    if values.get("classes") is not None:
        values["classes"] = str(values["classes"])
    if isinstance(values.get("loss"), str):
        values["loss_named"] = values.pop("loss")
    known = {one.name: one for one in OPTIONS}
    if foreign := values.keys() & (known.keys() - {one.name for one in options_of("search")}):
        raise TypeError(f"`{min(foreign)}` is no option of a search")
    return Request(**{name: known[name].checked(one) if name in known else one for name, one in values.items()})


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not all(isinstance(text, str) for text in value):
        raise TypeError(f'`{name}` is a list of texts, as ["epochs=30"]')
    return tuple(value)


def whole(name: str, value: Any, least: int | None = None, most: int | None = None) -> int:
    """A whole number.

    Raises:
        TypeError, ValueError: where it is none, or not from `least` to `most`, which are numbers that JSON has exactly.
    """
    least, most = -(2**53) if least is None else least, 2**53 if most is None else most
    number = least - 1 if isinstance(value, bool) else operator.index(value)
    if not least <= number <= most:
        raise ValueError(f"`{name}` is a whole number from {least} to {most:,}, not {str(value)[:40]}")
    return number
