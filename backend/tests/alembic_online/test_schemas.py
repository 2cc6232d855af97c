"""Schemas of a project's own, first on the search_path or not; extensions in a schema of theirs."""

from collections.abc import Iterator

import psycopg
import pytest

from alembic_online.cli.main import main
from tests.alembic_online.project import Project
from tests.servers import as_role

IMPORTS = """
from sqlalchemy import *
from alembic_online.postgres.declared import *
from pgvector.sqlalchemy import Vector
"""
TABLES = """
Table("users", metadata, Column("id", Integer, primary_key=True), Column("name", String({})), schema="shop")
Table("orders", metadata, Column("id", Integer, primary_key=True), Column("user_id", ForeignKey("shop.users.id")),
    Column("note", Text), schema="shop")
Table("plain", metadata, Column("id", Integer, primary_key=True), Column("kind", Enum("a", "b", name="kind")))
"""


def _write(project: Project, url: str, models: str, message: str) -> str:
    """The lines that autogenerate writes; they are applied."""
    project.models(IMPORTS + models)
    assert "tried" not in project.alembic(url, "revision", "--autogenerate", "-m", message)
    (written,) = project.folder.glob(f"versions/*_{message}.py")
    project.alembic(url, "upgrade", "head")
    assert "No new upgrade operations" in project.alembic(url, "check")
    return written.read_text().partition("def upgrade")[2]


def _tables(url: str, pattern: str = "%") -> list[tuple[str, str]]:
    query = """SELECT schemaname::text, tablename::text FROM pg_tables
        WHERE tablename LIKE %s AND schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2"""
    with psycopg.connect(url) as connection:
        return connection.execute(query, [pattern]).fetchall()


