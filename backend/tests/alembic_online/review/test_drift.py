"""`drift` holds a database against what its revision made."""

from itertools import pairwise

import psycopg
import pytest
from alembic.config import Config
from sqlalchemy import create_engine, pool

from alembic_online.cli.main import main
from alembic_online.errors import DatabaseMismatch
from alembic_online.review.drift import Drift, find_drift
from alembic_online.review.plan.rehearsal import read_live
from alembic_online.revisions.project import open_project
from tests.alembic_online.project import Project
from tests.alembic_online.recipes.meanwhile import meanwhile


@pytest.fixture
def chain(project: Project, database: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Two revisions; the database is at the first."""
    monkeypatch.setenv("DATABASE_URL", database)
    table = 'op.create_table("{0}", sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", sa.String(9)))'
    project.revision("001_a", None, table.format("a"), 'op.drop_table("a")')
    project.revision("002_b", "001_a", table.format("b"), 'op.drop_table("b")')
    project.alembic(database, "upgrade", "001_a")
    return project


def _drift(project: Project, database: str, *heads: str) -> Drift:
    engine = create_engine(database.replace("postgresql:", "postgresql+psycopg:"), poolclass=pool.NullPool)
    with engine.connect() as connection:
        live = read_live(connection, heads)
    return find_drift(open_project(Config(project.folder / "alembic.ini")), live)


def test_a_database_below_head_that_is_as_its_revision_made_it_has_not_drifted(chain: Project, database: str) -> None:
    assert _drift(chain, database, "001_a") == Drift([], "")


def test_what_somebody_changed_by_hand_is_said_and_its_repair_repairs_it(chain: Project, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("ALTER TABLE a ALTER a TYPE text; ALTER TABLE a ADD extra int; CREATE INDEX ON a (a)")
        found = _drift(chain, database, "001_a")
        assert [str(difference) for difference in found.differences] == [
            "a: column a: type text -> varchar(9)",
            "a: column extra: should not be there",
            "a: index a_a_idx: should not be there",
        ]
        connection.execute(found.repair.encode())
    assert _drift(chain, database, "001_a").differences == []


def test_a_database_at_no_revision_has_nothing_to_drift_from(chain: Project, database: str) -> None:
    with pytest.raises(DatabaseMismatch):
        _drift(chain, database)


def test_what_a_repair_destroys_is_counted_above_its_line(
    chain: Project, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("ALTER TABLE a ADD note text, ADD empty text, DROP a; CREATE TABLE stray AS SELECT 1 x")
        connection.execute("INSERT INTO a (id, note) VALUES (1, 'x'), (2, NULL), (3, 'y')")
    monkeypatch.chdir(chain.folder)
    assert main(["drift"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert {"  column a: missing", "  column note: should not be there", "  table: should not be there"} <= {*said}
    above = {line: before for before, line in pairwise(said)}
    assert above["DROP TABLE stray;"] == "-- Destroys table stray: 1 row"
    assert above["ALTER TABLE a DROP COLUMN note;"] == "-- Destroys column a.note: 2 values"
    assert not above["ALTER TABLE a DROP COLUMN empty;"].startswith("--")


@pytest.mark.prove
def test_what_a_revision_has_renamed_before_it_was_broken_off_gets_its_name_and_keeps_its_values(
    chain: Project, database: str
) -> None:
    lines = (
        'op.alter_column("a", "a", new_column_name="b")\n    '
        'op.alter_column("a", "b", type_=sa.Integer(), postgresql_using="b::integer")'
    )
    chain.revision("002_b", "001_a", lines)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("INSERT INTO a VALUES (1, 'no number')")
        chain.alembic.having(MIGRATION_SMALL_TABLE_BYTES="0").refused(database, "upgrade", "head")
        assert connection.execute("SELECT b FROM a").fetchall() == [("no number",)]
        found = _drift(chain, database, "001_a")
        assert "a: column a: missing" in map(str, found.differences)
        connection.execute(found.repair.encode())
        assert connection.execute("SELECT a FROM a").fetchall() == [("no number",)]
    assert _drift(chain, database, "001_a").differences == []


def test_a_type_and_its_label_that_are_renamed_by_half_get_their_names_and_keep_their_rows(
    chain: Project, database: str
) -> None:
    kinds = "CREATE TYPE level AS ENUM ('it''s', 'low'); CREATE DOMAIN grade AS text; CREATE TYPE pair AS (a integer)"
    made = f'op.execute("{kinds}")\n    op.execute("ALTER TABLE a ADD level level DEFAULT \'low\', ADD pair pair")'
    chain.revision("002_b", "001_a", made)
    renamed = (
        """op.execute("ALTER TYPE level RENAME VALUE 'it''s' TO 'called otherwise'")""",
        'op.execute("ALTER TYPE level RENAME TO height; ALTER TYPE pair RENAME TO couple")',
        'op.execute("ALTER DOMAIN grade RENAME TO mark")',
        'op.alter_column("a", "a", type_=sa.Integer(), postgresql_using="a::integer")',
    )
    chain.revision("003_c", "002_b", "\n    ".join(renamed))
    with psycopg.connect(database, autocommit=True) as connection:
        chain.alembic(database, "upgrade", "002_b")
        connection.execute("INSERT INTO a VALUES (1, '7', 'it''s', ROW (3))")
        other = "UPDATE a SET a = 'no number' WHERE id = 1"
        with meanwhile(lambda: connection.execute(other), "CREATE TRIGGER"):
            chain.alembic.having(MIGRATION_SMALL_TABLE_BYTES="0").refused(database, "upgrade", "head")
        repair = _drift(chain, database, "002_b").repair
        assert "RENAME VALUE 'called otherwise' TO 'it''s'" in repair
        assert "DROP TYPE" not in repair
        connection.execute(repair.encode())
        assert connection.execute("SELECT level, (pair).a FROM a").fetchall() == [("it's", 3)]
    assert _drift(chain, database, "002_b").differences == []
