"""The laws of `tests/supernets/test_random_programs.py` on thousands of random programs: `python -m benchmarks.fuzz`.

Each program is checked, built folded and unfolded (equal outputs and gradients, float64), and some of its networks are
emitted (equal to the supernet at one-hot gates). Prints what was refused, and every seed that breaks a law.

`--layouts` tries the laws of `nasir fmt` in their place: each program in a random layout, comments anywhere, is laid
out; tree and comments must be the same, and a second time must change nothing.
"""

import argparse
import multiprocessing
import tempfile
import traceback
from collections import Counter
from pathlib import Path

import torch

import nasir
from nasir.diagnostics import CompileError
from tests.layouts import assert_layout_keeps, mangled
from tests.programs import program
from tests.supernets.laws import assert_folding_changes_no_result, assert_networks_are_emitted


def outcome(seed: int) -> str:
    """What became of the program of a seed: `equal`, `refused CODE`, or what was raised."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.nas"
        path.write_text(program(seed), encoding="utf-8")
        try:
            space = nasir.load(path)
            assert_folding_changes_no_result(space, seed)
            assert_networks_are_emitted(space, range(3), Path(folder) / "model.py")
            space.arch(space.sample(seed))
        except CompileError as error:
            return f"refused {error.diagnostics[0].code}: {error.diagnostics[0].message}"
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            return f"BROKEN seed {seed}: {type(error).__name__} in {place.name}: {str(error)[:120]!r}"
    return "equal"


def layout(seed: int) -> str:
    """What became of the program of a seed in a random layout: `laid out`, or what was raised."""
    try:
        assert_layout_keeps(mangled(program(seed), seed))
    except Exception as error:
        return f"BROKEN seed {seed}: {type(error).__name__}: {str(error)[:120]!r}"
    return "laid out"


def main() -> None:
    """Run it, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=2_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--layouts", action="store_true")
    arguments = parser.parse_args()
    seeds = range(arguments.first, arguments.first + arguments.programs)
    with multiprocessing.Pool(arguments.jobs) as pool:
        found = Counter(pool.imap_unordered(layout if arguments.layouts else outcome, seeds, chunksize=8))
    for words, count in found.most_common():
        print(f"{count:6,}  {words}")


if __name__ == "__main__":
    main()