@pytest.fixture(params=["the role is called so", "the database's search_path begins with it"])
def shop(request: pytest.FixtureRequest, database: str) -> Iterator[str]:
    """The URL for a role that owns the database; the schema `shop` is first on the path, once it is there."""
    with psycopg.connect(database, autocommit=True) as admin:
        role = "shop" if "role" in request.param else "keeper"
        admin.execute(f'CREATE ROLE {role} LOGIN CREATEDB; ALTER DATABASE "{admin.info.dbname}" OWNER TO {role}')
        if role == "keeper":
            admin.execute(f'ALTER DATABASE "{admin.info.dbname}" SET search_path = shop, public')
        yield as_role(database, role)
        admin.execute(f"REASSIGN OWNED BY {role} TO CURRENT_USER; DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.prove
def test_a_schema_that_comes_first_on_the_search_path_moves_nothing(
    project: Project, shop: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(project, shop, TABLES.format(40), "begin")
    longer = TABLES.format(60).replace('Column("note"', 'Column("more", Text), Column("note"')
    more = _write(project, shop, longer, "more")
    assert "plain" not in more
    backfill = """op.backfill("orders", {"more": "'x'"}, schema="shop")"""
    (head,) = [path.stem for path in project.folder.glob("versions/*_more.py")]
    project.revision("003_fill", head, backfill)
    project.alembic(shop, "upgrade", "head")
    there = _tables(shop)
    assert [table for table in there if table[1].startswith("alembic")] == [
        *(("public", "alembic_backfill"), ("public", "alembic_history"), ("public", "alembic_version")),
    ]
    assert ("public", "plain") in there
    monkeypatch.setenv("DATABASE_URL", shop)
    monkeypatch.chdir(project.folder)
    assert [main([verb]) for verb in ("drift", "history", "backfill", "snapshot")] == [0, 0, 0, 0]
    capsys.readouterr()
    assert main(["plan", "base"]) == 0
    assert "DROP TABLE public.plain" in capsys.readouterr().out
    assert "CREATE TABLE shop.users" in (project.folder / "schema.sql").read_text()
    project.alembic(shop, "downgrade", "base")
    assert {schema for schema, _ in _tables(shop)} == {"public"}
    project.alembic(shop, "upgrade", "head")
    assert _tables(shop) == there


def test_a_history_that_stands_elsewhere_is_found_and_used(project: Project, database: str) -> None:
    project.revision("001_a")
    project.revision("002_b", "001_a")
    project.alembic(database, "upgrade", "001_a")
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute("CREATE SCHEMA other; ALTER TABLE alembic_history SET SCHEMA other")
        project.alembic(database, "upgrade", "head")
        assert _tables(database, "alembic_history") == [("other", "alembic_history")]
        assert admin.execute("SELECT revision FROM other.alembic_history ORDER BY id").fetchall() == [
            *(("001_a",), ("002_b",)),
        ]


def test_a_version_table_that_the_search_path_no_longer_leads_to_is_said(project: Project, database: str) -> None:
    project.models('Table("users", metadata, Column("id", Integer, primary_key=True), schema="shop")')
    project.revision("001_a", None, 'op.execute("CREATE SCHEMA shop; CREATE TABLE shop.users (id int PRIMARY KEY)")')
    project.alembic(database, "upgrade", "head")
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute(f'ALTER DATABASE "{admin.info.dbname}" SET search_path = shop')
    code, stderr = project.alembic.refused(database, "upgrade", "head")
    where = "The version table is in the schema 'public', and the search_path does not lead there."
    assert (code, stderr.splitlines()[0]) == (15, where)


NEAR = (
    "CREATE FUNCTION near(wanted vector, n integer) RETURNS SETOF integer LANGUAGE sql STABLE"
    " BEGIN ATOMIC SELECT id FROM chunk ORDER BY embedding <=> wanted LIMIT n; END"
)
CHUNKS = """
declare(metadata, Extension("vector"), SQLObject(NEAR))
Table("chunk", metadata, Column("id", Integer, primary_key=True), Column("embedding", Vector({0})),
    Index("ix_chunk", "embedding", postgresql_using="hnsw", postgresql_ops={{"embedding": "vector_{1}_ops"}}))
""".replace("NEAR", repr(NEAR))


@pytest.fixture
def elsewhere(database: str) -> str:
    """A database with pgvector in a schema of its own, to which the search_path leads."""
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute("CREATE SCHEMA extensions; CREATE EXTENSION vector SCHEMA extensions")
        admin.execute(f'ALTER DATABASE "{admin.info.dbname}" SET search_path = "$user", public, extensions')
    return database


def test_an_extension_in_a_schema_of_its_own_is_in_no_line_and_every_verb_finds_it(
    project: Project, elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _write(project, elsewhere, CHUNKS.format(3, "cosine"), "chunks")
    second = _write(project, elsewhere, CHUNKS.format(4, "l2"), "longer")
    assert "extensions" not in first + second
    assert {"Vector(3)", "vector_cosine_ops", "near(vector, integer)"} <= {
        word for word in ("Vector(3)", "vector_cosine_ops", "near(vector, integer)") if word in first
    }
    monkeypatch.setenv("DATABASE_URL", elsewhere)
    monkeypatch.chdir(project.folder)
    assert [main([verb]) for verb in ("drift", "snapshot")] == [0, 0]
    assert "extensions" not in (project.folder / "schema.sql").read_text()
    assert main(["plan", "base"]) == 0
    project.alembic(elsewhere, "downgrade", "base")


def test_a_type_that_the_search_path_does_not_lead_to_is_said_to_be_there(project: Project, elsewhere: str) -> None:
    project.revision("001_a", upgrade='op.execute("CREATE TABLE chunk (embedding vector(3))")')
    with psycopg.connect(elsewhere, autocommit=True) as admin:
        admin.execute(f'ALTER DATABASE "{admin.info.dbname}" SET search_path = public')
    where = "The type vector (extension vector) is in the schema extensions, and the search_path does not lead there."
    assert where in project.alembic.refused(elsewhere, "upgrade", "head").stderr
    project.models(f'{IMPORTS}\nTable("chunk", metadata, Column("embedding", Vector(3)))')
    project.alembic(elsewhere, "stamp", "head")
    assert where in project.alembic.refused(elsewhere, "check").stderr


def test_an_extension_that_a_revision_makes_if_need_be_and_no_column_needs_stays(
    project: Project, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.revision("001_a", upgrade='op.execute("CREATE EXTENSION IF NOT EXISTS vector")')
    project.alembic(database, "upgrade", "head")
    assert "No new upgrade operations" in project.alembic(database, "check")
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.chdir(project.folder)
    assert main(["drift"]) == 0


@pytest.mark.prove
def test_a_grant_on_the_schema_public_is_written_once(project: Project, database: str) -> None:
    declared = """declare(metadata, SQLObject("COMMENT ON SCHEMA public IS 'ours'"),
        SQLObject("REVOKE ALL ON SCHEMA public FROM PUBLIC"))\n"""
    table = 'Table("t", metadata, Column("id", Integer, primary_key=True){})\n'
    first = _write(project, database, declared + table.format(""), "first")
    assert "REVOKE USAGE ON SCHEMA public FROM PUBLIC" in first
    assert "SCHEMA" not in _write(project, database, declared + table.format(', Column("a", Text)'), "second")
