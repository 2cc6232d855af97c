"""Vectors come from a service in the order of the texts; whatever else it does becomes one sentence."""

from typing import Any

import pytest

from src.db.vector import DIMENSIONS
from src.inference.embedder import Embedder
from src.inference.endpoint import open_client
from src.inference.errors import EndpointInvalid, ServiceFailed
from src.inference.services import open_services
from src.settings import Endpoint, Settings, load_settings
from tests.inference.service import KEY, OpenAIService, answer, never, vector_of


async def embed(service: OpenAIService, *texts: str, patience: float = 5.0) -> list[list[float]]:
    endpoint = service.endpoint()
    async with open_client(endpoint) as client:
        vectors = await Embedder(client, endpoint.model, DIMENSIONS).embed(texts, patience=patience)
    return [vector.to_list() for vector in vectors]


def data(*vectors: Any) -> dict[str, Any]:
    return {"data": [{"index": index, "embedding": vector} for index, vector in enumerate(vectors)]}


async def test_each_text_gets_its_vector(service: OpenAIService) -> None:
    assert await embed(service, "one lock", "two locks") == [vector_of("one lock"), vector_of("two locks")]


async def test_the_service_is_told_the_model_and_the_key(service: OpenAIService) -> None:
    await embed(service, "one")
    [request] = service.requests
    assert request.body == {"model": "text-embedding-3-small", "input": ["one"]}
    assert request.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("<html>", "answered something else than embeddings"),
        ({"error": "no"}, "answered something else than embeddings"),
        (data("words"), "answered something else than embeddings"),
        (data(), "answered 0 embeddings for 1 texts"),
        (data(vector_of("a"), vector_of("b")), "answered 2 embeddings for 1 texts"),
        ({"data": [{"index": 1, "embedding": vector_of("a")}]}, "answered 1 embeddings for 1 texts"),
        (data([1.0] * 3), "vectors of 3 numbers; 1536 are needed"),
        (data([0.0] * DIMENSIONS), "not all zero"),
        (data([1e39] * DIMENSIONS), "needed, finite"),
    ],
)
async def test_what_are_no_embeddings_is_refused(service: OpenAIService, body: Any, sentence: str) -> None:
    service.embeddings = answer(body)
    with pytest.raises(ServiceFailed, match=sentence):
        await embed(service, "one")


async def test_a_failing_service_is_named_with_its_status(service: OpenAIService) -> None:
    service.embeddings = answer("no credit for sk-secret", status=429)
    with pytest.raises(ServiceFailed, match=r"^The embedding service answered 429\.$"):
        await embed(service, "one")


async def test_a_slow_service_is_waited_for_as_long_as_was_said(service: OpenAIService) -> None:
    service.embeddings = never
    with pytest.raises(ServiceFailed, match=r"did not answer within 0\.05 s"):
        await embed(service, "one", patience=0.05)


async def test_a_service_that_is_not_there_cannot_be_reached(service: OpenAIService) -> None:
    service.port = 1
    with pytest.raises(ServiceFailed, match="cannot be reached"):
        await embed(service, "one")


@pytest.mark.parametrize("url", ["", "api.example.org", "ftp://example.org", "http://", "http://[::"])
async def test_an_address_that_is_none_is_refused_at_the_start(url: str) -> None:
    settings = Settings("", "", embeddings=Endpoint(url, "m", KEY, "EMBEDDINGS_URL"))
    with pytest.raises(EndpointInvalid, match="EMBEDDINGS_URL is") as refusal:
        async with open_services(settings, dimensions=3):
            pass
    assert KEY not in str(refusal.value)


async def test_without_an_address_there_is_no_service() -> None:
    async with open_services(load_settings({"CHAT_API_KEY": KEY}), dimensions=3) as services:
        assert (services.embedder, services.chat_model) == (None, None)


def test_settings_do_not_show_a_key() -> None:
    settings = load_settings({"CHAT_URL": "http://localhost/v1", "CHAT_API_KEY": KEY})
    assert settings.chat == Endpoint("http://localhost/v1", "gpt-4o-mini", KEY, "CHAT_URL")
    assert KEY not in repr(settings)
