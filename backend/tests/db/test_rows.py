"""What the tables do with rows: defaults, ranges, unique rules, and what goes when something is deleted."""

from uuid import UUID

import pytest
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from src.db.models import Base
from tests.db.rows import CHAPTER, MESSAGE, MINIMAL, MODULE, REVIEWER, USER, count, insert, insert_family

MODELS = {mapper.local_table.name: mapper.class_ for mapper in Base.registry.mappers}  # type: ignore[attr-defined]
OTHER = UUID(int=99)

# table, column, values refused, values at the edge that are accepted
RANGES = [
    ("chapters", "estimated_duration_minutes", [0, -1], [1]),
    ("embeddings", "chunk_index", [-1], [0]),
    ("chapter_progress", "progress_percentage", [-1, 101], [0, 100]),
    ("chapter_progress", "time_spent_seconds", [-1], [0]),
    ("chapter_progress", "quiz_score", [-0.1, 100.1, "NaN"], [0, 100, None]),
    ("chat_messages", "user_rating", [0, 6], [1, 5, None]),
    ("chat_messages", "sentiment_score", [-1.1, 1.1, "NaN"], [-1, 1, None]),
    ("capstone_submissions", "score", [-0.1, 100.1, "NaN"], [0, 100, None]),
]

# the rule, a second row that it refuses, and a change with which it is accepted
UNIQUE = [
    ("uq_users_email", "users", {"email": "ADA@Example.org"}, {"email": "ada@example.net"}),
    ("uq_user_profiles_user_id", "user_profiles", {}, {"user_id": REVIEWER}),
    ("uq_modules_slug", "modules", {}, {"slug": "more"}),
    ("uq_chapters_module_id_slug", "chapters", {}, {"module_id": OTHER}),
    ("uq_embeddings_chapter_id_embedding_model_chunk_index", "embeddings", {}, {"embedding_model": "another"}),
    ("uq_chapter_progress_user_id_chapter_id", "chapter_progress", {}, {"user_id": REVIEWER}),
    ("uq_translations_chapter_id_language_code", "translations", {}, {"language_code": "fr"}),
]


@pytest.fixture
def family(migrated_connection: Connection) -> Connection:
    """A connection to a database with one row in every table, and a reviewer."""
    insert_family(migrated_connection)
    insert(migrated_connection, "users", id=REVIEWER, email="rosa@example.org")
    return migrated_connection


def test_every_table_has_a_row_here() -> None:
    assert MINIMAL.keys() == MODELS.keys()


@pytest.mark.parametrize("table", MINIMAL)
def test_a_row_inserted_by_plain_sql_equals_one_inserted_by_the_orm(
    migrated_connection: Connection, table: str
) -> None:
    for parent in list(MINIMAL)[: list(MINIMAL).index(table)]:
        insert(migrated_connection, parent)
    select = text(f"SELECT * FROM {table}")

    with migrated_connection.begin_nested() as undo:
        insert(migrated_connection, table)
        by_sql = migrated_connection.execute(select).mappings().one()
        undo.rollback()
    with Session(migrated_connection) as session:
        session.add(MODELS[table](**MINIMAL[table]))
        session.flush()
        by_orm = migrated_connection.execute(select).mappings().one()

    assert by_orm == by_sql


def test_a_row_without_id_gets_one_from_the_server(migrated_connection: Connection) -> None:
    plain = text("INSERT INTO users (email, password_hash, name) VALUES ('a@b', 'x', 'A') RETURNING id")
    assert isinstance(migrated_connection.scalar(plain), UUID)


@pytest.mark.parametrize("table", MINIMAL)
def test_a_bulk_update_by_sql_moves_updated_at(migrated_connection: Connection, table: str) -> None:
    insert_family(migrated_connection)
    migrated_connection.execute(text(f"UPDATE {table} SET id = id"))
    assert migrated_connection.scalars(text(f"SELECT updated_at = now() FROM {table}")).all() == [True]


