"""The words of a chapter: kept by the database, whoever writes, and made for the chapters that were there before."""

import psycopg
import pytest
from sqlalchemy import Connection, text

from tests.alembic_command import Alembic
from tests.db.rows import CHAPTER, insert

FOUND = text("SELECT search_document @@ websearch_to_tsquery('english', :words) FROM chapters")


@pytest.fixture
def chapter(migrated_connection: Connection) -> Connection:
    insert(migrated_connection, "modules")
    insert(migrated_connection, "chapters")
    return migrated_connection


def found(connection: Connection, words: str) -> bool:
    return bool(connection.scalar(FOUND, {"words": words}))


@pytest.mark.parametrize("column", ["title", "description", "content_html"])
def test_a_word_of_any_text_is_found_in_any_of_its_forms(chapter: Connection, column: str) -> None:
    assert not found(chapter, "migrations")
    chapter.execute(text(f"UPDATE chapters SET {column} = 'Migrating tables'"))
    assert found(chapter, "migrations")


def test_an_objective_is_found(chapter: Connection) -> None:
    chapter.execute(text("UPDATE chapters SET learning_objectives = '{one,\"know a snapshot\"}'"))
    assert found(chapter, '"know a snapshot"')


def test_a_tag_of_html_is_no_word(chapter: Connection) -> None:
    chapter.execute(text("""UPDATE chapters SET content_html = '<section class="lock">Wait &amp; see</section>'"""))
    assert found(chapter, "wait see")
    for markup in ("section", "class", "lock", "amp"):
        assert not found(chapter, markup)


def test_nobody_can_write_other_words(chapter: Connection) -> None:
    chapter.execute(text("UPDATE chapters SET search_document = to_tsvector('nonsense')"))
    assert not found(chapter, "nonsense")
    assert found(chapter, "intro")


def test_a_chapter_of_any_length_can_be_saved(chapter: Connection) -> None:
    long = " ".join(f"wörd{number}" for number in range(300_000))
    chapter.execute(
        text("UPDATE chapters SET content_html = :long, description = :long, learning_objectives = ARRAY[:long]"),
        {"long": long},
    )
    assert found(chapter, "wörd100")


def test_chapters_from_before_become_searchable(database: str, alembic: Alembic) -> None:
    alembic(database, "upgrade", "001_initial_schema")
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO modules (slug, title, description, position) VALUES ('m', 'M', '', 1)")
        connection.execute(
            "INSERT INTO chapters (id, module_id, slug, title, description, position)"
            " SELECT %s, id, 'c', 'Vacuum', '', 1 FROM modules",
            [CHAPTER],
        )
    alembic(database, "upgrade", "003_fill_search_documents")
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT id FROM chapters WHERE search_document @@ to_tsquery('english', 'vacuum')")
        assert rows.fetchall() == [(CHAPTER,)]
