"""A device file: what each kernel takes on one device, in one runtime (`docs/profile.md` has its schema).

It is JSON with one kernel a line, so that it can be read, compared and merged as text.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from nasir.cost import mistakes
from nasir.files import Unreadable, parse_json, read_regular, write_atomically
from nasir.mistakes import unreadable

FORMAT = "nasir device file 1"
_ARROW = " -> "
_CONDITIONS = ("device", "processor", "backend", "runtime", "version", "dtype", "layout")
_COUNTS = ("threads", "batch")


@dataclass(frozen=True)
class Row:
    """What was measured of a kernel, in the file's unit: quantiles and how often. `filled` ones were not measured:
    others tell them, by a fit or as FBNet's tables have it."""

    p50: float
    p10: float | None = None
    p90: float | None = None
    n: int = 0
    filled: bool = False

    def as_json(self) -> dict[str, Any]:
        """Itself without what it has not."""
        found = {"p10": self.p10, "p50": self.p50, "p90": self.p90, "n": self.n, "filled": self.filled}
        return {name: value for name, value in found.items() if value not in (None, 0, False) or name == "p50"}


@dataclass(frozen=True)
class Calibration:
    """A network takes `offset` and its kernels, each times the factor of its kind, or `factor` where its kind has none;
    times `1 + residual`: `residuals` are the quantiles of these, by their names, `p10`, of `networks` networks that
    were measured whole."""

    offset: float = 0.0
    factor: float = 1.0
    factors: Mapping[str, float] = field(default_factory=dict[str, float])
    residuals: Mapping[str, float] = field(default_factory=dict[str, float])
    networks: int = 0

    @property
    def upper(self) -> float:
        """The share by which nine networks of ten exceed their prediction at most."""
        return max(0.0, self.residuals.get("p90", 0.0))

    def of(self, kind: str) -> float:
        """The factor of a kind of kernel, as `conv -> bn -> relu`."""
        return self.factors.get(kind, self.factor)

    def told(self, sums: Mapping[str, float]) -> float:
        """What a network takes, given the sums of its kernels by kind."""
        return self.offset + sum(self.of(kind) * amount for kind, amount in sums.items())


def kind_of(kernel: str) -> str:
    """The kind of a kernel: its ops alone."""
    return _ARROW.join(call.partition("(")[0] for call in kernel.split(_ARROW)[1:])


@dataclass(frozen=True)
class Profile:
    """The content of a device file. `fuse` has the sequences of ops that the runtime executes as one; `facts` what else
    the file says of itself, as how it was made."""

    unit: str = "us"
    quantity: str = "latency"
    conditions: Mapping[str, str | int] = field(default_factory=dict[str, "str | int"])
    fuse: frozenset[tuple[str, ...]] = frozenset()
    calibration: Calibration = Calibration()
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    rows: Mapping[str, Row] = field(default_factory=dict[str, Row])

    def with_rows(self, rows: Mapping[str, Row]) -> "Profile":
        """The profile with these kernels beside, or in place of, those that it has."""
        return replace(self, rows={**self.rows, **rows})

    def dumped(self) -> str:
        """The text of the file: the same for the same content."""
        head = {
            "format": FORMAT,
            "quantity": self.quantity,
            "unit": self.unit,
            **self.conditions,
            "fuse": sorted(map(_ARROW.join, self.fuse)),
            "calibration": {
                "networks": self.calibration.networks,
                "offset": self.calibration.offset,
                "factor": self.calibration.factor,
                "factors": dict(sorted(self.calibration.factors.items())),
                "residuals": dict(self.calibration.residuals),
            },
            **self.facts,
        }
        rows = ",\n".join(
            f"  {json.dumps({'kernel': kernel, **row.as_json()}, ensure_ascii=False)}"
            for kernel, row in sorted(self.rows.items())
        )
        lines = [f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()]
        return "{" + ",\n".join([*lines, f'"kernels": [\n{rows}\n]']) + "}\n"

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        write_atomically(path, self.dumped().encode())

    @property
    def digest(self) -> str:
        """What tells it from other device files."""
        return hashlib.sha256(self.dumped().encode()).hexdigest()

    @property
    def place(self) -> str:
        """The device and the runtime, for those who read figures."""
        told = (str(self.conditions.get(name, "")) for name in ("device", "runtime"))
        return ", ".join(dict.fromkeys(word for word in told if word))


