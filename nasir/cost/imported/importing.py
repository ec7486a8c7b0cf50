"""A table of another project as a device file of a space."""

from dataclasses import dataclass, replace
from pathlib import Path

from nasir.cost import mistakes
from nasir.cost.imported.fbnet import read_fbnet
from nasir.cost.imported.proxylessnas import read_proxylessnas
from nasir.cost.imported.table import Table
from nasir.cost.masses import kernel_masses
from nasir.cost.model import CostModel
from nasir.cost.profile import Profile, Row
from nasir.cost.written import read_kernel
from nasir.diagnostics import Source
from nasir.files import Unreadable, read_any
from nasir.mistakes import unreadable

_MOST_BYTES = 512 * 2**20


@dataclass(frozen=True)
class Imported:
    """A device file that a table makes: how many entries the table has, and how many of them are of no kernel of the
    space."""

    profile: Profile
    format: str
    entries: int
    unused: int


def read_table(path: Path) -> Table:
    """The table of a file: FBNet's lines of JSON, or ProxylessNAS' YAML.

    Raises:
        CompileError: where it cannot be read, or is no such table.
    """
    try:
        text = read_any(path, _MOST_BYTES).decode("utf-8-sig").replace("\r\n", "\n")
    except Unreadable as error:
        raise unreadable(path, error) from None
    except UnicodeDecodeError:
        raise unreadable(path, "it is no text in UTF-8") from None
    source = Source(str(path), text)
    return read_fbnet(source) if text.lstrip().startswith("{") else read_proxylessnas(source)


def imported(model: CostModel, path: Path, device: str = "") -> Imported:
    """The figures that the table of a file has of a space's kernels; `device` is what the device is called where the
    table does not tell.

    Raises:
        CompileError: where it is no table, or lacks kernels of the space.
    """
    table = read_table(path)
    rows, used, lacking = dict[str, Row](), set[str](), dict[str, str]()
    kernels = [*kernel_masses(model, table.fuse)]
    for kernel in kernels:
        layers = table.layers(read_kernel(kernel))
        tellers = [table.teller(layer) for layer in layers]
        absent = [layer for layer, teller in zip(layers, tellers, strict=True) if teller not in table.rows]
        if absent or not layers:
            lacking[kernel] = next(iter(absent), "")
            continue
        used.update(tellers)
        rows[kernel] = _summed([table.rows[teller] for teller in tellers], filled=tellers != [*layers])
    if lacking:
        raise mistakes.lacking_layers(str(path), lacking, len(kernels), model.graph.name, table.format)
    conditions = {"device": device or path.stem, "runtime": f"{table.format}'s table", **table.conditions}
    facts = {"imported": {"format": table.format, "figure": table.figure}}
    profile = Profile("us", "latency", conditions, frozenset(table.fuse), facts=facts, rows=rows)
    entries = len(table.rows) + table.idle
    return Imported(profile, table.format, entries, entries - len(used))


def _summed(rows: list[Row], *, filled: bool) -> Row:
    """A kernel that is several layers of the table: quantiles do not add up, medians are taken to."""
    if len(rows) == 1:
        return replace(rows[0], filled=filled)
    return Row(sum(row.p50 for row in rows), n=min(row.n for row in rows), filled=filled)
