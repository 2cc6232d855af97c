"""Which way an operation is carried out, and that nothing of it outlives the run."""

import io
import secrets
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations

from tests.alembic_online.project import Project
from tests.alembic_online.recipes.cases import BOOKS
from tests.alembic_online.recipes.interruption import PATIENT
from tests.alembic_online.recipes.statements import listening, statements
from tests.servers import as_role

INDEX = 'op.create_index("ix_a", "books", ["title"])'


@pytest.fixture
def books(database: str) -> str:
    """The URL of a database with a table that has rows."""
    with psycopg.connect(database, autocommit=True) as session:
        session.execute(BOOKS)
    return database


def way(project: Project, url: str, **variables: str) -> str:
    """`online` or `direct`: how the index ix_a was made."""
    with statements() as sent:
        project.alembic.having(**variables)(url, "upgrade", "head")
    (made,) = [statement for statement in sent if "ix_a" in statement and statement.startswith("CREATE")]
    return "online" if "CONCURRENTLY" in made else "direct"


@pytest.mark.parametrize(("limit", "expected"), [("0", "online"), ("1000", "online"), ("1e6", "direct")])
def test_a_small_table_is_changed_directly(project: Project, books: str, limit: str, expected: str) -> None:
    project.revision("001_a", upgrade=INDEX)
    assert way(project, books, MIGRATION_SMALL_TABLE_BYTES=limit) == expected


def test_an_empty_table_is_changed_directly_whatever_the_limit(project: Project, books: str) -> None:
    with psycopg.connect(books, autocommit=True) as session:
        session.execute("TRUNCATE books")
    project.revision("001_a", upgrade=INDEX)
    assert way(project, books, **PATIENT) == "direct"


@pytest.mark.parametrize(
    "make", ['op.create_table("new", sa.Column("a", sa.Integer))', 'op.execute("CREATE TABLE new (a int)")']
)
def test_a_table_that_is_new_in_the_revision_is_changed_directly(project: Project, books: str, make: str) -> None:
    fill = 'op.execute("INSERT INTO new SELECT generate_series(1, 99)")'
    project.revision("001_a", upgrade=f'{make}\n    {fill}\n    op.create_index("ix_a", "new", ["a"])')
    assert way(project, books, **PATIENT) == "direct"


def test_a_revision_may_say_why_a_table_is_changed_directly(project: Project, books: str) -> None:
    path = project.revision("001_a", upgrade=INDEX)
    path.write_text(path.read_text() + '\n\ndirect = {"books": "the shop is closed"}\n')
    assert way(project, books, **PATIENT) == "direct"


def test_without_a_reason_it_may_not(project: Project, books: str) -> None:
    path = project.revision("001_a", upgrade=INDEX)
    path.write_text(path.read_text() + '\n\ndirect = {"books": ""}\n')
    code, stderr = project.alembic.having(**PATIENT).refused(books, "upgrade", "head")
    assert (code, "and not why" in stderr) == (18, True), stderr


@pytest.mark.parametrize(
    "lines",
    [
        f"with op.get_bind().begin_nested():\n        {INDEX}",
        f"op.execute('SAVEPOINT a'); {INDEX}; op.execute('RELEASE a')",
        f"op.execute('SAVEPOINT a'); {INDEX}; op.execute('ROLLBACK TO SAVEPOINT a')",
        f"try:\n        with op.get_bind().begin_nested():\n            {INDEX}\n    except Exception:\n        pass",
        """with op.get_bind().begin_nested():
        op.execute('ALTER TABLE books ADD extra integer')
        op.execute('UPDATE books SET extra = 1')""",
    ],
)
def test_what_stands_in_a_savepoint_is_refused_where_it_would_be_committed(
    project: Project, books: str, lines: str
) -> None:
    project.revision("001_a", upgrade=lines)
    code, stderr = project.alembic.having(**PATIENT).refused(books, "upgrade", "head")
    assert (code, "Take the line out of the savepoint" in stderr) == (18, True), stderr
    assert "Nothing of 001_a was changed" in stderr
    project.alembic.having(MIGRATION_SMALL_TABLE_BYTES="1e9")(books, "upgrade", "head")


def test_what_takes_too_long_directly_is_done_the_online_way(project: Project, books: str) -> None:
    body = "BEGIN PERFORM pg_sleep(0.002); RETURN $1; END"
    with psycopg.connect(books, autocommit=True) as session:
        session.execute(f"CREATE FUNCTION slow(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS '{body}'")
    project.revision("001_a", upgrade='op.create_index("ix_a", "books", [sa.text("slow(id)")])')
    with psycopg.connect(books), statements() as sent:  # somebody is there
        project.alembic(books, "upgrade", "head")
    made = [statement.partition(" ix_a")[0] for statement in sent if "INDEX" in statement and "slow" in statement]
    assert made == ["CREATE INDEX", "CREATE INDEX CONCURRENTLY"]


