"""Conversations: everyone's are their own. Who makes up an id begins a conversation.

They are read where they are written: an answer is kept when its stream has ended, which no replica is told of.
"""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from fastapi import Response
from sqlalchemy.ext.asyncio import AsyncSession

from src.api.dependencies.auth import SignedIn
from src.api.dependencies.sessions import Session
from src.api.http.pages import BY_TIME, Page, Paging
from src.api.http.problems import ProblemError, problems
from src.api.http.routing import Resource
from src.api.schemas.chat import Context, Conversation, Message, NewMessage, Rating
from src.db.queries import chat

router = Resource(prefix="/chat", tag="chat")


@router.get("/conversations")
async def list_conversations(viewer: SignedIn, session: Session, paging: Paging) -> Page[Conversation]:
    """My conversations, the one with the latest message first."""
    rows = await chat.conversations(session, viewer.id, paging.limit + 1, paging.after(BY_TIME))
    return paging.page(
        rows, BY_TIME, lambda row: (row.last_message_at, row.last_message_id), Conversation.model_validate
    )


@router.get("/conversations/{conversation}/messages", responses=problems(HTTPStatus.NOT_FOUND))
async def list_messages(conversation: UUID, viewer: SignedIn, session: Session, paging: Paging) -> Page[Message]:
    """The messages of one of my conversations, oldest first."""
    rows = await chat.messages(session, viewer.id, conversation, paging.limit + 1, paging.after(BY_TIME))
    if not rows and paging.cursor is None:
        raise _no_conversation()
    return paging.page(rows, BY_TIME, lambda row: (row.created_at, row.id), Message.model_validate)


@router.post(
    "/conversations/{conversation}/messages", status_code=HTTPStatus.CREATED, responses=problems(HTTPStatus.NOT_FOUND)
)
async def append_message(conversation: UUID, message: NewMessage, viewer: SignedIn, session: Session) -> Message:
    """Keep a question and its answer."""
    said = message.model_dump(include={"query", "response", "sources"})
    row = await chat.append(session, viewer.id, conversation, said | await context_columns(session, message))
    return Message.model_validate(row)


@router.delete(
    "/conversations/{conversation}",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=problems(HTTPStatus.NOT_FOUND),
)
async def delete_conversation(conversation: UUID, viewer: SignedIn, session: Session) -> None:
    """Delete one of my conversations, with all its messages."""
    if not await chat.delete_conversation(session, viewer.id, conversation):
        raise _no_conversation()


@router.put("/messages/{message}/rating", responses=problems(HTTPStatus.NOT_FOUND))
async def rate_message(message: UUID, rating: Rating, viewer: SignedIn, session: Session) -> Message:
    """Say what an answer was worth."""
    row = await chat.rate(session, viewer.id, message, rating.rating)
    if row is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "You have no message of this id.")
    return Message.model_validate(row)


async def context_columns(session: AsyncSession, context: Context) -> dict[str, Any]:
    """The columns of a message that say where it was asked. Raises `ProblemError` 404 for an unknown chapter."""
    chapter_id = None
    if context.module is not None and context.chapter is not None:
        chapter_id = await chat.published_chapter(session, context.module, context.chapter)
        if chapter_id is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "There is no published chapter of this name.")
    return {
        "context_chapter_id": chapter_id,
        "context_module_slug": context.module,
        "user_difficulty_level": context.difficulty_level,
    }


def _no_conversation() -> ProblemError:
    return ProblemError(HTTPStatus.NOT_FOUND, "You have no conversation of this id.")
