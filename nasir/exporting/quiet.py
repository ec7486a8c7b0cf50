"""Libraries that talk from C++, or warn of themselves, kept quiet: what goes wrong they raise."""

import os
import sys
import warnings
from collections.abc import Generator
from contextlib import contextmanager

OUTPUT, ERRORS = 1, 2


@contextmanager
def muted(*streams: int) -> Generator[None]:
    """Nothing goes to these streams of the process, and no warning is shown."""
    sys.stdout.flush()
    sys.stderr.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    kept = {stream: os.dup(stream) for stream in streams}
    try:
        for stream in streams:
            os.dup2(nowhere, stream)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for stream, place in kept.items():
            os.dup2(place, stream)
            os.close(place)
        os.close(nowhere)
