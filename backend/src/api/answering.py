"""An answer is made in a task of its own: who asked may go away, and finds it in the conversation when coming back.

What is kept: question, answer and sources, when the answer is complete. Where the service fails in the middle, or the
application stops, what had come until then; where nothing had come, nothing.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from src.api.problems import ProblemError
from src.api.schemas.chat import AnswerEvent, Message
from src.db.queries import chat
from src.db.session import unit_of_work
from src.inference.chat_model import ChatModel, Turn
from src.inference.errors import ServiceFailed

_log = logging.getLogger(__name__)
_Events = asyncio.Queue[AnswerEvent | None]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with everything that an answer needs, and the columns that are kept with it."""

    user: UUID
    conversation: UUID
    turns: Sequence[Turn]
    columns: Mapping[str, Any]


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
        except SQLAlchemyError as error:
            _not_kept(events, error)
        except asyncio.CancelledError:
            await self._keep(asked, pieces)
            raise
        finally:
            events.put_nowait(None)

    async def _fail(self, asked: Asked, pieces: Sequence[str], events: _Events, failure: ServiceFailed) -> None:
        try:
            events.put_nowait(_error(failure, kept=await self._keep(asked, pieces)))
        except SQLAlchemyError as error:
            _not_kept(events, error)

    async def _keep(self, asked: Asked, pieces: Sequence[str]) -> Message | None:
        if not pieces:
            return None
        async with unit_of_work(self._sessions) as session:
            columns = {**asked.columns, "response": "".join(pieces)}
            return Message.model_validate(await chat.append(session, asked.user, asked.conversation, columns))


def _not_kept(events: _Events, error: SQLAlchemyError) -> None:
    """The database is away, or the account was deleted meanwhile. Whoever listens is told before the stream ends."""
    _log.error("An answer was not kept.", exc_info=error)
    events.put_nowait(_error(ServiceFailed("The answer cannot be kept at the moment."), kept=None))


def _done(message: Message | None) -> AnswerEvent:
    if message is None:
        return _error(ServiceFailed("The chat service said nothing."), kept=None)
    return AnswerEvent(event="done", data=message.model_dump(mode="json"))


def _error(failure: ServiceFailed, kept: Message | None) -> AnswerEvent:
    detail = f"{failure} {'What had come is kept.' if kept else 'Nothing is kept; ask again.'}"
    return AnswerEvent(event="error", data=ProblemError(HTTPStatus.BAD_GATEWAY, detail).problem.model_dump())
