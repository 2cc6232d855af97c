"""Conversations: each is a person's own, and is the messages that name it. Lists go by keyset, in the order of time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Integer, and_, bindparam, delete, exists, func, insert, not_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from src.db.enums import DifficultyLevel
from src.db.models import Chapter, ChatMessage, Module

Key = tuple[datetime, UUID]

_TITLE_LENGTH = 200  # characters of the first question


class MessageRow(NamedTuple):
    """A question and its answer."""

    id: UUID
    conversation_session_id: UUID
    parent_message_id: UUID | None
    query: str
    response: str
    context_module_slug: str | None
    user_difficulty_level: DifficultyLevel | None
    was_follow_up: bool
    sources: list[dict[str, Any]]
    user_rating: int | None
    created_at: datetime


class ConversationRow(NamedTuple):
    """A conversation by its latest message, and by the question that it began with."""

    id: UUID
    last_message_id: UUID
    last_message_at: datetime
    title: str


_COLUMNS = tuple(getattr(ChatMessage, name) for name in MessageRow._fields)
_MINE = ChatMessage.user_id == bindparam("user")
_HERE = and_(_MINE, ChatMessage.conversation_session_id == bindparam("conversation"))
_POSITION = tuple_(ChatMessage.created_at, ChatMessage.id)
_SEEN = tuple_(bindparam("seen_at"), bindparam("seen_id"))
_LIMIT = bindparam("count", type_=Integer())

_MESSAGES = select(*_COLUMNS).where(_HERE).order_by(ChatMessage.created_at, ChatMessage.id).limit(_LIMIT)
_MORE_MESSAGES = _MESSAGES.where(_POSITION > _SEEN)
_LATEST = select(*_COLUMNS).where(_HERE).order_by(ChatMessage.created_at.desc(), ChatMessage.id.desc()).limit(_LIMIT)

# A conversation stands where its latest message does: walked from the newest on, a message that has a later one in its
# conversation is passed over. No sort and no grouping of all that somebody ever asked.
_Other = aliased(ChatMessage)
_IN_SAME = and_(
    _Other.user_id == ChatMessage.user_id, _Other.conversation_session_id == ChatMessage.conversation_session_id
)
_LATER = exists().where(_IN_SAME, tuple_(_Other.created_at, _Other.id) > _POSITION)
_TITLE = (
    select(func.left(_Other.query, _TITLE_LENGTH))
    .where(_IN_SAME)
    .order_by(_Other.created_at, _Other.id)
    .limit(1)
    .scalar_subquery()
)
_CONVERSATIONS = (
    select(ChatMessage.conversation_session_id, ChatMessage.id, ChatMessage.created_at, _TITLE)
    .where(_MINE, not_(_LATER))
    .order_by(ChatMessage.created_at.desc(), ChatMessage.id.desc())
    .limit(_LIMIT)
)
_MORE_CONVERSATIONS = _CONVERSATIONS.where(_POSITION < _SEEN)

_APPEND = insert(ChatMessage).returning(*_COLUMNS)
_RATE = (
    update(ChatMessage)
    .where(_MINE, ChatMessage.id == bindparam("message"))
    .values(user_rating=bindparam("rating"))
    .returning(*_COLUMNS)
)
_DELETE = delete(ChatMessage).where(_HERE).returning(ChatMessage.id)
_CONTEXT = (
    select(Chapter.id)
    .join(Module)
    .where(Chapter.is_published, Module.is_published)
    .where(Module.slug == bindparam("module"), Chapter.slug == bindparam("chapter"))
)
_HOLD = select(Chapter.id).where(Chapter.id == bindparam("chapter")).with_for_update(read=True, key_share=True)


async def conversations(session: AsyncSession, user: UUID, count: int, after: Key | None) -> list[ConversationRow]:
    """Up to `count` of a person's conversations, the one with the latest message first, after the one of `after`."""
    statement, seen = (_MORE_CONVERSATIONS, _seen(after)) if after else (_CONVERSATIONS, {})
    rows = await session.execute(statement, {"user": user, "count": count, **seen})
    return [ConversationRow(*row) for row in rows]


async def messages(
    session: AsyncSession, user: UUID, conversation: UUID, count: int, after: Key | None
) -> list[MessageRow]:
    """Up to `count` messages of a conversation, oldest first, after the one of `after`."""
    statement, seen = (_MORE_MESSAGES, _seen(after)) if after else (_MESSAGES, {})
    rows = await session.execute(statement, {"user": user, "conversation": conversation, "count": count, **seen})
    return [MessageRow(*row) for row in rows]


async def latest(session: AsyncSession, user: UUID, conversation: UUID, count: int) -> Sequence[MessageRow]:
    """The last `count` messages of a conversation, oldest first."""
    rows = await session.execute(_LATEST, {"user": user, "conversation": conversation, "count": count})
    return [MessageRow(*row) for row in rows][::-1]


async def append(session: AsyncSession, user: UUID, conversation: UUID, values: dict[str, Any]) -> MessageRow:
    """A new message, which follows the latest one of the conversation, if it has any."""
    before = await latest(session, user, conversation, 1)
    follows = {"parent_message_id": before[0].id, "was_follow_up": True} if before else {}
    row = {"user_id": user, "conversation_session_id": conversation, **follows, **values}
    return MessageRow(*(await session.execute(_APPEND, row)).one())


async def rate(session: AsyncSession, user: UUID, message: UUID, rating: int | None) -> MessageRow | None:
    """Keep what a person thinks of an answer of his, from 1 to 5, or take it back."""
    row = (await session.execute(_RATE, {"user": user, "message": message, "rating": rating})).one_or_none()
    return MessageRow(*row) if row else None


async def delete_conversation(session: AsyncSession, user: UUID, conversation: UUID) -> bool:
    """Delete all its messages; whether there were any."""
    return bool((await session.execute(_DELETE, {"user": user, "conversation": conversation})).all())


async def published_chapter(session: AsyncSession, module: str, chapter: str) -> UUID | None:
    """The chapter that a question was asked from, if everybody may see it."""
    return (await session.execute(_CONTEXT, {"module": module, "chapter": chapter})).scalar_one_or_none()


async def hold_chapter(session: AsyncSession, chapter: UUID) -> UUID | None:
    """The chapter, which cannot be deleted until the end of the transaction; None if it is gone already."""
    return (await session.execute(_HOLD, {"chapter": chapter})).scalar_one_or_none()


def _seen(after: Key) -> dict[str, Any]:
    return dict(zip(("seen_at", "seen_id"), after, strict=True))
