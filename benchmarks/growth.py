"""How counting, costs, building and emitting grow with depth and with the number of widths: `python -m
benchmarks.growth`.

Rows of 50, 100, 200 and 400 layers; the exponent is that of the depth between the last two, from the least processor
time of several runs that take turns. Then sets of 256 to 2,048 widths in eight layers, with shortcuts and without.
"""

import argparse
import gc
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import nasir
from nasir.cost.table import layer_rows

DEEP = """
from "lib/mobile.nas" import ir
choice mb {{
  ir_k3: ir(kernel=3, always_expand=true)
  ir_k5: ir(kernel=5, always_expand=true)
  skip:  identity when stride == 1
}}
space deep(classes = 10) {{
  x = image(3, size=16)
  y = x -> conv(3, 16, stride=2) -> bn -> relu -> stages {{
    | block | expand    | width      | depth | stride |
    | mb    | {{1, 2, 3}} | 8..32 by 8 | {0}   | 1      |
  }}
  return y -> global_avg_pool -> linear(classes)
}}
"""
WIDE = """
block layer(width) {{ return shortcut(x, x -> conv(1, width) -> bn -> relu) }}
space wide(classes = 10) {{
  x = image(3, size=4)
  y = x -> conv(1, 8) -> bn -> stages {{
    | block | width         | depth |
    | layer | 1..{0} by 1   | 8     |
  }}
  return y -> global_avg_pool -> linear(classes)
}}
"""
PLAIN = WIDE.replace("shortcut(x, x -> conv(1, width) -> bn -> relu)", "x -> conv(1, width) -> bn -> relu")


def stages(path: Path) -> Mapping[str, float]:
    """Processor seconds of each stage; what is kept of one stage serves the next, as in a program. No stage pays for
    what an earlier one threw away."""
    taken: dict[str, float] = {}

    def timed(name: str, work: Callable[[], object]) -> object:
        gc.collect()
        start = time.process_time()
        result = work()
        taken[name] = time.process_time() - start
        return result

    loaded = timed("check", lambda: nasir.load(path))
    assert isinstance(loaded, nasir.Space)
    space = loaded
    timed("count", space.size)
    timed("costs", lambda: (space.macs(), space.params()))
    timed("rows", lambda: layer_rows(space.costs))
    timed("supernet", lambda: nasir.supernet(space))
    choices = space.sample(0)
    timed("emit", lambda: nasir.emit(space.at(choices)))
    return taken


def table(program: str, sizes: Sequence[int], runs: int) -> None:
    """Print the least time of each stage at each size, and how it grows between the last two."""
    least: dict[int, dict[str, float]] = {size: {} for size in sizes}
    with TemporaryDirectory() as folder:
        for _ in range(runs):
            for size in sizes:
                path = Path(folder) / f"space{size}.nas"
                path.write_text(program.format(size), encoding="utf-8")
                for name, seconds in stages(path).items():
                    least[size][name] = min(seconds, least[size].get(name, math.inf))
    print(f"| stage | {' | '.join(f'{size:,}' for size in sizes)} | exponent |")
    print(f"| --- | {' | '.join('---:' for _ in sizes)} | ---: |")
    before, last = sizes[-2:]
    for name in least[last]:
        exponent = math.log(least[last][name] / least[before][name]) / math.log(last / before)
        print(f"| {name} | {' | '.join(f'{least[size][name]:.2f} s' for size in sizes)} | {exponent:.2f} |")
    print()


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    gc.set_threshold(100_000)  # as the command line has it
    digits = nasir.load("digits")  # what is loaded once is loaded
    nasir.supernet(digits)
    nasir.emit(digits.at(digits.sample(0)))
    table(DEEP, (50, 100, 200, 400), arguments.runs)
    for program in (WIDE, PLAIN):
        table(program, (256, 512, 1_024, 2_048), arguments.runs)


if __name__ == "__main__":
    main()
