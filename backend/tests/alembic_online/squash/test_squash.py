"""A squashed revision makes what the old ones made, and a database anywhere in the old chain goes on in it."""

import json

import psycopg
import pytest
from alembic.config import Config
from sqlalchemy import create_engine, pool

from alembic_online.cli.main import main
from alembic_online.cli.verb import FINE
from alembic_online.errors import RequestRefused
from alembic_online.postgres.scratch import read_place
from alembic_online.revisions.project import open_project
from alembic_online.squash.squash import squash
from tests.alembic_online.project import Project
from tests.servers import Server

TABLE = 'op.create_table("books", sa.Column("id", sa.Integer, primary_key=True), sa.Column("title", sa.Text))'
EXTENSION = 'op.execute("CREATE EXTENSION vector")'


@pytest.fixture
def chain(project: Project, database: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Four revisions; the third is to be the last of the squashed ones."""
    monkeypatch.setenv("DATABASE_URL", database)
    project.revision("001_books", None, TABLE, 'op.drop_table("books")')
    project.revision("002_vector", "001_books", EXTENSION, 'op.execute("DROP EXTENSION vector")')
    _column(project, "003_name", "002_vector", "vector(3)")
    _column(project, "004_pages", "003_name", "integer")
    return project


def _column(project: Project, revision: str, parent: str, data_type: str) -> None:
    name = revision.partition("_")[2]
    add = f'op.execute("ALTER TABLE books ADD {name} {data_type}")'
    project.revision(revision, parent, add, f'op.drop_column("books", "{name}")')


def _squash(project: Project, database: str, to: str = "003_name", *, without_rows: bool = False) -> None:
    engine = create_engine(database.replace("postgresql:", "postgresql+psycopg:"), poolclass=pool.NullPool)
    with engine.connect() as connection:
        place = read_place(connection)
    squash(open_project(Config(project.folder / "alembic.ini")), to, place, without_rows=without_rows)


def _names(project: Project, folder: str) -> list[str]:
    return sorted(path.name for path in (project.folder / folder).glob("*.py"))


def _applied(database: str) -> list[str]:
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT revision FROM alembic_history WHERE direction = 'upgrade' ORDER BY id")
        return [str(revision) for (revision,) in rows]


def test_a_new_database_begins_with_it_and_one_in_the_middle_goes_on_as_before(
    chain: Project, database: str, server: Server
) -> None:
    chain.alembic(database, "upgrade", "001_books")
    _squash(chain, database)
    assert _names(chain, "versions") == ["003_name.py", "004_pages.py"]
    assert _names(chain, "squashed") == ["001_books.py", "002_vector.py", "003_name.py"]
    with server.database() as new:
        chain.alembic(database, "upgrade", "head")
        chain.alembic(new, "upgrade", "head")
        assert _applied(database) == ["001_books", "002_vector", "003_name", "004_pages"]
        assert _applied(new) == ["003_name", "004_pages"]
        for url in (database, new):
            chain.alembic.having(MIGRATION_EDITED_REVISIONS="error")(url, "upgrade", "head")
            chain.alembic(url, "downgrade", "001_books")
            chain.alembic(url, "upgrade", "head")
            assert "004_pages (head)" in chain.alembic(url, "current")


@pytest.mark.prove
def test_one_that_is_to_stop_at_an_old_revision_begins_with_the_old_ones(
    chain: Project, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(chain.folder)
    assert main(["squash", "003_name", "--json"]) == FINE
    said = json.loads(capsys.readouterr().out)
    assert said == {"file": "003_name.py", "replaces": ["001_books", "002_vector", "003_name"]}
    chain.alembic(database, "upgrade", "002_vector")
    assert _applied(database) == ["001_books", "002_vector"]


@pytest.mark.prove
def test_what_is_squashed_can_be_squashed_again(chain: Project, database: str) -> None:
    _squash(chain, database, "002_vector")
    _squash(chain, database, "004_pages")
    assert _names(chain, "versions") == ["004_pages.py"]
    assert _names(chain, "squashed") == ["001_books.py", "002_vector.py", "003_name.py", "004_pages.py"]
    chain.alembic(database, "upgrade", "head")
    assert _applied(database) == ["004_pages"]


def test_rows_that_revisions_insert_are_not_lost_without_a_word(chain: Project, database: str) -> None:
    chain.revision("002_vector", "001_books", f'op.execute("INSERT INTO books VALUES (1)")\n    {EXTENSION}')
    with pytest.raises(RequestRefused, match=r"insert rows into public\.books"):
        _squash(chain, database)
    assert not (chain.folder / "squashed").exists()
    _squash(chain, database, without_rows=True)
    assert _names(chain, "versions") == ["003_name.py", "004_pages.py"]


@pytest.mark.parametrize(
    ("to", "sentence"),
    [
        ("001", "There is nothing to squash up to 001_books"),
        ("009", "'009' is not the name of one revision"),
        ("003", "002_other builds on 001_books, which would be squashed away"),
    ],
)
def test_what_cannot_be_squashed_is_a_sentence(chain: Project, database: str, to: str, sentence: str) -> None:
    chain.revision("002_other", "001_books")
    with pytest.raises(RequestRefused, match=sentence):
        _squash(chain, database, to)
