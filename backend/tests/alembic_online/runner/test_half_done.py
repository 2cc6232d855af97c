"""A revision that stopped half-way, then somebody's hand: the same command finishes it, or says what is in the way."""

import os
import signal
from collections.abc import Callable
from functools import cache
from itertools import product
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError

from alembic_online.cli.main import main
from alembic_online.errors import RevisionFailed
from alembic_online.postgres.errors import UserError
from alembic_online.testing.crucible.interruptions import forked
from tests.alembic_command import Alembic
from tests.alembic_online.project import Project, make_project
from tests.alembic_online.recipes.interruption import PATIENT, Interruption, listening
from tests.alembic_online.recipes.state import State, read_state, same
from tests.alembic_online.runner.processes import Migrator, until
from tests.longer_proofs import every
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


@pytest.mark.parametrize("case", every(83, product(range(1, 22), REPAIRS)))
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


SMALL = """\
op.add_column("event", sa.Column("place", sa.String(10)))
    op.execute("UPDATE event SET place = 'p' || id")
    op.create_check_constraint("ck_size", "event", "size >= 0")
    op.create_unique_constraint("uq_kind", "event", ["kind"])"""
TAKEN_BACK = 'op.drop_constraint("uq_kind", "event"); op.drop_column("event", "place")'


@pytest.fixture
def half(project: Project, database: str, watcher: psycopg.Connection) -> Project:
    """Its second revision has stopped at a value that stands there twice, which is gone by now."""
    project.revision("001_a", None, f"{EVENT}\n    {FILL}", 'op.drop_table("event")')
    alembic = project.alembic.having(**PATIENT)
    alembic(database, "upgrade", "head")
    watcher.execute("INSERT INTO event VALUES (99, 'k1', 1)")
    project.revision("002_b", "001_a", SMALL, TAKEN_BACK)
    code, stderr = alembic.refused(database, "upgrade", "head")
    assert (code, "What 002_b did before that is committed, and stays" in stderr) == (18, True), stderr
    watcher.execute("DELETE FROM event WHERE id = 99")
    return project


def of_event(watcher: psycopg.Connection) -> set[str]:
    columns = "SELECT attname::text FROM pg_attribute WHERE attrelid = 'event'::regclass AND attnum > 4"
    constraints = "SELECT conname::text FROM pg_constraint WHERE conrelid = 'event'::regclass AND contype IN ('c', 'u')"
    return {row[0] for row in watcher.execute(f"{columns} AND NOT attisdropped UNION {constraints}".encode())}


WHOLE = {"place", "ck_size", "uq_kind"}


def test_the_one_below_is_undone_and_all_of_it_is_made_again(
    half: Project, database: str, watcher: psycopg.Connection
) -> None:
    alembic = half.alembic.having(**PATIENT)
    alembic(database, "downgrade", "base")
    alembic(database, "upgrade", "head")
    assert of_event(watcher) == WHOLE


