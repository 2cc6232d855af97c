"""What is ours is compared, and what is others' is left alone."""

from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from alembic_online.autogenerate.scope import comparable
from alembic_online.postgres.catalogue import compare, describe
from tests.alembic_online.autogenerate.state import by_models, by_sql, models

BOOKS = 'Table("books", m, Column("id", Text, primary_key=True))'
BOOKS_SQL = "CREATE TABLE books (id text CONSTRAINT books_pkey PRIMARY KEY)"


@pytest.fixture
def scripts(tmp_path: Path) -> ScriptDirectory:
    (tmp_path / "versions").mkdir()
    return ScriptDirectory(str(tmp_path))


def _revision(scripts: ScriptDirectory, body: str) -> ScriptDirectory:
    lines = [
        "revision = '001_a'",
        "down_revision = None",
        f"def upgrade(): op.execute({body!r})",
        "def downgrade(): pass",
    ]
    (Path(scripts.dir) / "versions" / "001_a.py").write_text("\n".join(lines))
    return ScriptDirectory(scripts.dir)


def _words(connection: Connection, scripts: ScriptDirectory, code: str, *statements: str) -> str:
    metadata = models(code)
    whole = by_sql(connection, *statements)
    live, wanted = comparable(whole, by_models(connection, metadata, like=whole), metadata, scripts)
    return describe(compare(live.catalogue, wanted.catalogue))


LEFT_ALONE = {
    "an extension that an administrator has installed": ["CREATE EXTENSION vector"],
    "a schema that no model names, and all that is in it": ["CREATE SCHEMA audit", "CREATE TABLE audit.log (id int)"],
    "grants, while the models grant nothing": ["GRANT SELECT ON books TO PUBLIC"],
    "a publication, while the models have none": ["CREATE PUBLICATION replica FOR TABLE books"],
    "the migrations' own tables": ["CREATE TABLE alembic_version (version_num text)"],
    "who owns what": ["ALTER TABLE books OWNER TO pg_database_owner"],
    "what SQLAlchemy has no word for, while the models declare none of it": [
        "CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'",
        "CREATE TRIGGER fire BEFORE INSERT ON books FOR EACH ROW EXECUTE FUNCTION fire()",
        "CREATE VIEW titles AS SELECT id FROM books",
        "CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS number FROM books",
        "CREATE UNIQUE INDEX ON counted (number)",
        "CREATE TYPE pair AS (one int, two text)",
        "CREATE STATISTICS two ON id, (id || 'x') FROM books",
        "ALTER TABLE books ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY own ON books USING (true)",
        "ALTER TABLE books ALTER id SET STORAGE EXTERNAL",
        "ALTER TABLE books REPLICA IDENTITY FULL",
    ],
}
DECLARES = 'declare(m, SQLObject("CREATE PROCEDURE nothing() LANGUAGE sql BEGIN ATOMIC END", before_tables=True))'


@pytest.mark.parametrize("statements", LEFT_ALONE.values(), ids=list(LEFT_ALONE))
def test_left_alone(transaction: Connection, scripts: ScriptDirectory, statements: list[str]) -> None:
    assert _words(transaction, scripts, BOOKS, BOOKS_SQL, *statements) == ""


REPORTED = {
    "a table": ("CREATE TABLE legacy_orders (id int)", "table: removed"),
    "a function": ("CREATE FUNCTION slug(text) RETURNS text LANGUAGE sql RETURN $1", "function slug(text): removed"),
    "a view": ("CREATE VIEW titles AS SELECT id FROM books", "view: removed"),
}


@pytest.mark.parametrize(("statement", "words"), REPORTED.values(), ids=list(REPORTED))
def test_what_the_models_do_not_mention_in_a_schema_of_ours_is_reported(
    transaction: Connection, scripts: ScriptDirectory, statement: str, words: str
) -> None:
    assert words in _words(transaction, scripts, f"{BOOKS}\n{DECLARES}", BOOKS_SQL, statement)
    assert words in _words(transaction, scripts, f"{BOOKS}\ndeclare(m)", BOOKS_SQL, statement)


def test_a_pattern_leaves_objects_of_others_alone_with_all_their_parts(
    transaction: Connection, scripts: ScriptDirectory
) -> None:
    statements = ["CREATE TABLE legacy_orders (id serial PRIMARY KEY, at date)", "CREATE INDEX ON legacy_orders (at)"]
    code = f'{BOOKS}\ndeclare(m, LeaveAlone("legacy_*"))'
    assert _words(transaction, scripts, code, BOOKS_SQL, *statements) == ""


def test_a_partition_that_the_models_do_not_name_is_no_table_to_drop(
    transaction: Connection, scripts: ScriptDirectory
) -> None:
    code = 'Table("log", m, Column("at", Date, primary_key=True), postgresql_partition_by="RANGE (at)")'
    parent = "CREATE TABLE log (at date PRIMARY KEY) PARTITION BY RANGE (at)"
    partition = "CREATE TABLE log_2026 PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"
    assert _words(transaction, scripts, code, parent, partition) == ""


@pytest.mark.parametrize(
    "code", ['Enum("a", name="e", schema="kinds", metadata=m)', 'Sequence("s", schema="kinds", metadata=m)']
)
def test_a_schema_that_only_a_type_or_a_sequence_names_is_made(
    transaction: Connection, scripts: ScriptDirectory, code: str
) -> None:
    assert _words(transaction, scripts, code).splitlines()[0] == "schema kinds: added"


def test_an_extension_that_a_revision_makes_only_if_it_is_not_there_may_serve_others(
    transaction: Connection, scripts: ScriptDirectory
) -> None:
    chain = _revision(scripts, "CREATE EXTENSION IF NOT EXISTS vector")
    assert _words(transaction, chain, BOOKS, BOOKS_SQL, "CREATE EXTENSION vector") == ""


def test_grants_are_the_models_as_soon_as_they_grant_anything(
    transaction: Connection, scripts: ScriptDirectory
) -> None:
    code = f'{BOOKS}\ndeclare(m, SQLObject("GRANT SELECT ON books TO PUBLIC"))'
    words = _words(transaction, scripts, code, BOOKS_SQL, "GRANT INSERT ON books TO PUBLIC")
    assert words.splitlines()[1:] == ["  table: privileges granted SELECT to PUBLIC; revoked INSERT from PUBLIC"]


def test_an_extension_that_a_revision_made_and_the_models_no_longer_declare_is_reported(
    transaction: Connection, scripts: ScriptDirectory
) -> None:
    chain = _revision(scripts, "CREATE EXTENSION vector")
    assert _words(transaction, chain, BOOKS, BOOKS_SQL, "CREATE EXTENSION vector") == "extension vector: removed"


def test_an_extension_of_another_version_is_no_difference_unless_it_is_too_old(
    transaction: Connection, scripts: ScriptDirectory
) -> None:
    code = f'{BOOKS}\ndeclare(m, Extension("vector"))'
    older = "UPDATE pg_extension SET extversion = '0.7.0' WHERE extname = 'vector'"
    assert _words(transaction, scripts, code, BOOKS_SQL, "CREATE EXTENSION vector", older) == ""
    code = f'{BOOKS}\ndeclare(m, Extension("vector", minimum_version="0.8"))'
    words = _words(transaction, scripts, code, BOOKS_SQL, "CREATE EXTENSION vector", older)
    assert words.startswith("extension vector: version 0.7.0 -> 0.8")
