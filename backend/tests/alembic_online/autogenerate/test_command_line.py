"""The whole way by the command line: one revision of many kinds of change at once, up, checked, and down as it was."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import create_engine, pool

from alembic_online.postgres.catalogue import Catalogue, compare, describe, read_catalogue
from alembic_online.runtime.history import BOOKKEEPING
from tests.alembic_online.project import Project
from tests.servers import Server, as_role

IMPORTS = """
from sqlalchemy import *
from sqlalchemy.dialects.postgresql import JSONB
from pgvector.sqlalchemy import Vector
from alembic_online.postgres.declared import *
"""
BEFORE = """
Table("authors", metadata, Column("id", Integer, primary_key=True), Column("name", String(50), nullable=False))
Table("books", metadata,
    Column("id", Integer, primary_key=True),
    Column("author_id", ForeignKey("authors.id"), index=True),
    Column("kind", Enum("novel", "poem", name="kind"), nullable=False, server_default="novel"),
    Column("price", Numeric(8, 2), CheckConstraint("price >= 0")),
    Column("tags", JSONB, server_default='{"a": "it\\'s"}'))
declare(metadata,
    SQLObject("CREATE VIEW cheap AS SELECT id, price FROM books WHERE price < 5"),
    SQLObject("CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"),
    SQLObject("CREATE TRIGGER touch BEFORE UPDATE ON books FOR EACH ROW EXECUTE FUNCTION touch()"))
"""
AFTER = """
Table("publishers", metadata, Column("id", BigInteger, Identity(always=True), primary_key=True), schema="trade")
Table("authors", metadata, Column("id", Integer, primary_key=True), Column("name", Text, nullable=False, unique=True),
    Column("born", Date), comment="who wrote it")
Table("books", metadata,
    Column("id", Integer, primary_key=True),
    Column("author_id", ForeignKey("authors.id", ondelete="CASCADE"), index=True),
    Column("publisher_id", ForeignKey("trade.publishers.id")),
    Column("kind", Enum("novel", "essay", "poem", name="kind"), nullable=False, server_default="novel"),
    Column("price", Numeric(10, 2), CheckConstraint("price > 0")),
    Column("tags", Text),
    Column("meaning", Vector(3), info={"renamed_from": None}),
    Index("books_meaning", "meaning", postgresql_using="hnsw", postgresql_ops={"meaning": "vector_cosine_ops"}),
    Index("dear", text("lower(tags)"), postgresql_where=text("price > 100")))
declare(metadata, Extension("vector"),
    SQLObject("CREATE VIEW cheap AS SELECT id, price FROM books WHERE price < 7"),
    SQLObject("CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.born := now(); RETURN NEW; END'"),
    SQLObject("CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON authors FOR EACH ROW EXECUTE FUNCTION touch()"))
"""


def _catalogue(url: str) -> Catalogue:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=pool.NullPool)
    with engine.connect() as connection:
        return read_catalogue(connection, ignore_tables=BOOKKEEPING)


@pytest.mark.prove
def test_many_changes_in_one_go_both_ways(project: Project, database: str) -> None:
    project.models(IMPORTS + BEFORE)
    project.alembic(database, "revision", "--autogenerate", "-m", "begin")
    project.alembic(database, "upgrade", "head")
    assert "No new upgrade operations" in project.alembic(database, "check")
    before = _catalogue(database)
    project.models(IMPORTS + AFTER)
    written = project.alembic(database, "revision", "--autogenerate", "-m", "change it all")
    assert "tried" not in written
    assert "public." not in "".join(path.read_text() for path in (project.folder / "versions").glob("*.py"))
    project.alembic(database, "upgrade", "head")
    assert "No new upgrade operations" in project.alembic(database, "check")
    assert "do not differ" in project.alembic(database, "revision", "--autogenerate", "-m", "nothing")
    project.alembic(database, "downgrade", "-1")
    assert describe(compare(before, _catalogue(database))) == ""


@pytest.fixture
def schema_only(server: Server, database: str) -> Iterator[str]:
    """The URL for a role that may do nothing but work in one schema, which is the first in its search path."""
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute("CREATE ROLE guest LOGIN PASSWORD 'secret' NOINHERIT")
        admin.execute("CREATE SCHEMA guest AUTHORIZATION guest")
        admin.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        name = admin.info.dbname
        admin.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC; GRANT CONNECT ON DATABASE "{name}" TO guest')
    yield as_role(database, "guest", "secret")
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute("DROP OWNED BY guest; DROP ROLE guest")


def test_a_role_that_may_do_nothing_but_work_in_its_schema(project: Project, schema_only: str) -> None:
    project.models('Table("books", metadata, Column("id", Integer, primary_key=True), Column("title", String(20)))')
    with psycopg.connect(schema_only, autocommit=True) as connection:
        connection.execute("CREATE TABLE books (id serial PRIMARY KEY, title varchar(20))")
    assert "No new upgrade operations" in project.alembic(schema_only, "check")


BODY = "BEGIN\n    -- it's   \n\n\tRETURN 'a\n  b';\nEND"


@pytest.mark.parametrize("body", [BODY, BODY.replace("   \n", "\n")], ids=["spaces at the end", "none"])
def test_a_body_of_many_lines_stands_in_the_file_as_it_was_written(project: Project, database: str, body: str) -> None:
    function = f"CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $${body}$$"
    project.models(f"{IMPORTS}\ndeclare(metadata, SQLObject({function!r}))")
    project.alembic(database, "revision", "--autogenerate", "-m", "a function")
    project.alembic(database, "upgrade", "head")

    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT prosrc FROM pg_proc WHERE proname = 'f'").fetchone() == (body,)
    assert "No new upgrade operations" in project.alembic(database, "check")


def test_an_extension_keeps_the_comment_by_which_a_revision_knows_its_own(project: Project, database: str) -> None:
    made = "CREATE EXTENSION vector; COMMENT ON EXTENSION vector IS '100% by revision 001'"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(made)
    project.revision("001_vector", upgrade=f"op.execute({made!r})")
    project.alembic(database, "stamp", "head")
    project.models(
        f'{IMPORTS}\ndeclare(metadata, Extension("vector"))\nTable("books", metadata, Column("id", Integer))'
    )

    assert "tried" not in project.alembic(database, "revision", "--autogenerate", "-m", "books")
    (written,) = project.folder.glob("versions/002_*.py")
    assert "vector" not in written.read_text().partition("def upgrade")[2]


ROWS_OF = """
Table("a", metadata, Column("x", Integer), Column("y", {}))
declare(metadata, SQLObject("CREATE TABLE b (held a)"))
"""


def test_what_cannot_run_is_refused_with_the_reason(project: Project, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE a (x integer, y integer)")
        connection.execute("CREATE TABLE b (held a)")
    project.models(IMPORTS + ROWS_OF.format("BigInteger"))
    refused = project.alembic.refused(database, "revision", "--autogenerate", "-m", "widen y")
    assert refused.exit_code == 16
    assert "finds no lines for this that run: the upgrade fails: cannot alter table" in refused.stderr
    assert not list((project.folder / "versions").glob("*.py"))


def test_a_constraint_that_need_not_be_valid_is_left_so(project: Project, database: str) -> None:
    project.revision("001_t", upgrade='op.create_table("t", sa.Column("n", sa.Integer))')
    project.alembic(database, "upgrade", "head")
    check = 'CheckConstraint("n > 0", name="ck", postgresql_not_valid=True)'
    project.models(f'{IMPORTS}\nTable("t", metadata, Column("n", Integer), {check})')
    project.alembic(database, "revision", "--autogenerate", "-m", "check n later")
    project.alembic(database, "upgrade", "head")

    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT convalidated FROM pg_constraint WHERE conname = 'ck'").fetchone() == (False,)
    assert "No new upgrade operations" in project.alembic(database, "check")
