"""What many lines of PyTorch say in many ways, as one call each: the normal form.

A mean over height and width is an average pooling of the whole map, a linear layer on a map whose channels are last a
convolution of one pixel, a slice of rows a crop, `relu6(x + 3) / 6` a hard sigmoid. A form is a function of the reader
and the call; calls that have none are read as they stand.
"""

from collections.abc import Mapping

from nasir.lifting.forms import arithmetic, channels, layers, pooling, seen_through, sizes
from nasir.lifting.reading import Form

FORMS: Mapping[str, Form] = {
    name: form
    for room in (seen_through, layers, pooling, arithmetic, channels, sizes)
    for name, form in room.FORMS.items()
}
"""The forms by the names of torch's calls."""
