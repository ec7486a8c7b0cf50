"""A device by formula: for spaces whose device is not at hand, and for tables that are the same everywhere."""

from collections.abc import Mapping

from nasir.cost.kernels import usual_fusions
from nasir.cost.written import Written
from nasir.profiling.runtime import Formula

_LAUNCH = 2.0  # us a kernel
_MACS = 4_000.0  # a us
_NUMBERS = 1_000.0  # a us
_LANES = 8


class Roofline(Formula):
    """2 us, and the longer of computing, at 4,000 multiply-adds a us, and of moving inputs, weights and outputs, at
    1,000 numbers a us (Williams et al., 2009); channels are computed eight at a time."""

    name = "roofline"
    fusions = usual_fusions("add")

    def conditions(self) -> Mapping[str, str]:
        return {"version": "1", "dtype": "float32", "layout": "any"}

    def figure(self, kernel: Written) -> float:
        channels = sum(int(segment) for segment in kernel.out.channels if isinstance(segment, int))
        lanes = -(-channels // _LANES) * _LANES / channels
        return round(_LAUNCH + max(lanes * kernel.macs() / _MACS, kernel.numbers() / _NUMBERS), 3)


offered = (Roofline,)