def test_every_check_is_tried_here(migrated_connection: Connection) -> None:
    catalogue = inspect(migrated_connection)
    checks = {check["name"] for table in MINIMAL for check in catalogue.get_check_constraints(table)}
    assert checks == {f"ck_{table}_{column}" for table, column, *_ in RANGES}


@pytest.mark.parametrize(("table", "column", "refused", "accepted"), RANGES)
def test_a_value_outside_its_range_is_refused(
    family: Connection, table: str, column: str, refused: list[object], accepted: list[object]
) -> None:
    update = text(f"UPDATE {table} SET {column} = :value")
    for value in accepted:
        family.execute(update, {"value": value})
    for value in refused:
        with pytest.raises(IntegrityError, match=f'"ck_{table}_{column}"'), family.begin_nested():
            family.execute(update, {"value": value})


def test_every_unique_rule_is_tried_here(migrated_connection: Connection) -> None:
    rules = migrated_connection.scalars(
        text(
            "SELECT indexrelid::regclass::text FROM pg_index"
            " WHERE indisunique AND NOT indisprimary AND indrelid::regclass::text = ANY (:tables)"
        ),
        {"tables": list(MINIMAL)},
    )
    assert set(rules) == {rule for rule, *_ in UNIQUE}


@pytest.mark.parametrize(("rule", "table", "same", "different"), UNIQUE)
def test_a_second_row_of_the_same_is_refused(
    family: Connection, rule: str, table: str, same: dict[str, object], different: dict[str, object]
) -> None:
    insert(family, "modules", id=OTHER, slug="other")
    with pytest.raises(IntegrityError, match=f'"{rule}"'), family.begin_nested():
        insert(family, table, id=UUID(int=100), **same)
    insert(family, table, id=UUID(int=100), **different)


def test_with_a_user_goes_what_belongs_to_him(family: Connection) -> None:
    family.execute(text("DELETE FROM users WHERE id = :id"), {"id": USER})
    gone = [table for table in MINIMAL if count(family, table) == 0]
    assert gone == ["user_profiles", "chapter_progress", "chat_messages", "capstone_submissions"]


def test_with_a_module_go_its_chapters_and_all_of_theirs(family: Connection) -> None:
    family.execute(text("DELETE FROM modules WHERE id = :id"), {"id": MODULE})
    gone = [table for table in MINIMAL if count(family, table) == 0]
    assert gone == ["modules", "chapters", "embeddings", "chapter_progress", "translations"]


def test_with_a_message_go_its_follow_ups(family: Connection) -> None:
    insert(family, "chat_messages", id=OTHER, parent_message_id=MESSAGE)
    family.execute(text("DELETE FROM chat_messages WHERE id = :id"), {"id": MESSAGE})
    assert count(family, "chat_messages") == 0


def test_a_submission_outlives_its_reviewer(family: Connection) -> None:
    family.execute(text("UPDATE capstone_submissions SET reviewer_id = :id"), {"id": REVIEWER})
    family.execute(text("DELETE FROM users WHERE id = :id"), {"id": REVIEWER})
    assert family.scalars(text("SELECT reviewer_id FROM capstone_submissions")).all() == [None]


def test_a_message_outlives_the_chapter_it_was_asked_from(family: Connection) -> None:
    family.execute(text("UPDATE chat_messages SET context_chapter_id = :id"), {"id": CHAPTER})
    family.execute(text("DELETE FROM chapters WHERE id = :id"), {"id": CHAPTER})
    assert family.scalars(text("SELECT context_chapter_id FROM chat_messages")).all() == [None]


@pytest.mark.parametrize("table", ["users", "chapters", "chapter_progress", "chat_messages", "capstone_submissions"])
def test_a_state_that_has_no_label_is_refused(family: Connection, table: str) -> None:
    [column] = [c["name"] for c in inspect(family).get_columns(table) if type(c["type"]).__name__ == "ENUM"]
    with pytest.raises(DataError, match="invalid input value for enum"), family.begin_nested():
        family.execute(text(f"UPDATE {table} SET {column} = 'nonsense'"))
