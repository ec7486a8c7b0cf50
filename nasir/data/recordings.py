"""`wav` files as a network's input, read by soundfile (libsndfile)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from nasir.data import mistakes
from nasir.data.forms import Input, Shape
from nasir.data.preparation import MOST_NUMBERS, MOST_SIZE, Preparation, counted

ENDINGS = frozenset((".wav",))
_MOST_RATE = 10_000_000
_HOW = "from its start, cut, or filled with zeros at its end"


@dataclass(frozen=True)
class RecordingPreparation(Preparation):
    """A recording of `rate` samples a second, from -1 to 1, is taken from its start: cut at `length` samples, or filled
    with zeros up to there. Its channels are the input's; for an input of one channel their mean is taken."""

    channels: int
    length: int
    rate: int
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    @property
    def shape(self) -> Shape:
        return self.channels, self.length

    def read(self, file: str, draw: np.random.Generator | None = None) -> NDArray[Any]:
        """The recording, float32 [channels, length]."""
        with _library().SoundFile(file) as sound:
            if sound.samplerate != self.rate:
                raise ValueError(f"it has {sound.samplerate:,} samples a second, not {self.rate:,}")
            samples: NDArray[np.float32] = sound.read(self.length, dtype="float32", always_2d=True).T
        if self.channels == 1:
            samples = samples.mean(0, keepdims=True, dtype=np.float32)
        if len(samples) != self.channels:
            raise ValueError(f"it has {len(samples)} channels, and the network takes {self.channels}")
        return np.pad(samples, ((0, 0), (0, self.length - samples.shape[1])))

    def normalised(self, found: Tensor) -> Tensor:
        return found

    def words(self) -> str:
        return (
            f"Signals are recordings of {self.rate:,} samples a second, from -1 to 1, {_HOW};"
            f" {'the mean of their channels' if self.channels == 1 else 'their channels as they are'}."
        )

    def as_json(self, classes: Sequence[str]) -> dict[str, Any]:
        return {
            "input": {"name": "x", "shape": ["N", self.channels, self.length], "dtype": "float32"},
            "file": "wav",
            "rate": self.rate,
            "length": _HOW,
            "mix": "the mean of the channels" if self.channels == 1 else None,
            "scale": [-1.0, 1.0],
            "classes": list(classes),
        }


def prepared_as(found: Mapping[str, Any]) -> RecordingPreparation:
    """What `as_json` made the object of.

    Raises:
        LookupError, TypeError, ValueError: where it is no such object.
    """
    _, channels, length = found["input"]["shape"]
    made = RecordingPreparation(
        counted(channels, MOST_SIZE), counted(length, MOST_NUMBERS), counted(found["rate"], _MOST_RATE)
    )
    if made.channels * made.length > MOST_NUMBERS:
        raise ValueError("its numbers do not fit each other")
    return made


def check(input: Input) -> None:
    """The network takes signals of one length, and there is what reads recordings.

    Raises:
        CompileError: where one of the two is not so.
    """
    if not input.decided:
        raise mistakes.undecided_length(input.sizes[0])
    _library()


def prepare(files: Sequence[str], input: Input) -> tuple[RecordingPreparation, str]:
    """How recordings become inputs, and their lengths as one reads them. A file that cannot be read is told where it is
    read.

    Raises:
        CompileError: where two files differ in their samples a second, or one has too few channels.
    """
    library = _library()
    first: tuple[str, int] | None = None
    lengths: list[float] = []
    for file in files:
        try:
            told = library.info(file)
        except (library.SoundFileError, OSError):
            continue
        first = first or (file, told.samplerate)
        if told.samplerate != first[1]:
            raise mistakes.other_rate(file, told.samplerate, *first)
        if input.channels not in {1, told.channels}:
            raise mistakes.other_sound_channels(file, told.channels, input.channels)
        lengths.append(told.duration)
    rate = first[1] if first else 1
    sizes = f"{min(lengths):.3g} to {max(lengths):.3g} s at {rate:,} Hz" if lengths else ""
    return RecordingPreparation(input.channels, input.sizes[0], rate), sizes


def _library() -> Any:
    """soundfile.

    Raises:
        CompileError: where it is not installed.
    """
    try:
        import soundfile  # pyright: ignore[reportMissingImports, reportMissingTypeStubs]
    except (ImportError, OSError):  # the second where libsndfile is missing
        raise mistakes.no_soundfile() from None
    return soundfile
