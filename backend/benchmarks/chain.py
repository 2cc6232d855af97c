"""What CI pays: a chain of small revisions on an empty database, where nobody else is connected.

python -m benchmarks.chain [REVISIONS]            (from backend/)

Six kinds of revision after each other, on a new table every six: a table; a column with a default and its index; a
foreign key; NOT NULL; rows and a unique constraint; a type and a view. Whole commands, plain and ours alternating.
"""

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from benchmarks.apply import overhead, server

REVISIONS = 200
REPEATS = 5
KINDS = (
    'op.create_table("{t}", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("name", sa.String(50)),'
    ' sa.Column("other", sa.Integer()))',
    'op.add_column("{t}", sa.Column("n", sa.Integer(), server_default="0", nullable=False));'
    ' op.create_index("ix_{t}_n", "{t}", ["n"])',
    'op.create_foreign_key("fk_{t}", "{t}", "t0", ["other"], ["id"])',
    'op.alter_column("{t}", "name", nullable=False)',
    'op.execute("UPDATE {t} SET n = 1 WHERE n = 0"); op.create_unique_constraint("uq_{t}", "{t}", ["name"])',
    'op.alter_column("{t}", "other", type_=sa.BigInteger()); op.execute("CREATE VIEW v_{t} AS SELECT id FROM {t}")',
)


async def main() -> None:
    """Print the table."""
    revisions = int(sys.argv[1]) if sys.argv[1:] else REVISIONS
    upgrades = [KINDS[place % 6].format(t=f"t{place // 6}") for place in range(revisions)]
    title = f"{revisions} revisions on an empty database, {REPEATS} runs each, alternating"
    with server() as admin, TemporaryDirectory() as folder:
        Console().print(await overhead(admin, Path(folder), upgrades, repeats=REPEATS, title=title))


if __name__ == "__main__":
    asyncio.run(main())
