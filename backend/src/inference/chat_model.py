"""Questions become answers, word by word: `POST /chat/completions` of OpenAI's API, as server-sent events."""

from collections.abc import AsyncIterator, Sequence
from typing import Literal, NamedTuple

import httpx
from httpx_sse import EventSource, SSEError
from pydantic import BaseModel, ValidationError

from src.inference.endpoint import check_status, failures
from src.inference.errors import ServiceFailed

_SERVICE = "chat"
_END = "[DONE]"
_SILENCE = 60.0  # seconds that a service may think before its next word


class Turn(NamedTuple):
    """What was said, and by whom."""

    role: Literal["system", "user", "assistant"]
    content: str


class _Delta(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    delta: _Delta
    finish_reason: str | None = None


class _Event(BaseModel):
    choices: list[_Choice] = []


class ChatModel:
    """Asks one model of one service, which is given by the client's address."""

    def __init__(self, client: httpx.AsyncClient, model: str) -> None:
        self._client = client
        self._model = model

    async def answer(self, conversation: Sequence[Turn]) -> AsyncIterator[str]:
        """The next turn, in pieces as they come. Raises `ServiceFailed`, also in the middle."""
        asked = {"model": self._model, "stream": True, "messages": [turn._asdict() for turn in conversation]}
        request = self._client.stream("POST", "chat/completions", json=asked, timeout=_SILENCE)
        with failures(_SERVICE, _SILENCE):
            async with request as response:
                check_status(response, _SERVICE)
                async for piece in _pieces(response):
                    yield piece


async def _pieces(response: httpx.Response) -> AsyncIterator[str]:
    complete = False
    try:
        async for event in EventSource(response).aiter_sse():
            if event.data == _END:
                return
            for choice in _Event.model_validate_json(event.data).choices:
                complete = complete or choice.finish_reason is not None
                if choice.delta.content:
                    yield choice.delta.content
    except (SSEError, ValidationError, UnicodeDecodeError) as error:
        raise ServiceFailed("The chat service answered something else than a stream of words.") from error
    if not complete:
        raise ServiceFailed("The chat service broke off in the middle of its answer.")
