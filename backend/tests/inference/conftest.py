"""The service, and clients of it."""

from collections.abc import AsyncIterator

import pytest

from tests.inference.service import OpenAIService, openai_service


@pytest.fixture
async def service() -> AsyncIterator[OpenAIService]:
    async with openai_service() as running:
        yield running
