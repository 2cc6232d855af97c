"""Who is connected to the database at this moment: which releases, and which sessions say nothing of themselves.

`application_name`, role and database of a session may be read by every role (`pg_stat_get_activity`, PostgreSQL 16 to
18); address and age only by its own role, by a member of it, and by members of `pg_read_all_stats`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from alembic_online.releases.label import Label

TOOLS = ("alembic", "alembic-online", "alembic-online audit", "safety", "safety plan", "online scratch")
"""What the toolkit's own sessions are called."""
_OF_PEOPLE = ("psql", "pg_dump", "pg_restore", "pg_basebackup")
"""Programs of PostgreSQL's own, which run no application's statements."""

# A snapshot of pg_stat_activity is kept for a transaction (stats_fetch_consistency).
_SESSIONS = text(
    """
    SELECT coalesce(a.application_name, '') AS application, coalesce(a.usename::text, '') AS role,
           coalesce(a.client_hostname, host(a.client_addr), '') AS host,
           extract(epoch FROM a.backend_start)::float8 AS since
    FROM pg_stat_clear_snapshot(), pg_stat_activity a
    WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.leader_pid IS NULL
      AND a.pid <> ALL (CAST(string_to_array(:own, ',') AS int[]))
      AND coalesce(a.backend_type, 'client backend') = 'client backend'
    ORDER BY a.backend_start NULLS LAST
    """
)


@dataclass(frozen=True, slots=True)
class Session:
    """One connection of somebody else's."""

    application: str
    role: str
    host: str
    """As it says itself, else its address; empty on a Unix socket, and where this role may not see it."""
    since: datetime | None
    label: Label | None


@dataclass(frozen=True, slots=True)
class Release:
    """All connections that say the same, or nothing."""

    product: str
    """Of those that say nothing, their application_name and role."""
    release: str
    heads: str
    """Empty of those that say nothing."""
    connections: int
    hosts: tuple[str, ...]
    since: datetime | None
    """Since when the oldest of the connections is there; None where this role may not see it."""

    @property
    def name(self) -> str:
        """In a sentence."""
        where = f" on {', '.join(self.hosts)}" if self.hosts else ""
        if not self.heads:
            return f"{self.product}{where}"
        return f"{' '.join(filter(None, (self.product, self.release)))}{where} (built for {self.heads})"


async def read_sessions(connection: AsyncConnection, own_pids: Iterable[int] = ()) -> list[Session]:
    """Every client of the database at hand but this one and `own_pids`, the oldest first, without those of tools."""
    rows = await connection.execute(_SESSIONS, {"own": ",".join(map(str, own_pids))})
    return [
        Session(row.application, row.role, label.host if label and label.host else row.host, _moment(row.since), label)
        for row in rows
        if row.application not in (*TOOLS, *_OF_PEOPLE)
        for label in [Label.read(row.application)]
    ]


def releases(sessions: Sequence[Session]) -> list[Release]:
    """Them by release; those that say nothing by application_name and role, after the others."""
    groups: dict[tuple[str, str, str], list[Session]] = {}
    for each in sessions:
        name = (each.label.product.partition(" ")[0], each.label.release, each.label.heads) if each.label else None
        groups.setdefault(name or (_unsaid(each), "", ""), []).append(each)
    found = [
        Release(*name, len(those), tuple(sorted({each.host for each in those} - {""})), those[0].since)
        for name, those in groups.items()
    ]
    return sorted(found, key=lambda each: (not each.heads, each.product, each.heads, each.release))


def _unsaid(session: Session) -> str:
    name = f"a session named {session.application!r}" if session.application else "a session without a name"
    return f"{name} of role {session.role}"


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
