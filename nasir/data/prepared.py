"""`deploy.json` read again: how files become inputs, and what the outputs are called."""

from collections.abc import Callable, Mapping
from typing import Any

from nasir.data import arrays, images, recordings
from nasir.data.preparation import Preparation

_WAYS: Mapping[str, Callable[[Mapping[str, Any]], Preparation]] = {
    "image": images.prepared_as,
    "wav": recordings.prepared_as,
    "npy": arrays.prepared_as,
}


def prepared_as(found: Mapping[str, Any]) -> tuple[Preparation, list[str]]:
    """What `Preparation.as_json` made the object of, and the names of the outputs.

    Raises:
        ValueError: where it is no such object.
    """
    try:
        return _WAYS[found.get("file", "image")](found), [str(name) for name in found["classes"]]
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"it says not how inputs are prepared: {type(error).__name__}: {error}") from None
