"""A revision that stopped half-way, then somebody's hand: the same command finishes it, or says what is in the way."""

from collections.abc import Callable
from functools import cache
from itertools import product

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from src.postgres.errors import UserError
from src.safety.errors import RevisionFailed
from tests.safety.online.interruption import PATIENT, Interruption, listening
from tests.safety.online.state import State, read_state, same
from tests.safety.project import Project, make_project
from tests.sampling import every
from tests.servers import Server

EVENT = 'op.create_table("event", sa.Column("id", sa.Integer, primary_key=True), sa.Column("kind", sa.String(20)),'
EVENT += ' sa.Column("size", sa.Integer), sa.Column("old", sa.Integer, server_default="7"))'
FILL = "op.execute(\"INSERT INTO event SELECT i, 'k' || i, i FROM generate_series(1, 50) i\")"
UP = """\
op.add_column("event", sa.Column("place", sa.String(10)))
    op.execute("UPDATE event SET place = 'p' || id")
    op.create_check_constraint("ck_size", "event", "size >= 0")
    op.create_index("ix_kind", "event", ["kind"])
    op.create_table("notes", sa.Column("id", sa.Integer, primary_key=True))
    op.create_foreign_key("fk_note", "notes", "event", ["id"], ["id"])
    op.alter_column("event", "size", type_=sa.BigInteger)
    op.drop_column("event", "old")
    op.create_unique_constraint("uq_kind", "event", ["kind"])"""
UNDO = """
    DROP TABLE IF EXISTS notes; DROP INDEX IF EXISTS ix_kind; ALTER TABLE event DROP CONSTRAINT IF EXISTS uq_kind;
    ALTER TABLE event DROP CONSTRAINT IF EXISTS ck_size; ALTER TABLE event DROP COLUMN IF EXISTS place;
"""
REPAIRS = {
    "nothing": "",
    "the column is dropped": "ALTER TABLE event DROP COLUMN IF EXISTS place",
    "the constraint is dropped": "ALTER TABLE event DROP CONSTRAINT IF EXISTS ck_size",
    "the index is dropped": "DROP INDEX IF EXISTS ix_kind",
    "the new table is dropped": "DROP TABLE IF EXISTS notes",
    "the column is another one": """DO $$ BEGIN
        IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'event'::regclass AND attname = 'place') THEN
        ALTER TABLE event DROP COLUMN place; ALTER TABLE event ADD COLUMN place varchar(10); END IF; END $$""",
    "all of it is taken back": UNDO,
}


def write(project: Project) -> None:
    project.revision("001_a", None, f"{EVENT}\n    {FILL}", 'op.drop_table("event")')
    project.revision("002_b", "001_a", UP)


@pytest.fixture(scope="session")
def undisturbed(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], State]:
    """What the two make when nobody comes between."""

    @cache
    def made() -> State:
        project = make_project(tmp_path_factory.mktemp("undisturbed"))
        write(project)
        with server.database() as url:
            project.alembic.having(**PATIENT)(url, "upgrade", "head")
            return read_state(url)

    return made


def interrupted(project: Project, database: str, step: int) -> None:
    alembic = project.alembic.having(**PATIENT)
    alembic(database, "upgrade", "001_a")
    with listening(Interruption(database, step, noted=True)):
        try:
            alembic(database, "upgrade", "head")
        except (DBAPIError, UserError):
            return


@pytest.mark.parametrize("case", every(19, product(range(1, 22), REPAIRS)))
def test_whatever_was_done_to_it_by_hand_it_is_finished_or_what_is_in_the_way_is_said(
    project: Project,
    database: str,
    watcher: psycopg.Connection,
    undisturbed: Callable[[], State],
    case: tuple[int, str],
) -> None:
    step, repair = case
    write(project)
    interrupted(project, database, step)
    watcher.execute(REPAIRS[repair].encode())
    try:
        project.alembic.having(**PATIENT)(database, "upgrade", "head")
    except RevisionFailed as refusal:
        said = str(refusal)
        assert "half done, and what it has committed was changed since" in said
        assert "drift prints how" in said
        assert watcher.execute("SELECT version_num FROM alembic_version").fetchall() == [("001_a",)]
    else:
        same(undisturbed(), read_state(database))