def test_what_drift_prints_takes_the_half_back_and_all_of_it_is_made_again(
    half: Project,
    database: str,
    watcher: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.chdir(half.folder)
    for name, value in PATIENT.items():
        monkeypatch.setenv(name, value)
    assert main(["plan"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("! 002_b is half done: its upgrade stopped at step 5: CREATE UNIQUE INDEX")
    assert "ADD COLUMN place" not in said
    assert "uq_kind" in said
    assert main(["drift"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("! 002_b is half done")
    repair = said.partition("This would repair it:")[2]
    assert "-- This takes back what 002_b has done up to now." in repair
    watcher.execute(repair.encode())
    assert of_event(watcher) == set()
    half.alembic.having(**PATIENT)(database, "upgrade", "head")
    assert of_event(watcher) == WHOLE
    capsys.readouterr()
    assert main(["drift"]) == 0


@pytest.mark.prove
def test_what_is_filled_beside_a_column_is_no_loss(
    project: Project,
    database: str,
    watcher: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    project.revision("001_a", None, f"{EVENT}\n    {FILL}", 'op.drop_table("event")')
    project.revision("002_b", "001_a", 'op.alter_column("event", "size", type_=sa.BigInteger)')
    interrupted(project, database, 6)
    assert watcher.execute("SELECT count(size__new) FROM event").fetchone() == (50,)
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.chdir(project.folder)
    assert main(["drift"]) == 1
    said = capsys.readouterr().out
    assert "DROP COLUMN size__new" in said
    assert "Destroys" not in said


GUARDED = """\
if "place" not in [each["name"] for each in sa.inspect(op.get_bind()).get_columns("event")]:
        op.add_column("event", sa.Column("place", sa.String(10), default=lambda: "here", nullable=False))
    op.create_check_constraint("ck_size", "event", "size >= 0")"""


@pytest.mark.parametrize("step", every(5, range(2, 12)))
def test_what_a_condition_of_its_own_passes_over_is_not_left_half_done(
    project: Project, database: str, watcher: psycopg.Connection, step: int
) -> None:
    project.revision("001_a", None, f"{EVENT}\n    {FILL}", 'op.drop_table("event")')
    project.revision("002_b", "001_a", GUARDED)
    interrupted(project, database, step)
    refused = ""
    try:
        project.alembic.having(**PATIENT)(database, "upgrade", "head")
    except RevisionFailed as refusal:
        refused = str(refusal)
    required = """
        SELECT attnotnull AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = attrelid
            AND conkey = ARRAY[attnum] AND NOT convalidated)
        FROM pg_attribute WHERE attrelid = 'event'::regclass AND attname = 'place'
    """
    done = watcher.execute(required).fetchall() == [(True,)] and of_event(watcher) == {"place", "ck_size"}
    stamped = watcher.execute("SELECT version_num FROM alembic_version").fetchall() == [("002_b",)]
    assert stamped == done == (not refused)
    assert done or "was not asked for again: ALTER TABLE event ADD COLUMN" in refused


# Each asks the catalogue by the name of what it makes, and finds the half of it too.
BY_NAME = """\
at = sa.inspect(op.get_bind())
    if "ix_kind" not in {each["name"] for each in at.get_indexes("event")}:
        op.create_index("ix_kind", "event", ["kind"], unique=True)
    if "fk_self" not in {each["name"] for each in sa.inspect(op.get_bind()).get_foreign_keys("event")}:
        op.create_foreign_key("fk_self", "event", "event", ["size"], ["id"])
    if "ck_size" not in {each["name"] for each in sa.inspect(op.get_bind()).get_check_constraints("event")}:
        op.create_check_constraint("ck_size", "event", "size >= 0")
    if "uq_size" not in {each["name"] for each in sa.inspect(op.get_bind()).get_unique_constraints("event")}:
        op.create_unique_constraint("uq_size", "event", ["size"])"""
MADE_BY_NAME = """
    SELECT relname::text, indisvalid AND indisunique FROM pg_index JOIN pg_class c ON c.oid = indexrelid
    WHERE indrelid = 'event'::regclass AND NOT indisprimary
    UNION ALL SELECT conname::text, convalidated FROM pg_constraint
    WHERE conrelid = 'event'::regclass AND contype IN ('c', 'f', 'u') ORDER BY 1
"""


@pytest.mark.parametrize("when", ["unnoted", "noted"])
@pytest.mark.parametrize("step", range(1, 7))
def test_what_asks_by_name_for_what_it_makes_is_finished(
    project: Project, database: str, watcher: psycopg.Connection, start: Callable[..., Migrator], step: int, when: str
) -> None:
    dies = "from tests.alembic_online.recipes.interruption import die_as_told; die_as_told()"
    project.revision("001_a", None, f"{EVENT}\n    {FILL}", 'op.drop_table("event")')
    project.alembic.having(**PATIENT)(database, "upgrade", "head")
    project.revision("002_b", "001_a", f"{dies}\n    {BY_NAME}")
    killed = start(project, database, "upgrade", "head", **PATIENT, DIES=f"{step} {when}")
    assert killed.exit_code() == -signal.SIGKILL, killed.output
    again = start(project, database, "upgrade", "head", **PATIENT, DIES="99 noted")
    assert again.exit_code() == 0, again.output
    made = [("ck_size", True), ("fk_self", True), ("ix_kind", True), ("uq_size", True), ("uq_size", True)]
    assert watcher.execute(MADE_BY_NAME.encode()).fetchall() == made


def test_an_index_that_was_being_built_is_built_whatever_asks_for_its_name(
    project: Project, database: str, watcher: psycopg.Connection, start: Callable[..., Migrator]
) -> None:
    project.revision("001_a", None, f"{EVENT}\n    {FILL}", 'op.drop_table("event")')
    project.revision("002_b", "001_a", BY_NAME)
    project.alembic.having(**PATIENT)(database, "upgrade", "001_a")
    with psycopg.connect(database) as reader:
        reader.execute("SELECT FROM event")
        reader.execute("UPDATE event SET size = size WHERE id = 1")  # the build waits for it
        killed = start(project, database, "upgrade", "head", **PATIENT)
        invalid = "SELECT FROM pg_index WHERE NOT indisvalid AND indexrelid = to_regclass('ix_kind')"
        until(lambda: bool(watcher.execute(invalid).fetchall()))
        assert killed.tell(signal.SIGKILL) == -signal.SIGKILL
        builds = "FROM pg_stat_activity WHERE query LIKE 'CREATE%ix_kind%' AND state = 'active'"
        watcher.execute(f"SELECT pg_terminate_backend(pid, 5000) {builds}".encode())
    assert watcher.execute(invalid).fetchall() == [()]
    project.alembic.having(**PATIENT)(database, "upgrade", "head")
    assert ("ix_kind", True) in watcher.execute(MADE_BY_NAME.encode()).fetchall()


CAUGHT = """\
try:
        op.create_unique_constraint("uq_size", "event", ["size"])
    except Exception:
        op.execute("UPDATE event SET size = id")
        op.create_unique_constraint("uq_size", "event", ["size"])"""


def test_an_error_that_the_revision_catches_before_it_tries_again_is_no_half(
    project: Project, database: str, watcher: psycopg.Connection
) -> None:
    project.revision("001_a", None, f"{EVENT}\n    {FILL}\n    op.execute('UPDATE event SET size = 1')")
    project.revision("002_b", "001_a", CAUGHT)
    project.alembic.having(**PATIENT)(database, "upgrade", "head")
    assert of_event(watcher) == {"uq_size"}


NOTHING_TO_DO = """\
op.alter_column("event", "size", nullable=False)
    op.alter_column("event", "size", type_=sa.BigInteger(), nullable=False)"""


def test_an_operation_that_has_nothing_to_do_is_no_half(
    project: Project, database: str, watcher: psycopg.Connection
) -> None:
    fill = "op.execute('UPDATE event SET size = 1')\n    op.execute('ALTER TABLE event ALTER size SET NOT NULL')"
    project.revision("001_a", None, f"{EVENT}\n    {FILL}\n    {fill}")
    project.revision("002_b", "001_a", NOTHING_TO_DO)
    project.alembic.having(**PATIENT)(database, "upgrade", "head")
    assert watcher.execute("SELECT pg_typeof(size)::text FROM event LIMIT 1").fetchone() == ("bigint",)


def test_a_stamp_ends_it(half: Project, database: str, watcher: psycopg.Connection) -> None:
    alembic = half.alembic.having(**PATIENT)
    alembic(database, "-x", "unproven=it is to be taken back by hand", "stamp", "001_a")
    code, stderr = alembic.refused(database, "upgrade", "head")
    assert (code, 'column "place" of relation "event" already exists' in stderr) == (18, True), stderr
    watcher.execute(UNDO.encode())
    alembic(database, "upgrade", "head")
    assert of_event(watcher) == WHOLE


def test_a_half_that_is_neither_there_nor_gone_is_said(
    half: Project, database: str, watcher: psycopg.Connection
) -> None:
    watcher.execute("ALTER TABLE event ALTER place TYPE text")
    alembic = half.alembic.having(**PATIENT)
    code, stderr = alembic.refused(database, "upgrade", "head")
    assert (code, "was changed since: column place of event is another one now." in stderr) == (18, True), stderr
    watcher.execute("ALTER TABLE event ALTER place TYPE varchar(10)")
    alembic(database, "upgrade", "head")
    assert of_event(watcher) == WHOLE


def test_what_the_server_validates_for_a_client_that_is_gone_is_done(
    project: Project, database: str, watcher: psycopg.Connection
) -> None:
    project.revision("001_a", None, f"{EVENT}\n    {FILL}")
    project.revision("002_b", "001_a", 'op.create_check_constraint("ck_size", "event", "size >= 0")')
    interrupted(project, database, 1)
    validated = "SELECT convalidated FROM pg_constraint WHERE conname = 'ck_size'"
    assert watcher.execute(validated).fetchall() == [(False,)]
    watcher.execute("ALTER TABLE event VALIDATE CONSTRAINT ck_size")
    project.alembic.having(**PATIENT)(database, "upgrade", "head")
    assert watcher.execute(validated).fetchall() == [(True,)]


TWICE = """\
op.add_column("event", sa.Column("place", sa.Text, server_default="x", nullable=False))
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE event ALTER place DROP DEFAULT")
        op.execute("CREATE INDEX ix_place ON event (place)")"""


DEFAULT = """\
with op.get_context().autocommit_block():
        op.execute("ALTER TABLE event ALTER kind SET DEFAULT 'x'")"""


OF_TWO = """\
with op.get_context().autocommit_block():
        op.execute("CREATE SCHEMA there")
        op.execute("CREATE TABLE other (size integer, place varchar(9))")
    op.execute("SAVEPOINT before_it")
    op.execute("UPDATE other SET size = 1")
    op.execute("ALTER TABLE other ALTER place TYPE text")
    op.execute("ALTER TABLE other ALTER place TYPE varchar(9)")
    op.execute("ALTER TABLE event ADD COLUMN place text")
    op.execute("RELEASE SAVEPOINT before_it")"""


ANSWER = "SELECT {} FROM pg_attribute WHERE attrelid = 'event'::regclass AND attname = '{}'"
HAS_INDEX = "SELECT true FROM pg_indexes WHERE indexname = 'ix_place'"
KIND = "ALTER TABLE event ALTER kind"
SIZE = 'op.alter_column("event", "size", type_=sa.BigInteger)'
BIG = "SELECT bool_and(pg_typeof(size)::text = 'bigint' AND size = id) FROM event"
NEGATIVE = "SELECT count(*) = 1 FROM pg_constraint WHERE conrelid = 'event'::regclass AND contype = 'c'"
UNSEEN = {
    "a default is dropped, then an index": (TWICE, 2, "", HAS_INDEX),
    "an index": (TWICE, 3, "", HAS_INDEX),
    "a default, taken back": (DEFAULT, 1, f"{KIND} DROP DEFAULT", ANSWER.format("atthasdef", "kind")),
    "a new type, taken back": (
        f"with op.get_context().autocommit_block():\n        op.execute('{KIND} TYPE text')",
        1,
        f"{KIND} TYPE varchar(20)",
        ANSWER.format("atttypid = 'text'::regtype", "kind"),
    ),
    "a column that goes, taken back": (
        "with op.get_context().autocommit_block():\n        op.execute('ALTER TABLE event DROP COLUMN old')",
        1,
        "ALTER TABLE event ADD COLUMN old integer DEFAULT 7",
        "SELECT count(*) = 0 FROM pg_attribute WHERE attrelid = 'event'::regclass AND attname = 'old'",
    ),
    "a rule without a name": (
        "with op.get_context().autocommit_block():\n        op.execute('ALTER TABLE event ADD CHECK (size > 0)')",
        1,
        "",
        NEGATIVE,
    ),
    "a rule without a name, taken back": (
        "with op.get_context().autocommit_block():\n        op.execute('ALTER TABLE event ADD CHECK (size > 0)')",
        1,
        "ALTER TABLE event DROP CONSTRAINT event_size_check",
        NEGATIVE,
    ),
    "the column beside a large one's, dropped": (SIZE, 2, "ALTER TABLE event DROP COLUMN IF EXISTS size__new", BIG),
    **{
        f"the same, when {words}": (SIZE, nth, "ALTER TABLE event DROP COLUMN IF EXISTS size__new", BIG)
        for nth, words in {
            3: "its function is there",
            4: "its trigger is there",
            6: "it is filled",
            7: "all is",
        }.items()
    },
    "a column of a name that another table has, dropped": (
        OF_TWO,
        3,
        "ALTER TABLE event DROP COLUMN place",
        "SELECT count(*) = 1 FROM pg_attribute WHERE attrelid = 'event'::regclass AND attname = 'place'",
    ),
    "a policy of a name that a column has, dropped": (
        OF_TWO.replace("ALTER TABLE event ADD COLUMN place text", "CREATE POLICY place ON event"),
        3,
        "DROP POLICY place ON event",
        "SELECT count(*) = 1 FROM pg_policy WHERE polname = 'place'",
    ),
    "a table of a name that a column has, dropped": (
        OF_TWO.replace("ALTER TABLE event ADD COLUMN place text", "CREATE TABLE place (n integer)"),
        3,
        "DROP TABLE place",
        "SELECT to_regclass('place') IS NOT NULL",
    ),
    "a column of a name that a table of another schema has, dropped": (
        OF_TWO.replace("TABLE event", "TABLE public.event").replace("other", "there.event"),
        3,
        "ALTER TABLE public.event DROP COLUMN place",
        "SELECT count(*) = 1 FROM pg_attribute WHERE attrelid = 'public.event'::regclass AND attname = 'place'",
    ),
    "a column of a name that a table of another schema has, dropped, no schema being written": (
        OF_TWO.replace("other", "there.event"),
        3,
        "ALTER TABLE event DROP COLUMN place",
        "SELECT count(*) = 1 FROM pg_attribute WHERE attrelid = 'public.event'::regclass AND attname = 'place'",
    ),
    "rows": (
        "with op.get_context().autocommit_block():\n        op.execute('UPDATE event SET size = size + 1')",
        1,
        "",
        "SELECT sum(size) = sum(id) + 50 FROM event",
    ),
}


def killed_at_note(alembic: Alembic, database: str, nth: int, folder: Path) -> None:
    """Upgrade in a process of its own, which is killed between this commit and the note of what it has changed."""

    def killed() -> None:
        event.listen(Engine, "before_cursor_execute", kill)
        alembic(database, "upgrade", "head")

    def kill(_connection: Connection, _cursor: object, _statement: str, parameters: object, *_: object) -> None:
        if str(parameters).count("did {") == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    assert os.WTERMSIG(os.waitpid(forked(killed, folder / "log"), 0)[1]) == signal.SIGKILL


@pytest.mark.parametrize("case", UNSEEN)
def test_what_was_committed_and_not_yet_looked_at_is_done_unless_it_was_taken_back(
    project: Project, database: str, watcher: psycopg.Connection, tmp_path: Path, case: str
) -> None:
    revision, nth, repair, answer = UNSEEN[case]
    project.revision("001_a", None, f"{EVENT}\n    {FILL}")
    project.revision("002_b", "001_a", revision)
    alembic = project.alembic.having(**PATIENT)
    alembic(database, "upgrade", "001_a")
    killed_at_note(alembic, database, nth, tmp_path)
    watcher.execute(repair.encode())
    alembic(database, "upgrade", "head")
    assert watcher.execute(answer.encode()).fetchall() == [(True,)]


BESIDE_A_BLOCK = """\
op.execute("SAVEPOINT before_it")
    op.execute("DO $$ BEGIN PERFORM 1; END $$")
    op.execute("ALTER TABLE event ADD COLUMN place text, ADD COLUMN way text")
    op.execute("RELEASE SAVEPOINT before_it")
    op.create_index("ix_kind", "event", ["kind"])"""


def test_what_its_lines_make_is_looked_for_before_the_stamp_whatever_was_noted(
    project: Project, database: str, watcher: psycopg.Connection, tmp_path: Path
) -> None:
    project.revision("001_a", None, f"{EVENT}\n    {FILL}")
    project.revision("002_b", "001_a", BESIDE_A_BLOCK)
    alembic = project.alembic.having(**PATIENT)
    alembic(database, "upgrade", "001_a")
    killed_at_note(alembic, database, 1, tmp_path)
    watcher.execute("ALTER TABLE event DROP COLUMN place")
    for _ in range(2):
        code, stderr = alembic.refused(database, "upgrade", "head")
        assert (code, "lines say is not all so: column place of event is missing." in stderr) == (18, True), stderr
        assert watcher.execute("SELECT version_num FROM alembic_version").fetchall() == [("001_a",)]
    watcher.execute("ALTER TABLE event ADD COLUMN place text")
    alembic(database, "upgrade", "head")


def test_what_a_line_has_made_that_was_edited_away_is_not_stamped(
    project: Project, database: str, watcher: psycopg.Connection
) -> None:
    project.revision("001_a", None, f"{EVENT}\n    {FILL}")
    kept = 'op.add_column("event", sa.Column("place", sa.String(10)))'
    project.revision(
        "002_b", "001_a", f'{kept}\n    op.create_index("ix_kind", "event", ["kind"])\n    op.execute("SELECT 1 / 0")'
    )
    alembic = project.alembic.having(**PATIENT)
    assert alembic.refused(database, "upgrade", "head").exit_code == 18
    project.revision("002_b", "001_a", kept)
    code, stderr = alembic.refused(database, "upgrade", "head")
    assert (code, "is not in the file any more is there still: index ix_kind of event." in stderr) == (18, True), stderr
    watcher.execute("DROP INDEX ix_kind")
    alembic(database, "upgrade", "head")


UNNAMED = {
    "ALTER SEQUENCE event_id_seq AS bigint": "ALTER SEQUENCE event_id_seq AS integer",
    "COMMENT ON COLUMN event.kind IS 'of it'": "COMMENT ON COLUMN event.kind IS NULL",
    "GRANT SELECT ON event TO PUBLIC": "REVOKE SELECT ON event FROM PUBLIC",
    "ALTER TABLE event ENABLE ROW LEVEL SECURITY": "ALTER TABLE event DISABLE ROW LEVEL SECURITY",
    "CREATE STATISTICS kinds ON kind, size FROM event": "DROP STATISTICS kinds",
    "CREATE RULE never AS ON DELETE TO event DO INSTEAD NOTHING": "DROP RULE never ON event",
}


@pytest.mark.prove
@pytest.mark.parametrize("done", UNNAMED)
def test_what_is_no_column_nor_rule_is_missed_too(
    project: Project, database: str, watcher: psycopg.Connection, done: str
) -> None:
    project.revision("001_a", None, f"{EVENT}\n    {FILL}")
    alembic = project.alembic.having(**PATIENT)
    alembic(database, "upgrade", "head")
    block = "with op.get_context().autocommit_block():"
    path = project.revision("002_b", "001_a", f'{block}\n        op.execute("{done}")\n    op.execute("SELECT 1 / 0")')
    assert alembic.refused(database, "upgrade", "head").exit_code == 18
    half = read_state(database)
    watcher.execute(UNNAMED[done].encode())
    assert read_state(database) != half
    path.write_text(path.read_text().replace("1 / 0", "1"))
    alembic(database, "upgrade", "head")
    same(half, read_state(database))


def test_what_fails_at_a_second_try_too_has_changed_nothing_of_its_table(
    project: Project, database: str, watcher: psycopg.Connection
) -> None:
    project.revision("001_a", None, f"{EVENT}\n    {FILL}\n    op.create_check_constraint('ck', 'event', 'old > 0')")
    drops = ["ALTER TABLE event DROP COLUMN old", "ALTER TABLE event DROP CONSTRAINT ck"]
    lines = "\n    ".join(f"op.execute({each!r})" for each in drops)
    project.revision("002_b", "001_a", f'op.create_index("ix_kind", "event", ["kind"])\n    {lines}')
    interrupted(project, database, 1)
    code, stderr = project.alembic.having(**PATIENT).refused(database, "upgrade", "head")
    assert (code, 'constraint "ck" of relation "event" does not exist' in stderr) == (18, True), stderr
    kept = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'event'::regclass AND attname = 'old'"
    assert watcher.execute(kept).fetchall() == [(1,)]


def test_a_downgrade_that_stopped_half_way_is_finished_before_anything_else(
    half: Project, database: str, watcher: psycopg.Connection
) -> None:
    alembic = half.alembic.having(**PATIENT)
    alembic(database, "upgrade", "head")
    block = "with op.get_context().autocommit_block():"
    half.revision("002_b", "001_a", SMALL, f"{block}\n        {TAKEN_BACK}\n    op.execute('SELECT 1 / 0')")
    assert alembic.refused(database, "downgrade", "001_a").exit_code == 18
    for way in ("002_b", "head"):  # nothing to do, and a way up
        half.revision("003_c", "002_b")
        code, stderr = alembic.refused(database, "upgrade", way)
        assert (code, "The downgrade of 002_b stopped half-way" in stderr) == (16, True), stderr
    half.revision("002_b", "001_a", SMALL, f"{block}\n        {TAKEN_BACK}")
    alembic(database, "downgrade", "001_a")
    assert of_event(watcher) == {"ck_size"}


MEANWHILE = """\
op.create_index("ix_kind", "event", ["kind"])
    import os, psycopg
    if "MEANWHILE" in os.environ:
        with psycopg.connect(os.environ["DATABASE_URL"]) as other:
            other.execute("DROP INDEX ix_kind")
    op.create_check_constraint("ck_size", "event", "size >= 0")"""


def test_what_somebody_drops_meanwhile_is_missed_before_the_stamp(
    project: Project, database: str, watcher: psycopg.Connection
) -> None:
    project.revision("001_a", None, f"{EVENT}\n    {FILL}")
    project.revision("002_b", "001_a", MEANWHILE)
    alembic = project.alembic.having(**PATIENT)
    alembic(database, "upgrade", "001_a")
    code, stderr = project.alembic.having(**PATIENT, MEANWHILE="1").refused(database, "upgrade", "head")
    assert (code, "what it made is not all there: index ix_kind of event is missing." in stderr) == (18, True), stderr
    assert watcher.execute("SELECT version_num FROM alembic_version").fetchall() == [("001_a",)]
    alembic(database, "upgrade", "head")
    assert watcher.execute("SELECT to_regclass('ix_kind') IS NOT NULL").fetchall() == [(True,)]


def test_rows_that_were_written_to_a_table_that_was_made_again_are_written_again(
    project: Project, database: str, watcher: psycopg.Connection
) -> None:
    project.revision("001_a", None, EVENT, 'op.drop_table("event")')
    path = project.revision("002_b", "001_a", f"{FILL}\n    op.get_bind().commit()\n    op.execute('SELECT 1 / 0')")
    alembic = project.alembic.having(**PATIENT)
    assert alembic.refused(database, "upgrade", "head").exit_code == 18
    assert watcher.execute("SELECT count(*) FROM event").fetchall() == [(50,)]
    alembic(database, "downgrade", "base")
    path.write_text(path.read_text().replace("SELECT 1 / 0", "SELECT 1"))
    alembic(database, "upgrade", "head")
    assert watcher.execute("SELECT count(*) FROM event").fetchall() == [(50,)]


AGAIN = "ALTER TABLE event DROP COLUMN place; ALTER TABLE event ADD COLUMN place varchar(10)"
BACKFILLED = {
    "the column is made again": (AGAIN, ""),
    "the column is made again, behind an index": (AGAIN, 'op.create_index("ix_kind", "event", ["kind"])'),
    "the table is made again": (
        "ALTER TABLE event RENAME TO was; CREATE TABLE event (LIKE was INCLUDING ALL); DROP TABLE was CASCADE;"
        "INSERT INTO event SELECT i, 'k' || i, i FROM generate_series(1, 50) i",
        'op.create_index("ix_kind", "event", ["kind"])',
    ),
    "the rows are those of a backup": ("UPDATE event SET place = NULL WHERE id < 40", ""),
    "the rows are those of a backup, behind an index": (
        "UPDATE event SET place = NULL WHERE id < 40",
        'op.create_index("ix_kind", "event", ["kind"])',
    ),
}


@pytest.mark.parametrize("way", ["""{"place": "'p' || id"}""", 'function=fill, where="place IS NULL"'])
@pytest.mark.parametrize("words", BACKFILLED)
def test_a_backfill_whose_rows_are_others_meanwhile_is_done_again(
    project: Project, database: str, watcher: psycopg.Connection, words: str, way: str
) -> None:
    hand, then = BACKFILLED[words]
    project.revision("001_a", None, f"{EVENT}\n    {FILL}", 'op.drop_table("event")')
    lines = (
        "def fill(rows):",
        "    return [{'place': f\"p{row['id']}\"} for row in rows]",
        'op.add_column("event", sa.Column("place", sa.String(10)))',
        f'op.backfill("event", {way})',
        then,
        'if sa.inspect(op.get_bind()).has_table("stop"):',
        '    raise RuntimeError("in the middle")',
    )
    project.revision("002_b", "001_a", "\n    ".join(lines))
    alembic = project.alembic.having(**PATIENT)
    alembic(database, "upgrade", "001_a")
    watcher.execute("CREATE TABLE stop ()")
    with pytest.raises(RuntimeError, match="in the middle"):
        alembic(database, "upgrade", "head")
    watcher.execute(f"DROP TABLE stop; {hand}")
    alembic(database, "upgrade", "head")
    assert watcher.execute("SELECT id FROM event WHERE place IS DISTINCT FROM 'p' || id").fetchall() == []