def read_profile(path: Path) -> Profile:
    """The device file at a path.

    Raises:
        CompileError: where it cannot be read, or is none.
    """
    try:
        data: Any = parse_json(read_regular(path))
    except Unreadable as error:
        raise unreadable(path, error) from None
    try:
        return _profile(data)
    except _Wrong as wrong:
        raise mistakes.no_device_file(path, str(wrong)) from None


class _Wrong(ValueError):
    """What is wrong with a device file, as the end of a sentence."""


def _profile(data: Any) -> Profile:
    if not isinstance(data, dict):
        raise _Wrong("it is no object")
    found = cast("dict[str, Any]", data)
    if found.get("format") != FORMAT:
        raise _Wrong(f"its format is {json.dumps(found.get('format'))}, not {json.dumps(FORMAT)}")
    unit, quantity = (_text(found, name) for name in ("unit", "quantity"))
    conditions: dict[str, str | int] = {name: _text(found, name) for name in _CONDITIONS if name in found}
    conditions |= {name: _whole(found, name) for name in _COUNTS if name in found}
    fuse = frozenset(tuple(one.split(_ARROW)) for one in _texts(found.get("fuse", [])))
    known = {"format", "unit", "quantity", "fuse", "calibration", "kernels", *_CONDITIONS, *_COUNTS}
    facts = {name: value for name, value in found.items() if name not in known}
    rows = dict(_rows(found.get("kernels")))
    return Profile(unit, quantity, conditions, fuse, _calibration(found.get("calibration", {})), facts, rows)


def _rows(listed: Any) -> Iterator[tuple[str, Row]]:
    if not isinstance(listed, list):
        raise _Wrong("its `kernels` are no list")
    seen: set[str] = set()
    for place, one in enumerate(cast("list[Any]", listed), start=1):
        if not isinstance(one, dict):
            raise _Wrong(f"kernel {place} is no object")
        row = cast("dict[str, Any]", one)
        kernel = _text(row, "kernel")
        if kernel in seen:
            raise _Wrong(f"`{kernel}` is in it twice")
        seen.add(kernel)
        p10, p90 = (_number(row, name, kernel) if name in row else None for name in ("p10", "p90"))
        count = _whole(row, "n") if "n" in row else 0
        yield kernel, Row(_number(row, "p50", kernel), p10, p90, count, row.get("filled") is True)


def _calibration(found: Any) -> Calibration:
    if not isinstance(found, dict):
        raise _Wrong("its `calibration` is no object")
    facts = cast("dict[str, Any]", found)
    residuals: Any = facts.get("residuals", {})
    if not isinstance(residuals, dict):
        raise _Wrong("the `residuals` of its calibration are no object")
    shares = cast("dict[str, Any]", residuals)
    quantiles = {name: _number(shares, name, "residuals", least=-1.0) for name in shares}
    offset = _number(facts, "offset", "calibration") if "offset" in facts else 0.0
    factor = _number(facts, "factor", "calibration") if "factor" in facts else 1.0
    named: Any = facts.get("factors", {})
    if not isinstance(named, dict):
        raise _Wrong("the `factors` of its calibration are no object")
    own = cast("dict[str, Any]", named)
    factors = {kind: _number(own, kind, "factors") for kind in own}
    return Calibration(offset, factor, factors, quantiles, _whole(facts, "networks") if "networks" in facts else 0)


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str):
        raise _Wrong(f"its `{name}` is no text")
    return value


def _texts(value: Any) -> list[str]:
    listed = cast("list[Any]", value) if isinstance(value, list) else [None]
    if not all(isinstance(one, str) for one in listed):
        raise _Wrong("its `fuse` is no list of texts")
    return cast("list[str]", listed)


def _whole(found: Mapping[str, Any], name: str) -> int:
    value = found.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _Wrong(f"its `{name}` is no whole number from 0")
    return value


def _number(found: Mapping[str, Any], name: str, of: str, least: float = 0.0) -> float:
    value = found.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < least:
        raise _Wrong(f"the `{name}` of `{of}` is no number from {least:g}")
    return float(value)