def test_the_memory_of_a_build_is_raised_for_it_alone(project: Project, books: str) -> None:
    with psycopg.connect(books, autocommit=True) as session:
        session.execute("UPDATE pg_class SET reltuples = 5e6 WHERE relname = 'books'")
    project.revision("001_a", upgrade=INDEX)
    with statements() as sent:
        project.alembic.having(**PATIENT, MIGRATION_INDEX_MEMORY_MEGABYTES="70", MIGRATION_INDEX_WORKERS="1")(
            books, "upgrade", "head"
        )
    settings = [
        statement for statement in sent if "maintenance" in statement and not statement.lstrip().startswith("SELECT")
    ]
    assert settings == [
        f"SET maintenance_work_mem = '{70 * 1024}kB'",
        "SET max_parallel_maintenance_workers = 1",
        "RESET maintenance_work_mem",
        "RESET max_parallel_maintenance_workers",
    ]


@pytest.mark.parametrize(
    "change",
    [
        'op.alter_column("authors", "name", type_=sa.Integer, postgresql_using="length(name)")',
        'op.add_column("authors", sa.Column("twice", sa.Integer, sa.Computed("id * 2", persisted=True)))',
    ],
    ids=["a new column", "a new table"],
)
def test_the_workers_and_the_memory_are_set_where_indexes_are_built_again(
    project: Project, books: str, change: str
) -> None:
    with psycopg.connect(books, autocommit=True) as session:
        session.execute("CREATE INDEX ix_name ON authors (name)")
    project.revision("001_a", upgrade=change)
    with statements() as sent:
        project.alembic.having(**PATIENT, MIGRATION_INDEX_WORKERS="1")(books, "upgrade", "head")
    workers = "max_parallel_maintenance_workers"
    words = [" ".join(statement.split()[:2]) for statement in sent]
    wanted = [f"SET {workers}", "CREATE INDEX", f"RESET {workers}"]
    assert [each for each in words if each in wanted] == wanted


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_either_driver_gets_the_same_words(project: Project, books: str, driver: str) -> None:
    condition = "title LIKE 'title %' AND title <> ':x' AND pages % 2 = 0"
    index = f'op.create_index("ix_a", "books", ["title"], unique=True, postgresql_where=sa.text(r"{condition}"))'
    check = f'op.create_check_constraint("ck_a", "books", sa.text(r"{condition} OR true"))'
    project.revision("001_a", upgrade=f"{index}\n    {check}".replace(":x", "\\:x"))
    project.alembic.having(**PATIENT)(books.replace("postgresql:", f"postgresql+{driver}:"), "upgrade", "head")
    with psycopg.connect(books) as session:
        printed = "SELECT pg_get_expr(indpred, indrelid) FROM pg_index WHERE indexrelid = 'ix_a'::regclass"
        assert session.execute(printed).fetchall() == [
            ("((title ~~ 'title %'::text) AND (title <> ':x'::text) AND ((pages % 2) = 0))",)
        ]


def test_while_an_index_is_replaced_queries_always_have_one(project: Project, books: str) -> None:
    drop = 'op.drop_index("ix_a", "books")'
    project.revision("001_a", upgrade=f'{drop}\n    op.create_index("ix_a", "books", ["title", "pages"])')
    seen = set()
    with psycopg.connect(books, autocommit=True) as session:
        session.execute("CREATE INDEX ix_a ON books (title)")

        def look(*_: Any) -> None:
            valid = "SELECT count(*) FROM pg_index WHERE indrelid = 'books'::regclass AND indisvalid"
            seen.update(session.execute(valid).fetchall())

        with listening("after_cursor_execute", look):
            project.alembic.having(**PATIENT)(books, "upgrade", "head")
    assert seen == {(1,), (2,)}


def test_the_tables_of_a_foreign_key_are_locked_in_the_order_of_their_names(project: Project, books: str) -> None:
    project.revision("001_a", upgrade='op.create_foreign_key("fk_a", "books", "authors", ["author_id"], ["id"])')
    with statements() as sent:
        project.alembic.having(**PATIENT)(books, "upgrade", "head")
    taken = [statement for statement in sent if statement.startswith(("LOCK", "ALTER"))]
    assert taken == [
        "LOCK TABLE authors IN SHARE UPDATE EXCLUSIVE MODE",
        "LOCK TABLE books IN SHARE UPDATE EXCLUSIVE MODE",
        "ALTER TABLE books ADD CONSTRAINT fk_a FOREIGN KEY(author_id) REFERENCES authors (id) NOT VALID",
        "ALTER TABLE books VALIDATE CONSTRAINT fk_a",
    ]


