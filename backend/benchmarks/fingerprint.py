"""What it costs to ask whether a schema was changed, beside reading all of its catalogue.

python -m benchmarks.fingerprint            (from backend/, or: make bench)

Processor time of the server's process, from /proc, so that whatever else the machine does counts for nothing.
"""

import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, create_engine

from alembic_online.postgres.catalogue import read_catalogue
from alembic_online.postgres.catalogue.fingerprint import Scope, read_fingerprint
from alembic_online.postgres.catalogue.version import read_version
from benchmarks.apply import server

SIZES = (10, 100, 1000)
REPEATS = 10
_TICK = 10.0  # milliseconds
_TABLE = """
CREATE TABLE t{n} (
    id serial PRIMARY KEY, parent int REFERENCES t{parent}, slug varchar(100) NOT NULL UNIQUE,
    title varchar(255) NOT NULL DEFAULT 'none', price numeric(10, 2) CHECK (price >= 0), mood mood DEFAULT 'good',
    created_at timestamptz NOT NULL DEFAULT now(), note text
);
CREATE INDEX ON t{n} (parent);
COMMENT ON TABLE t{n} IS 'a table';
"""
_TENTH = """
CREATE VIEW v{n} AS SELECT id, slug FROM t{n} WHERE price > 3;
CREATE TRIGGER touch BEFORE UPDATE ON t{n} FOR EACH ROW EXECUTE FUNCTION touch();
GRANT SELECT ON t{n} TO pg_monitor;
"""
console = Console()


def main() -> None:
    """Measure, and print a row for each size."""
    table = Table("Tables", "Unchanged? (ms)", "Fingerprint (ms)", "Catalogue (ms)", "Ratio", "On the clock (ms)")
    with server() as admin:
        for size in SIZES:
            fill(admin, size)
            engine = create_engine(admin.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
            with engine.connect() as connection:
                asked, clock = cost(connection, read_version)
                printed, printed_clock = cost(connection, lambda each: read_fingerprint(each, Scope(("public",))))
                whole, whole_clock = cost(connection, read_catalogue)
            engine.dispose()
            times = " / ".join(f"{each:.0f}" for each in (clock, printed_clock, whole_clock))
            row = (f"{asked:.0f}", f"{printed:.0f}", f"{whole:.0f}", f"{asked / whole:.3f}, {printed / whole:.2f}")
            table.add_row(f"{size:,}", *row, times)
    console.print(table)


def fill(admin: str, size: int) -> None:
    """So many tables, a tenth of them with a view, a trigger and a grant."""
    with psycopg.connect(admin, autocommit=True) as session:
        session.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TYPE mood AS ENUM ('good', 'bad')")
        session.execute("CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
        for n in range(size):
            session.execute(_TABLE.format(n=n, parent=max(n - 1, 0)).encode())
            if n % 10 == 0:
                session.execute(_TENTH.format(n=n).encode())
        session.execute("VACUUM ANALYZE")


def cost(connection: Connection, read: Callable[[Connection], object]) -> tuple[float, float]:
    """Milliseconds of the server's processor for one reading, and the shortest by the clock."""
    process = Path(f"/proc/{connection.exec_driver_sql('SELECT pg_backend_pid()').scalar()}/stat")
    read(connection)
    before, clocks = _used(process), []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        read(connection)
        clocks.append((time.perf_counter() - begun) * 1000)
    return (_used(process) - before) / REPEATS, min(clocks)


def _used(process: Path) -> float:
    fields = process.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK


if __name__ == "__main__":
    main()
