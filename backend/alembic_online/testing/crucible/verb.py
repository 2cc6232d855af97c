"""The command line: random examples until the time is over, or one of them again."""

import argparse
import signal
import sys
from collections.abc import Sequence
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from pkgutil import resolve_name

from sqlalchemy import MetaData

from alembic_online.testing.crucible.databases import Databases, embedded
from alembic_online.testing.crucible.example import family, random_example, read
from alembic_online.testing.crucible.report import Totals
from alembic_online.testing.crucible.runs import Runs
from alembic_online.testing.crucible.schema import Schema

_MANY = 10**9


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1 where an example failed."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the servers are to be stopped
    if options.again:
        with embedded(options.postgres) as admin, closing(Databases(admin, "crucible")) as databases:
            again = Path(options.again)
            example = (
                read(again.read_text()) if again.suffix == ".json" else random_example(options.again, _schema(options))
            )
            outcome, words = Runs(databases, _say).one(example)
        _say(words)
        _say("\n".join(outcome.faults) or outcome.refused or "It passes.")
        return bool(outcome.faults)
    if options.processes == 1:
        totals = _share(options, 0)
    else:
        with get_context("spawn").Pool(options.processes) as pool:
            totals = Totals()
            for each in pool.starmap(_share, [(options, place) for place in range(options.processes)]):
                totals.merge(each)
    _say("\n".join(totals.lines()))
    return bool(totals.failed)


def _share(options: argparse.Namespace, place: int) -> Totals:
    """The examples of one process, on a server of its own."""
    every = range(options.first, min(options.first + options.count, _MANY))
    numbers = (number for number in every if family(number) % options.processes == place)
    keep = Path(options.keep) if options.keep else None
    with embedded(options.postgres) as admin, closing(Databases(admin, "crucible")) as databases:
        runs = Runs(databases, _say, keep, _schema(options), not options.as_it_is)
        return runs.many(options.seed, numbers, options.seconds)


def _schema(options: argparse.Namespace) -> Schema | None:
    if not options.models:
        return None
    from alembic_online.testing.crucible.foreign import schema_of  # noqa: PLC0415  only for whoever asks

    metadata = resolve_name(options.models)
    assert isinstance(metadata, MetaData), f"{options.models} is no MetaData"
    return schema_of(metadata)


def _say(words: str) -> None:
    print(words, flush=True)  # noqa: T201  a command's output is its product


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m alembic_online.testing.crucible", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long")
    parser.add_argument("--seed", default="1", help="other examples for another one")
    parser.add_argument("--first", type=int, default=1, help="the number of the first example")
    parser.add_argument("--count", type=int, default=_MANY, help="how many at the most")
    parser.add_argument("--processes", type=int, default=1, help="each with a server of its own")
    parser.add_argument("--postgres", type=int, default=18, help="the version of the embedded servers")
    parser.add_argument("--keep", default="", help="a folder for what fails, shrunk")
    parser.add_argument("--as-it-is", action="store_true", help="keep what fails without making it small")
    parser.add_argument("--again", default="", help="run one example: its seed (1.17), or a file of --keep")
    parser.add_argument("--models", default="", help="a project's own MetaData, as package.module:name")
    return parser