def test_old_rows_get_what_python_would_give_to_new_ones(project: Project, books: str) -> None:
    column = 'sa.Column("token", sa.Text, default=lambda: str(next(numbers)), nullable=False)'
    project.revision("001_a", upgrade=f'numbers = iter(range(999))\n    op.add_column("authors", {column})')
    project.alembic.having(**PATIENT)(books, "upgrade", "head")
    with psycopg.connect(books) as session:
        count = session.execute("SELECT count(DISTINCT token), count(*) FROM authors").fetchone()
        columns = "SELECT is_nullable, column_default FROM information_schema.columns WHERE column_name = 'token'"
        assert count == (50, 50)
        assert session.execute(columns).fetchall() == [("NO", None)]


def test_what_has_no_way_is_refused_before_anything_of_the_revision_is_committed(project: Project, books: str) -> None:
    exclude = 'op.create_exclude_constraint("ex_a", "books", ("id", "="), using="hash")'
    project.revision("001_a", upgrade=f'op.execute("CREATE TABLE new ()")\n    {exclude}')
    project.alembic.having(**PATIENT).refused(books, "upgrade", "head")
    with psycopg.connect(books) as session:
        assert session.execute("SELECT to_regclass('new')").fetchone() == (None,)


@pytest.fixture
def plain_role(books: str) -> Iterator[str]:
    """The same database for a role that owns the authors, and may make no temporary table."""
    name = f"r_{secrets.token_hex(4)}"
    with psycopg.connect(books, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {name} LOGIN; REVOKE TEMPORARY ON DATABASE {admin.info.dbname} FROM PUBLIC")
        admin.execute(f"GRANT ALL ON SCHEMA public TO {name}; ALTER TABLE authors OWNER TO {name}")
        yield as_role(books, name)
        admin.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_who_cannot_ask_whether_a_change_of_type_is_free_does_not_rewrite_under_a_lock(
    project: Project, plain_role: str
) -> None:
    project.revision("001_a", upgrade='op.alter_column("authors", "name", type_=sa.String(30))')
    code, stderr = project.alembic.having(**PATIENT).refused(plain_role, "upgrade", "head")
    assert (code, "this role may make no temporary table" in stderr) == (18, True), stderr
    with psycopg.connect(plain_role) as session:
        kind = "SELECT atttypid::regtype::text FROM pg_attribute WHERE attrelid = 'authors'::regclass"
        assert session.execute(f"{kind} AND attname = 'name'").fetchone() == ("text",)


def test_who_cannot_ask_may_say_why_the_change_may_rewrite(project: Project, plain_role: str) -> None:
    path = project.revision("001_a", upgrade='op.alter_column("authors", "name", type_=sa.String(30))')
    path.write_text(path.read_text() + '\n\ndirect = {"authors": "nobody writes books today"}\n')
    project.alembic.having(**PATIENT)(plain_role, "upgrade", "head")


def test_the_triggers_that_a_role_cannot_keep_still_are_named(
    project: Project, books: str, plain_role: str, caplog: pytest.LogCaptureFixture
) -> None:
    with psycopg.connect(books, autocommit=True) as admin:
        admin.execute(
            "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;"
            "CREATE TRIGGER touching BEFORE UPDATE ON authors FOR EACH ROW EXECUTE FUNCTION touch()"
        )
    column = 'sa.Column("token", sa.Float, server_default=sa.text("random()"))'
    up, down = f"op.add_column('authors', {column})", "op.drop_column('authors', 'token')"
    project.revision("001_a", upgrade=up, downgrade=down)
    online = project.alembic.having(**PATIENT)
    online(plain_role, "upgrade", "head")
    assert "Filling authors fires its triggers touching for each row" in caplog.text
    caplog.clear()
    online(books, "downgrade", "base")
    online(books, "upgrade", "head")
    assert "fires its triggers" not in caplog.text


def test_no_run_leaves_anything_in_alembic(project: Project, books: str) -> None:
    project.revision("001_a", upgrade=INDEX)
    project.alembic.having(**PATIENT)(books, "upgrade", "head")
    project.alembic(books, "upgrade", "head", "--sql")
    written = io.StringIO()
    options = {"as_sql": True, "output_buffer": written}
    Operations(MigrationContext.configure(dialect_name="postgresql", opts=options)).create_index("ix", "t", ["a"])
    assert written.getvalue().split() == ["CREATE", "INDEX", "ix", "ON", "t", "(a);"]


_OTHERS = """op.execute("ALTER TYPE mood RENAME TO mood_old")
    bind = op.get_bind()
    with bind.engine.connect() as other:
        seen = [each.dialect.has_type(each, "mood") for each in (bind, other)]
    assert seen == [False, True], seen"""


def test_only_the_revisions_own_connection_knows_of_types_that_wait(project: Project, books: str) -> None:
    """The engine, and its dialect, may be in use elsewhere in the process."""
    with psycopg.connect(books) as session:
        session.execute("CREATE TYPE mood AS ENUM ('glad')")
    project.revision("001_a", upgrade=_OTHERS)
    project.alembic.having(**PATIENT)(books, "upgrade", "head")
