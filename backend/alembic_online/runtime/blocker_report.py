"""Who is in the way, in words: one line while a migration waits, a table when somebody asks."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from io import StringIO
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from alembic_online.postgres.blockers import Blocker, Queue
from alembic_online.postgres.locks import LockMode

WIDTH = 1000  # columns: where no terminal sets a limit, a line is as long as it needs to be
_SHORT = 80  # characters of a query in an error's message


def waiting_line(elapsed: float, mode: LockMode, relation: str, blockers: Sequence[Blocker]) -> str:
    """`Waiting 3.2 s for ACCESS EXCLUSIVE on chapters: pid 4711 (report@bi, idle in transaction for 12 s): SELECT ...`

    `elapsed` is in seconds. Of several blockers the first is told, and how many more there are.
    """
    line = f"Waiting {elapsed:.1f} s for {mode} on {relation}"
    if not blockers:
        return line
    more = f" (and {len(blockers) - 1} more)" if len(blockers) > 1 else ""
    return f"{line}: {described(blockers[0])}{more}"


def described(blocker: Blocker, *, age: bool = False) -> str:
    """One blocker: its pid, who it is, what it does and for how long, and its query or why that is not visible.

    With the `age` of its transaction, where that is visible.
    """
    where = "prepared transaction" if blocker.pid is None else f"pid {blocker.pid}"
    since = _since("in a transaction", blocker.transaction_age) if age and blocker.transaction_age else ""
    facts = ", ".join(fact for fact in (who(blocker), doing(blocker), since) if fact)
    return f"{where} ({facts}): {said(blocker)}"


def who(blocker: Blocker) -> str:
    """`role@application`, or with the client's address where it has given no name."""
    return "@".join(part for part in (blocker.role, blocker.application or blocker.client) if part)


def doing(blocker: Blocker) -> str:
    """What it is and does, and since when."""
    if blocker.kind == "prepared transaction":
        return _since("prepared", blocker.transaction_age)
    if blocker.kind == "anti-wraparound autovacuum":
        return _since("anti-wraparound autovacuum, which gives way to nobody", blocker.transaction_age)
    state = blocker.wait_event if blocker.waiting and blocker.wait_event else blocker.state
    if blocker.waiting and (blocker.state or "").startswith("idle"):
        state = "waits without queueing"
    kind = "" if blocker.kind == "client" else blocker.kind
    return ", ".join(part for part in (kind, _since(state or "", blocker.state_age)) if part)


def said(blocker: Blocker) -> str:
    """Its query, the name of a prepared transaction with the way to end it, or the grant that is missing."""
    if blocker.not_visible:
        return f"not visible: {blocker.not_visible}"
    if blocker.kind == "prepared transaction":
        name = (blocker.query or "").replace("'", "''")
        return f"ROLLBACK PREPARED '{name}' ends it"
    return blocker.query or ""


def blockers_table(queues: Sequence[Queue], *, length: int = 200) -> Table:
    """Everybody who is in the way, and indented below each who waits for it; queries of at most `length` characters."""
    table = Table("Pid", "Who", "State", "Transaction", "Lock", "Query", box=None, pad_edge=False)
    for queue in queues:
        for depth, blocker in _walk(queue):
            pid = "prepared" if blocker.pid is None else str(blocker.pid)
            indented = f"{'  ' * (depth - 1)}└ {pid}" if depth else pid
            age = "" if blocker.transaction_age is None else duration(blocker.transaction_age)
            cells = (indented, who(blocker), doing(blocker), age, _lock(blocker), said(blocker)[:length])
            table.add_row(*map(Text, cells))  # as text: a query may hold what rich takes for markup
    return table


def blockers_table_text(blockers: Sequence[Blocker]) -> str:
    """The same table of blockers without their queues, a line each, for an error's message."""
    console = Console(file=StringIO(), width=WIDTH, color_system=None)
    with console.capture() as capture:
        console.print(blockers_table([Queue(blocker) for blocker in blockers], length=_SHORT))
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def as_data(queue: Queue) -> dict[str, Any]:
    """A queue for JSON: ages in seconds, modes as SQL spells them."""
    fields = asdict(queue.head)
    for name in ("mode", "wanted"):
        fields[name] = None if fields[name] is None else str(fields[name])
    return {**fields, "behind": [as_data(behind) for behind in queue.behind]}


def duration(seconds: float) -> str:
    """Seconds as a person says them: 12 s, 3 min 5 s, 2 h 10 min."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _walk(queue: Queue, depth: int = 0) -> Iterator[tuple[int, Blocker]]:
    yield depth, queue.head
    for behind in queue.behind:
        yield from _walk(behind, depth + 1)


def _lock(blocker: Blocker) -> str:
    verb = "holds" if blocker.held else "wants"
    # A row is waited for through the transaction that has changed it.
    thing = {"transactionid": "a changed row", "virtualxid": "a snapshot"}.get(blocker.lock_type, blocker.lock_type)
    return f"{verb} {blocker.mode} on {blocker.relation}" if blocker.relation else f"{verb} {thing}"


def _since(state: str, seconds: float | None) -> str:
    return state if seconds is None or not state else f"{state} for {duration(seconds)}"
