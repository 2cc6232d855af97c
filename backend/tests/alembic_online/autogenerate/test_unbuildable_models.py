"""Models that `create_all` cannot make: what can be made is compared, and what cannot is named and left alone."""

import psycopg
import pytest

from tests.alembic_online.project import Project

MADE = """
CREATE FUNCTION helper() RETURNS text LANGUAGE sql AS 'SELECT md5(random()::text)';
CREATE FUNCTION make_id(p text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN p || helper(); END';
CREATE FUNCTION others() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE SEQUENCE order_no;
CREATE TYPE mood AS ENUM ('a', 'b');
CREATE TEXT SEARCH CONFIGURATION mine (COPY = simple);
CREATE TABLE authors (id text DEFAULT make_id('a') PRIMARY KEY, name text);
CREATE TABLE books (id serial PRIMARY KEY, author_id text REFERENCES authors (id), title text UNIQUE, mood mood,
    no int DEFAULT nextval('order_no'), odd int DEFAULT 5,
    doc tsvector GENERATED ALWAYS AS (to_tsvector('mine', coalesce(title, ''))) STORED);
CREATE INDEX ix_gin ON books USING gin (to_tsvector('simple', title));
CREATE VIEW theirs AS SELECT title, others() FROM books;
CREATE TABLE papers (id serial PRIMARY KEY, title text CONSTRAINT other UNIQUE, book_id int REFERENCES books (id));
"""
MODELS = """
from sqlalchemy import *
from sqlalchemy.dialects.postgresql import ENUM, TSVECTOR
Table("authors", metadata, Column("id", Text, primary_key=True, server_default=text("make_id('a')")),
    Column("name", Text))
Table("books", metadata, Column("id", Integer, primary_key=True), Column("author_id", ForeignKey("authors.id")),
    Column("title", Text), Column("mood", ENUM("a", "b", name="mood", create_type=False)),
    Column("no", Integer, server_default=text("nextval('order_no')")),
    Column("odd", Integer, server_default=text("gone()")),
    Column("doc", TSVECTOR, Computed("to_tsvector('mine', coalesce(title, ''))", persisted=True)),
    UniqueConstraint("title", name="books_title_key"), Index("ix_gin", "title", postgresql_using="gin"))
Table("papers", metadata, Column("id", Integer, primary_key=True), Column("title", Text),
    UniqueConstraint("title", name="books_title_key"), Column("book_id", ForeignKey("books.id")))
"""
OBSTACLES = [
    "table books, column odd: function gone() does not exist (ALTER TABLE books ADD COLUMN odd INTEGER DEFAULT gone())",
    'table papers, constraint books_title_key: relation "books_title_key" already exists',
    'table books, index ix_gin: data type text has no default operator class for access method "gin"',
]


@pytest.fixture
def made(project: Project, database: str) -> str:
    """A database that the revisions have made, with what only they make."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(MADE.encode())
    project.revision("001_a")
    project.alembic(database, "-x", "unproven=made by the models", "stamp", "head")
    project.models(MODELS)
    return database


def test_what_can_be_built_is_compared_and_each_obstacle_is_named(
    project: Project, made: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert "No new upgrade operations" in project.alembic(made, "check")
    assert all(any(words in said for said in caplog.messages) for words in OBSTACLES), caplog.messages


def test_what_differs_beside_it_is_written_and_nothing_is_dropped(project: Project, made: str) -> None:
    project.models(MODELS.replace('Column("name", Text)', 'Column("name", Text), Column("born", Date)'))
    project.alembic(made, "revision", "--autogenerate", "-m", "born")
    (written,) = project.folder.glob("versions/*_born.py")
    lines = [line.strip() for line in written.read_text().splitlines() if "op." in line or "Not compared" in line]
    assert lines == [
        "# Not compared: table books, column odd",
        "# Not compared: table papers, constraint books_title_key",
        "# Not compared: table books, index ix_gin",
        'op.add_column("authors", sa.Column("born", sa.Date(), nullable=True))',
        'op.drop_column("authors", "born")',
    ]
    project.alembic(made, "upgrade", "head")
    assert "No new upgrade operations" in project.alembic(made, "check")


def test_an_index_on_vectors_of_too_many_dimensions_is_named_with_the_ways_out(project: Project, database: str) -> None:
    project.revision("001_a", upgrade='op.execute("CREATE TABLE chunk (id int PRIMARY KEY, v vector(2001))")')
    index = (
        'op.create_index("ix_chunk", "chunk", ["v"], postgresql_using="hnsw", postgresql_ops={"v": "vector_l2_ops"})'
    )
    project.revision("002_b", "001_a", upgrade=index)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION vector")
    said = "The index ix_chunk of the table chunk: hnsw takes up to 2,000 dimensions here."
    code, stderr = project.alembic.refused(database, "upgrade", "head")
    assert (code, said in stderr, "halfvec" in stderr) == (18, True, True)
    project.models(
        """from pgvector.sqlalchemy import Vector; from sqlalchemy import Index
Table("chunk", metadata, Column("id", Integer, primary_key=True), Column("v", Vector(2001)),
    Index("ix_chunk", "v", postgresql_using="hnsw", postgresql_ops={"v": "vector_l2_ops"}))"""
    )
    project.alembic(database, "-x", "unproven=made by the models", "stamp", "head")
    code, stderr = project.alembic.refused(database, "check")
    assert (code, said in stderr, "table chunk, index ix_chunk" in stderr) == (16, True, True)
