"""What examples of one change have in common, made once: a database with rows, and what autogenerate writes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, NullPool, create_engine, event

from alembic_online.postgres.errors import UserError
from alembic_online.sample_rows.row_factory import Filler
from alembic_online.sample_rows.tables import read_tables
from alembic_online.testing.crucible.databases import Databases
from alembic_online.testing.crucible.environment import with_driver
from alembic_online.testing.crucible.example import Example
from alembic_online.testing.crucible.models import metadata_of
from alembic_online.testing.crucible.names import quoted
from alembic_online.testing.crucible.outcome import Outcome, line
from alembic_online.testing.crucible.project import BASE, STEP, Place
from alembic_online.testing.crucible.rows import fill

_POLICY: dict[str, Any] = {
    "lock_timeout": 0.05,
    "total_lock_timeout": 0.4,
    "max_retry_delay_seconds": 0.05,
    "migrator_timeout": 120.0,
    "backfill_pause_ratio": 0.0,
    "unknown_sessions": "none",
}
_FILES = (".ini", ".json", ".mako", ".py")
# Partitions count together.
_MIDDLE = """
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY bytes) + 1 FROM (
        SELECT sum(pg_table_size(oid))::float8 AS bytes FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
        GROUP BY CASE WHEN relispartition THEN pg_partition_root(oid) ELSE oid END)
"""


@dataclass(frozen=True)
class Prepared:
    """`template` is the URL of a database at the first revision, to which nobody is connected."""

    template: str
    policy: Mapping[str, Any]
    files: Mapping[str, str]
    """The project, by the paths of its files."""
    refused: str = ""
    """Why autogenerate wrote nothing."""
    fault: str = ""

    def put(self, folder: Path) -> Place:
        """The project, in a folder of its own."""
        for path, text in self.files.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(text)
        return Place(folder, {**self.policy})


@dataclass
class Preparations:
    """The last one is kept, for the examples that follow."""

    databases: Databases
    _like: Example | None = None
    _prepared: Prepared | None = None

    def of(self, example: Example, folder: Path, outcome: Outcome) -> Prepared:
        """Made in the folder, if that was not done for the example before."""
        like = _common(example)
        if self._prepared is None or like != self._like:
            self.drop()
            self._prepared, self._like = self._made(example, folder, outcome), like
        return self._prepared

    def drop(self) -> None:
        """The next one is made again."""
        if self._prepared is not None:
            self.databases.drop(self._prepared.template)
        self._prepared = self._like = None

    def _made(self, example: Example, folder: Path, outcome: Outcome) -> Prepared:
        place = Place(folder, {**_POLICY, "small_table_bytes": example.small, "expand_contract": example.phases})
        url = self.databases.make()
        with outcome.timed("preparation"):
            _fill(url, example, place)
        refused = fault = ""
        try:
            with outcome.timed("autogenerate"):
                if not place.autogenerate(with_driver(url, example.driver)):
                    refused = "nothing differs"
        except UserError as error:
            refused = f"autogenerate: {line(error)}"
        except Exception as error:
            fault = f"autogenerate crashes: {line(error)}"
        files = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.suffix in _FILES}
        return Prepared(url, place.policy, files, refused, fault)


def _common(example: Example) -> Example:
    """The example without all that does not matter here."""
    return replace(example, seed="", spelling="", interruptions=(), driver="", writes=False, habits=())


def _fill(url: str, example: Example, place: Place) -> None:
    """The models of before and rows, at the first revision; and the models of after."""
    engine = create_engine(with_driver(url, "psycopg"), poolclass=NullPool)
    made: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *given: made.append(given[2]))
    with engine.begin() as connection:
        metadata_of(example.before).create_all(connection, checkfirst=False)
    statements = [each for each in made if each.lstrip().startswith(("CREATE", "ALTER", "COMMENT"))]
    stepped = example.before.tables[0].name if example.below else ""
    place.write(statements, stepped)
    place.declare(example.after)
    if example.guessed:
        with engine.begin() as connection:
            _guess_rows(connection)
    with psycopg.connect(url) as session:
        large = example.before.tables[-1].name if example.mixed else ""
        for statement in () if example.guessed else fill(example.before, example.rows, large):
            session.execute(statement.encode())
        if stepped:
            session.execute(f"ALTER TABLE {quoted(stepped)} ADD COLUMN {STEP} integer".encode())
        session.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        session.execute("INSERT INTO alembic_version VALUES (%s)", [BASE])
        if example.mixed:
            place.policy["small_table_bytes"] = (session.execute(_MIDDLE).fetchone() or (0.0,))[0]


def _guess_rows(connection: Connection) -> None:
    """Two rows a table, and six more, as the kit guesses them."""
    filler, tables = Filler(), read_tables(connection)
    filler.fill(connection, tables.values())
    for table in tables.values():
        for _ in range(6):
            filler.insert(connection, table, table.columns)
