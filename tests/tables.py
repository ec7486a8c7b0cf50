"""Device files by formula, for tests: the same figures everywhere."""

from pathlib import Path

import nasir
from nasir.cost.profile import Calibration, Profile
from nasir.profiling.profile import by_formula
from nasir.profiling.runtimes.roofline import Roofline


def table(
    space: nasir.Space, calibration: Calibration | None = None, quantity: str = "latency", unit: str = "us"
) -> Profile:
    """What the formula says of every kernel of a space."""
    conditions = {"device": "a formula", "runtime": Roofline.name}
    head = Profile(unit, quantity, conditions, calibration=calibration or Calibration())
    return by_formula(space, Roofline(), head)


def bounded(text: str, bound: str, folder: Path, name: str = "device.json", **options: object) -> nasir.Space:
    """A program with a bound in place of its own, beside a device file of its kernels."""
    head, _, tail = text.partition("subject to")
    path = folder / "program.nas"
    path.write_text(text, encoding="utf-8")
    table(nasir.load(path), **options).write(folder / name)
    rest = tail.partition("\n")[2] if tail else "}\n"
    head = head if tail else f"{text}\nobjective {{\n  minimize cross_entropy\n  "
    path.write_text(f"{head}subject to {bound}\n{rest}", encoding="utf-8")
    return nasir.load(path)
