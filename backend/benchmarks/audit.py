"""`python -m benchmarks.audit [REVISIONS]`: the processor time of an audit, here and in the server."""

import os
import sys
import time
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic_online.audit.examine import examine
from alembic_online.audit.guest import as_guest
from alembic_online.audit.report import Audit
from alembic_online.policy import Policy
from alembic_online.postgres.embedded import end_server, start_server
from benchmarks.projects import make

# Ten of each are one table's life: up, and down again.
_CHANGES = (
    (
        'op.create_table("t{table}", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(50)),'
        ' sa.Column("n", sa.Integer))',
        'op.drop_table("t{table}")',
    ),
    ('op.add_column("t{table}", sa.Column("c{number}", sa.Integer))', 'op.drop_column("t{table}", "c{number}")'),
    ('op.create_index("ix_{number}", "t{table}", ["name"])', 'op.drop_index("ix_{number}", "t{table}")'),
    (
        'op.alter_column("t{table}", "n", type_=sa.BigInteger())',
        'op.alter_column("t{table}", "n", type_=sa.Integer())',
    ),
    ('op.create_unique_constraint("uq_{number}", "t{table}", ["n"])', 'op.drop_constraint("uq_{number}", "t{table}")'),
    (
        'op.create_foreign_key("fk_{number}", "t{table}", "t0", ["c{before}"], ["id"])',
        'op.drop_constraint("fk_{number}", "t{table}")',
    ),
    ('op.alter_column("t{table}", "name", nullable=False)', 'op.alter_column("t{table}", "name", nullable=True)'),
    ('op.execute("UPDATE t{table} SET n = 0 WHERE n IS NULL")', "pass"),
    (
        'op.create_check_constraint("ck_{number}", "t{table}", "n >= 0")',
        'op.drop_constraint("ck_{number}", "t{table}")',
    ),
    ('op.drop_column("t{table}", "n")', 'op.add_column("t{table}", sa.Column("n", sa.BigInteger))'),
)


def main(revisions: int) -> None:
    """Print a row for each half of it."""
    with TemporaryDirectory(prefix="bench-") as directory:
        folder = Path(directory).resolve()
        lines = [_CHANGES[number % 10] for number in range(revisions)]
        names = [{"table": number // 10, "number": number, "before": number - 4} for number in range(revisions)]
        ups, downs = ([line[way].format(**each) for line, each in zip(lines, names, strict=True)] for way in (0, 1))
        make(folder / "project", "plain", "postgresql://nobody@localhost:1/nowhere", ups, downs)
        server = start_server(folder / "data", settings={"fsync": "off"}, temporary=True)
        try:
            _measure(folder / "project", server.get_uri(), folder / "data" / "postmaster.pid")
        finally:
            end_server(server)


def _measure(project: Path, url: str, pid_file: Path) -> None:
    pid = int(pid_file.read_text().split()[0])
    marks: dict[str, tuple[float, float]] = {}

    def told(words: str, *_: int) -> None:
        marks.setdefault(words.partition(":")[0], (time.process_time(), _seconds(pid)))

    begun = time.perf_counter()
    with as_guest(project):
        audit = Audit(examine(project, Policy(scratch_url=url), told))
        headline = audit.report.headline
    marks["end"] = time.process_time(), _seconds(pid)
    for (name, (here, there)), (_, (here_after, there_after)) in pairwise(marks.items()):
        sys.stdout.write(f"{name}: {here_after - here:.1f} s here, {there_after - there:.1f} s in the server\n")
    sys.stdout.write(f"{headline} {time.perf_counter() - begun:.1f} s in all.\n")


def _seconds(pid: int) -> float:
    """Of the server and of all that it has started, also of what has ended."""
    stats = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        stats[int(path.parent.name)] = int(fields[1]), sum(map(int, fields[11:13])), sum(map(int, fields[13:15]))
    own = stats[pid][1] + stats[pid][2]
    ticks = own + sum(used for parent, used, _ in stats.values() if parent == pid)
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
