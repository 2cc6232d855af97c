"""The services that the settings name, opened together."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from src.inference.chat_model import ChatModel
from src.inference.embedder import Embedder
from src.inference.endpoint import open_client
from src.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """None where the settings name no service."""

    embedder: Embedder | None
    chat_model: ChatModel | None


@asynccontextmanager
async def open_services(settings: Settings, *, dimensions: int) -> AsyncIterator[Services]:
    """Connects to nobody before the first question. Raises `EndpointInvalid`."""
    embeddings, chat = settings.embeddings, settings.chat
    async with AsyncExitStack() as stack:
        embedder = chat_model = None
        if embeddings:
            client = await stack.enter_async_context(open_client(embeddings))
            embedder = Embedder(client, embeddings.model, dimensions)
        if chat:
            client = await stack.enter_async_context(open_client(chat))
            chat_model = ChatModel(client, chat.model)
        yield Services(embedder, chat_model)
