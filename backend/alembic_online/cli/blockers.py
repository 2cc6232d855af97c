"""`blockers`: who holds somebody up in this database, and ending them."""

import re
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.prompt import Confirm
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.cli.verb import FINE, FOUND, Verb
from alembic_online.errors import RequestRefused
from alembic_online.postgres.blockers import Blocker, Queue, all_blockers, end, idle_holders
from alembic_online.postgres.errors import AccessRefused
from alembic_online.runtime.blocker_report import as_data, blockers_table, described

GRACE = 5.0  # seconds that a cancelled statement, and then an ended session, gets to go
_TOLD = 5  # of those chosen, in an error's message
_DONE = ("cancelled", "terminated", "holds nothing")
_UNITS = {"s": 1, "m": 60, "h": 3600}


def age(text: str) -> float:
    """Seconds of `30s`, `5m` or `1h`. Raises argparse's error otherwise."""
    found = re.fullmatch(r"(\d+)([smh])", text)
    if found is None:
        raise ArgumentTypeError(f"{text!r} is no age: write it as 30s, 5m or 1h")
    return int(found[1]) * _UNITS[found[2]]


def add_arguments(parser: ArgumentParser) -> None:
    """The verb's options."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--end", type=int, metavar="PID", help="end this backend's transaction")
    which.add_argument(
        "--end-older-than",
        type=age,
        metavar="AGE",
        help="end transactions older than 30s, 5m, 1h that hold somebody up, or a table while idle",
    )
    parser.add_argument("--yes", action="store_true", help="end without asking")
    parser.add_argument("--show-literals", action="store_true", help="show the values in queries")
    parser.add_argument("--json", action="store_true", help="print JSON")


async def run(connection: AsyncConnection, options: Namespace, console: Console) -> int:
    """Show the queues, or end the chosen; `FOUND` if somebody is held up, or if one of the chosen did not end.

    Raises `RequestRefused` where nobody can be asked, `AccessRefused` where a grant is missing.
    """
    queues = await all_blockers(connection, show_literals=options.show_literals)
    if options.end is None and options.end_older_than is None:
        _show(queues, options, console)
        return FOUND if queues else FINE
    idle = await idle_holders(connection, show_literals=options.show_literals)
    if options.end is not None:
        everybody = [*idle, *(blocker for queue in queues for blocker in queue)]
        known = {blocker.pid: described(blocker, age=True) for blocker in everybody}
        chosen = {options.end: known.get(options.end, _unknown(options.end))}
    else:
        # Only the heads of queues: who waits himself goes on when they are gone.
        chosen = _older([*(queue.head for queue in queues), *idle], options.end_older_than)
    return await _end(connection, chosen, options, console)


def _older(candidates: Sequence[Blocker], limit: float) -> dict[int, str]:
    """The backends whose transactions are older, each in words."""
    if hidden := next((blocker.not_visible for blocker in candidates if blocker.not_visible), None):
        raise AccessRefused("Nothing was ended: how old the others' transactions are is not visible.", f"Run: {hidden}")
    return {
        blocker.pid: described(blocker, age=True)
        for blocker in candidates
        if blocker.pid is not None and (blocker.transaction_age or 0) > limit
    }


async def _end(connection: AsyncConnection, chosen: dict[int, str], options: Namespace, console: Console) -> int:
    if not _may_end(chosen, options, console):
        console.print("Nothing was ended.")
        return FOUND
    endings = []
    for pid, words in chosen.items():
        endings.append(await end(connection, pid, grace=GRACE))
        if not options.json:
            was = [words] if options.yes and words != _unknown(pid) else []  # who was asked has read it
            console.print(*was, endings[-1].sentence, sep="\n", markup=False, highlight=False)
    if options.json:
        console.print_json(data={"ended": [{**asdict(each), "was": chosen[each.pid]} for each in endings]})
    elif not endings:
        console.print("Nobody is in the way with a transaction that old.")
    return FINE if all(ending.outcome in _DONE for ending in endings) else FOUND


def _unknown(pid: int) -> str:
    return f"pid {pid}"


def _may_end(chosen: dict[int, str], options: Namespace, console: Console) -> bool:
    if options.yes or not chosen:
        return True
    if options.json or not sys.stdin.isatty():
        more = [f"and {len(chosen) - _TOLD} more"] if len(chosen) > _TOLD else []
        told = "\n".join([*list(chosen.values())[:_TOLD], *more])
        raise RequestRefused(
            f"Nothing was ended: nobody can be asked. Chosen:\n{told}", "To end without being asked, add --yes."
        )
    for words in chosen.values():
        console.print(words, markup=False, highlight=False)
    return Confirm.ask("End this?" if len(chosen) == 1 else f"End these {len(chosen)}?", console=console, default=False)


def _show(queues: Sequence[Queue], options: Namespace, console: Console) -> None:
    if options.json:
        console.print_json(data={"blockers": [as_data(queue) for queue in queues]})
    elif queues:
        console.print(blockers_table(queues))
    else:
        console.print("Nobody holds anybody up.")


VERB = Verb("blockers", "who holds somebody up, and ending them", add_arguments, run)
