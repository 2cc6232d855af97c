"""An answer is made in a task of its own: who asked may go away, and finds it in the conversation when coming back.

What is kept: question, answer and sources, when the answer is complete. Where the service fails in the middle, or the
application stops, what had come until then; where nothing had come, nothing. What was deleted meanwhile stays deleted:
the conversation with this answer too, the chapter without.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from src.api.http.problems import ProblemError
from src.api.schemas.chat import AnswerEvent, Message
from src.db.queries import chat
from src.db.session import unit_of_work
from src.inference.chat_model import ChatModel, Turn
from src.inference.errors import ServiceFailed

_log = logging.getLogger(__name__)
_Events = asyncio.Queue[AnswerEvent | None]
# SQLAlchemy does not wrap what goes wrong while a connection is made or lost.
_DATABASE = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with everything that an answer needs, and the columns that are kept with it."""

    user: UUID
    conversation: UUID
    is_follow_up: bool
    turns: Sequence[Turn]
    columns: Mapping[str, Any]


class _NotKept(Exception):
    """A sentence for whoever listens."""


class Answers:
    """The answers that are being made."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions
        self._tasks = set[asyncio.Task[None]]()

    async def answer(self, model: ChatModel, asked: Asked) -> AsyncIterator[AnswerEvent]:
        """What happens, as it happens. Whoever stops listening does not stop the answer."""
        events = _Events()
        task = asyncio.create_task(self._make(model, asked, events))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        while event := await events.get():
            yield event
        await asyncio.shield(task)  # raises what went wrong in it

    async def aclose(self) -> None:
        """Stop them all; what they have until now is kept."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _make(self, model: ChatModel, asked: Asked, events: _Events) -> None:
        pieces = list[str]()
        try:
            async for piece in model.answer(asked.turns):
                pieces.append(piece)
                events.put_nowait(AnswerEvent(event="delta", data={"text": piece}))
            events.put_nowait(_done(await self._keep(asked, pieces)))
        except ServiceFailed as failure:
            await self._fail(asked, pieces, events, failure)
        except _NotKept as reason:
            events.put_nowait(_error(reason, kept=None))
        except asyncio.CancelledError:
            await self._keep(asked, pieces)
            raise
        finally:
            events.put_nowait(None)

    async def _fail(self, asked: Asked, pieces: Sequence[str], events: _Events, failure: ServiceFailed) -> None:
        try:
            events.put_nowait(_error(failure, kept=await self._keep(asked, pieces)))
        except _NotKept as reason:
            events.put_nowait(_error(reason, kept=None))

    async def _keep(self, asked: Asked, pieces: Sequence[str]) -> Message | None:
        """Raises `_NotKept` where the database is away, or the account or the conversation was deleted meanwhile."""
        if not pieces:
            return None
        try:
            async with unit_of_work(self._sessions) as session:
                return Message.model_validate(await _append(session, asked, "".join(pieces)))
        except _DATABASE as error:
            _log.error("An answer was not kept.", exc_info=error)
            raise _NotKept("The answer cannot be kept at the moment.") from error


async def _append(session: AsyncSession, asked: Asked, response: str) -> chat.MessageRow:
    if asked.is_follow_up and not await chat.latest(session, asked.user, asked.conversation, 1):
        raise _NotKept("The conversation was deleted meanwhile.")
    columns = {**asked.columns, "response": response}
    if columns["context_chapter_id"] is not None:
        columns["context_chapter_id"] = await chat.hold_chapter(session, columns["context_chapter_id"])
    return await chat.append(session, asked.user, asked.conversation, columns)


def _done(message: Message | None) -> AnswerEvent:
    if message is None:
        return _error(ServiceFailed("The chat service said nothing."), kept=None)
    return AnswerEvent(event="done", data=message.model_dump(mode="json"))


def _error(failure: Exception, kept: Message | None) -> AnswerEvent:
    detail = f"{failure} {'What had come is kept.' if kept else 'Nothing is kept; ask again.'}"
    return AnswerEvent(event="error", data=ProblemError(HTTPStatus.BAD_GATEWAY, detail).problem.model_dump())
