"""An answer comes in pieces, whole, or with a sentence that says why not."""

import asyncio

import pytest

from src.inference.chat_model import ChatModel, Turn
from src.inference.endpoint import open_client
from src.inference.errors import ServiceFailed
from tests.inference.service import WORDS, OpenAIService, Respond, answer, tell


async def ask(service: OpenAIService) -> list[str]:
    async with open_client(service.endpoint()) as client:
        conversation = [Turn("system", "Be short."), Turn("user", "What is a lock?")]
        return [piece async for piece in ChatModel(client, "a-model").answer(conversation)]


async def test_the_pieces_come_in_their_order(service: OpenAIService) -> None:
    assert await ask(service) == WORDS


async def test_the_service_is_told_the_conversation(service: OpenAIService) -> None:
    await ask(service)
    [request] = service.requests
    assert request.path == "/v1/chat/completions"
    assert request.body == {
        "model": "a-model",
        "stream": True,
        "messages": [
            {"role": "system", "content": "Be short."},
            {"role": "user", "content": "What is a lock?"},
        ],
    }


async def test_a_piece_is_there_before_the_next_is_said(service: OpenAIService) -> None:
    heard = asyncio.Event()
    service.chat = tell(*WORDS, then=heard.wait)
    async with open_client(service.endpoint()) as client:
        pieces = ChatModel(client, "a-model").answer([Turn("user", "What is a lock?")])
        assert await anext(pieces) == WORDS[0]
        heard.set()
        assert [piece async for piece in pieces] == WORDS[1:]


async def test_an_answer_may_end_by_its_reason_alone(service: OpenAIService) -> None:
    service.chat = tell("Yes.", end='data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\n')
    assert await ask(service) == ["Yes."]


@pytest.mark.parametrize(
    ("chat", "sentence"),
    [
        (answer("no", status=500), "The chat service answered 500"),
        (answer({"choices": []}), "something else than a stream of words"),
        (tell("One", end="data: {nonsense}\n\n"), "something else than a stream of words"),
        (tell("One", end='data: {"choices": [{"delta": {"content": 1}}]}\n\n'), "something else than a stream"),
        (tell("One", end=""), "broke off in the middle"),
    ],
)
async def test_what_goes_wrong_is_a_sentence(service: OpenAIService, chat: Respond, sentence: str) -> None:
    service.chat = chat
    with pytest.raises(ServiceFailed, match=sentence):
        await ask(service)
