"""What the models promise to an async session: nothing is loaded late, and what the server fills in comes back."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, event, select, update
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session, selectinload

from src.db.enums import DifficultyLevel, ProgressStatus, Theme
from src.db.models import Base, Chapter, ChapterProgress, ChatMessage, Embedding, Module, User, UserProfile
from tests.db.rows import CHAPTER, MESSAGE, MODULE, USER, count, insert_family


@pytest.fixture
def session(migrated_connection: Connection) -> Iterator[Session]:
    """A session on a database with one row in every table."""
    insert_family(migrated_connection)
    with Session(migrated_connection) as session:
        yield session


def test_no_relationship_is_ever_loaded_late() -> None:
    relationships = [relation for mapper in Base.registry.mappers for relation in mapper.relationships]
    assert relationships
    assert [str(relation) for relation in relationships if relation.lazy != "raise"] == []


def test_no_owner_loads_what_its_deletion_takes_along() -> None:
    children = [
        relation for mapper in Base.registry.mappers for relation in mapper.relationships if relation.cascade.delete
    ]
    assert children
    assert [str(relation) for relation in children if not relation.passive_deletes] == []


def test_a_relationship_that_was_not_asked_for_raises(session: Session) -> None:
    module = session.get_one(Module, MODULE)
    with pytest.raises(InvalidRequestError, match=r"Module\.chapters"):
        _ = module.chapters


def test_a_relationship_that_was_asked_for_is_there(session: Session) -> None:
    [module] = session.scalars(select(Module).options(selectinload(Module.chapters)))
    assert [chapter.id for chapter in module.chapters] == [CHAPTER]


def test_the_vector_does_not_come_with_its_row(session: Session) -> None:
    [embedding] = session.scalars(select(Embedding))
    with pytest.raises(InvalidRequestError, match=r"Embedding\.embedding"):
        _ = embedding.embedding
    assert len(list(session.scalars(select(Embedding.embedding)).one())) == 1536


def test_an_object_is_complete_after_the_insert_without_another_query(session: Session) -> None:
    user = User(email="new@example.org", password_hash="x", name="New")
    session.add(user)
    session.flush()
    with statements_of(session) as statements:
        assert (user.theme, user.is_active, user.language_preference) == (Theme.SYSTEM, True, "en")
        assert user.created_at == user.updated_at
    assert statements == []


def test_an_object_has_its_new_updated_at_after_the_update_without_another_query(session: Session) -> None:
    user = session.get_one(User, USER)
    before = user.updated_at
    user.name = "Ada Lovelace"
    session.flush()
    with statements_of(session) as statements:
        assert user.updated_at > before
    assert statements == []


def test_a_bulk_update_moves_updated_at(session: Session) -> None:
    session.execute(update(User).values(is_admin=True))
    assert session.scalar(select(User.updated_at > User.created_at))


def test_states_come_back_as_python_enums(session: Session) -> None:
    assert session.scalars(select(ChapterProgress.status)).one() is ProgressStatus.NOT_STARTED
    assert session.scalars(select(Chapter.difficulty_level)).one() is DifficultyLevel.INTERMEDIATE


def test_deleting_an_owner_through_the_session_takes_everything_along_in_one_statement(session: Session) -> None:
    user = session.get_one(User, USER)
    with statements_of(session) as statements:
        session.delete(user)
        session.flush()
    assert len(statements) == 1
    assert count(session.connection(), "chat_messages") == 0


def test_a_follow_up_names_its_parent_and_its_chapter(session: Session) -> None:
    message = session.get_one(ChatMessage, MESSAGE)
    follow_up = ChatMessage(
        user_id=USER,
        conversation_session_id=message.conversation_session_id,
        parent=message,
        query="And then?",
        response="Then.",
        context_chapter=session.get_one(Chapter, CHAPTER),
    )
    session.add(follow_up)
    session.flush()
    assert (follow_up.parent_message_id, follow_up.context_chapter_id) == (MESSAGE, CHAPTER)


def test_a_family_can_be_added_by_its_owner_alone(session: Session) -> None:
    user = User(email="new@example.org", password_hash="x", name="New", profile=UserProfile(bio="Hello"))
    session.add(user)
    session.flush()
    assert session.scalars(select(UserProfile.bio).where(UserProfile.user_id == user.id)).one() == "Hello"


@contextmanager
def statements_of(session: Session) -> Iterator[list[str]]:
    """Collects the statements that reach the database meanwhile."""
    statements: list[str] = []

    def collect(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", collect)
    yield statements
    event.remove(connection, "before_cursor_execute", collect)
