"""Promise: conversations are kept, read by pages, rated and deleted by the one whose they are, and by nobody else."""

from typing import Any
from uuid import UUID, uuid4

from httpx import AsyncClient

from tests.api.course import small_course

SOURCE = {"module": "first", "chapter": "one", "chunk_index": 3}


async def say(client: AsyncClient, conversation: UUID, query: str, **more: Any) -> dict[str, Any]:
    said = {"query": query, "response": f"Answer to {query}"} | more
    answered = await client.post(f"chat/conversations/{conversation}/messages", json=said)
    assert answered.status_code == 201, answered.text
    message: dict[str, Any] = answered.json()
    return message


async def pages(client: AsyncClient, path: str, limit: int) -> list[list[dict[str, Any]]]:
    found, cursor = [], None
    while True:
        parameters = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        answered = await client.get(path, params=parameters)
        assert answered.status_code == 200, answered.text
        found.append(answered.json()["items"])
        if (cursor := answered.json()["next"]) is None:
            return found


async def test_a_conversation_is_read_oldest_first_by_pages(student: AsyncClient) -> None:
    conversation = uuid4()
    said = [await say(student, conversation, f"Question {number}") for number in range(5)]
    read = await pages(student, f"chat/conversations/{conversation}/messages", 2)
    assert [len(page) for page in read] == [2, 2, 1]
    assert [message for page in read for message in page] == said
    assert [message["was_follow_up"] for message in said] == [False, True, True, True, True]


async def test_conversations_are_listed_by_their_latest_message(student: AsyncClient) -> None:
    one, two, three = uuid4(), uuid4(), uuid4()
    for conversation, query in ((one, "One?"), (two, "Two?"), (three, "Three?"), (one, "More?"), (two, "Still?")):
        await say(student, conversation, query)
    listed = [conversation for page in await pages(student, "chat/conversations", 1) for conversation in page]
    assert [(UUID(item["id"]), item["title"]) for item in listed] == [(two, "Two?"), (one, "One?"), (three, "Three?")]
    whole = await pages(student, "chat/conversations", 100)
    assert whole == [listed]


async def test_a_message_keeps_its_sources_and_where_it_was_asked(
    administrator: AsyncClient, student: AsyncClient
) -> None:
    await small_course(administrator)
    asked = {"sources": [SOURCE], "module": "first", "chapter": "one", "difficulty_level": "beginner"}
    message = await say(student, uuid4(), "Why?", **asked)
    assert message["sources"] == [SOURCE]
    assert (message["context_module_slug"], message["user_difficulty_level"]) == ("first", "beginner")


async def test_what_cannot_be_kept_is_refused(administrator: AsyncClient, student: AsyncClient) -> None:
    await small_course(administrator)
    path, said = f"chat/conversations/{uuid4()}/messages", {"query": "Why?", "response": "Because."}
    for wrong, status in (
        ({"query": ""}, 422),
        ({"query": "x" * 20_001}, 422),
        ({"query": "\x00"}, 422),
        ({"sources": [SOURCE] * 21}, 422),
        ({"sources": [{"module": "first"}]}, 422),
        ({"sources": [SOURCE | {"html": "<b>"}]}, 422),
        ({"chapter": "one"}, 422),
        ({"module": "first", "chapter": "draft"}, 404),
        ({"module": "hidden", "chapter": "one"}, 404),
    ):
        assert (await student.post(path, json=said | wrong)).status_code == status, wrong


async def test_an_answer_is_rated_and_the_rating_taken_back(student: AsyncClient) -> None:
    message = await say(student, uuid4(), "Why?")
    path = f"chat/messages/{message['id']}/rating"
    for rating in (5, 1, None):
        assert (await student.put(path, json={"rating": rating})).json()["user_rating"] == rating
    for wrong in (0, 6, "good"):
        assert (await student.put(path, json={"rating": wrong})).status_code == 422


async def test_a_conversation_is_deleted_with_all_its_messages(student: AsyncClient) -> None:
    gone, stays = uuid4(), uuid4()
    for conversation in (gone, gone, stays):
        await say(student, conversation, "Why?")
    assert (await student.delete(f"chat/conversations/{gone}")).status_code == 204
    assert (await student.get(f"chat/conversations/{gone}/messages")).status_code == 404
    assert (await student.delete(f"chat/conversations/{gone}")).status_code == 404
    [[left]] = await pages(student, "chat/conversations", 100)
    assert UUID(left["id"]) == stays


async def test_nobody_else_can_read_rate_continue_or_delete_it(
    student: AsyncClient, other_student: AsyncClient, api: AsyncClient
) -> None:
    conversation = uuid4()
    message = await say(student, conversation, "Why?")
    messages, rating = f"chat/conversations/{conversation}/messages", f"chat/messages/{message['id']}/rating"
    assert (await other_student.get(messages)).status_code == 404
    assert (await other_student.put(rating, json={"rating": 1})).status_code == 404
    assert (await other_student.delete(f"chat/conversations/{conversation}")).status_code == 404
    assert not (await say(other_student, conversation, "Mine?"))["was_follow_up"]  # his own, of the same id
    assert [[item["query"] for item in page] for page in await pages(student, messages, 10)] == [["Why?"]]
    for path in (messages, "chat/conversations"):
        assert (await api.get(path)).status_code == 401
