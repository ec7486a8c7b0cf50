"""`python -m benchmarks.quality run` does what is missing of runs.csv; `... tables` makes the tables of it."""

import argparse
from collections.abc import Iterator
from functools import partial
from itertools import product
from pathlib import Path

from benchmarks.quality import __doc__ as what
from benchmarks.quality.lines import FILE, Key, Line, read, write
from benchmarks.quality.sets import SETS, Set
from benchmarks.quality.tables import among_random, picked, tables
from benchmarks.quality.work import FORMS, POOLS, STRATEGIES, TRAININGS, pooled, search, train, widest
from nasir.ir.graph import Choices
from nasir.jobs.pool import LOCAL, Job, pool


def first(one: Set, strategies: list[str], pools: list[str]) -> Iterator[Job[Line]]:
    """The searches, the single trainings of random networks and of templates, and the templates' others."""
    own = tuple(one.parameters.items())
    for strategy, seed in product(strategies, range(one.seeds)):
        if strategy not in FORMS or strategy in one.forms:
            key = Key(one.name, strategy, "search", seed)
            yield Job(str(key), partial(search, key))
    for name, number in product(pools, range(one.pool)):
        key = Key(one.name, name, "pick", number=number, recipe="own")
        yield Job(str(key), partial(train, key, one.file, own, pooled(one, number, name)))
    for number, label in enumerate(one.templates):
        file, parameters = one.templates[label].file, widest(one, label)
        key = Key(one.name, "scaled", "pick", number=number, recipe="own")
        yield Job(str(key), partial(train, key, file, parameters, {}))
        yield from _trained(one, Key(one.name, "scaled", "train", number=number), file, parameters, {})


def second(
    one: Set, strategies: list[str], pools: list[str], ranked: bool, lines: dict[Key, Line]
) -> Iterator[Job[Line]]:
    """The trainings of what was found, and one of each random network where searches are `ranked` among these."""
    own = tuple(one.parameters.items())
    numbers: set[tuple[str, int]] = set()
    for strategy, seed in product(strategies, range(one.seeds)):
        if found := lines.get(Key(one.name, strategy, "search", seed)):
            yield from _trained(
                one, Key(one.name, strategy, "train", seed), found.file, tuple(found.parameters.items()), found.choices
            )
            numbers |= {(name, picked(lines, found, name)) for name in pools}
    for name, number in sorted(numbers):
        yield from _trained(one, Key(one.name, name, "train", number=number), one.file, own, pooled(one, number, name))

    picked_ones = {number for name, number in numbers if name == "random"}
    for number in sorted(set(range(one.pool)) - picked_ones) if ranked else ():
        key = among_random(one, number)
        yield Job(str(key), partial(train, key, one.file, own, pooled(one, number)))


def _trained(
    one: Set, key: Key, file: str, parameters: tuple[tuple[str, object], ...], choices: Choices
) -> Iterator[Job[Line]]:
    for recipe, training in product(one.recipes, TRAININGS):
        full = Key(key.set, key.contender, key.what, key.seed, key.number, recipe, training)
        yield Job(str(full), partial(train, full, file, parameters, choices))


def run(
    sets: list[str], strategies: list[str], pools: list[str], ranked: bool, on: str, jobs: int | None, out: Path
) -> None:
    """Do what is missing; each run is written as it comes."""
    lines = read(out)
    with pool(on, at_once=jobs, cpus=1) as workers:
        for name in sets:
            one = SETS[name]
            for stage in (
                partial(first, one, strategies, pools),
                partial(second, one, strategies, pools, ranked, lines),
            ):
                done = set(map(str, lines))
                missing = [job for job in stage() if job.key not in done]
                print(f"{name}: {len(missing)} runs are missing", flush=True)
                for outcome in workers.run(missing):
                    line = outcome.result()
                    lines[line.key] = line
                    write(out, lines)
                    print(f"{line.key}: {100 * line.accuracy:.2f}%, {line.seconds:.1f} s", flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=what, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("what", choices=("run", "tables"))
    options.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    options.add_argument("--strategies", nargs="+", choices=list(STRATEGIES), default=list(STRATEGIES))
    options.add_argument("--pools", nargs="+", choices=POOLS, default=list(POOLS), help="of networks without a search")
    options.add_argument(
        "--ranked", action="store_true", help="train every random network, to rank searches among them"
    )
    options.add_argument("--on", default=LOCAL, help="local, ray or ray://HOST:PORT")
    options.add_argument("--jobs", type=int, help="at a time")
    options.add_argument("--out", type=Path, default=FILE, help="the runs")
    given = options.parse_args()
    if given.what == "run":
        run(given.sets, given.strategies, given.pools, given.ranked, given.on, given.jobs, given.out)
    else:
        print(tables(read(given.out)), end="")


if __name__ == "__main__":
    main()
