"""Every resource of the API, one file each, the most read ones first."""

from src.api import (
    accounts,
    capstone,
    chapters,
    chat,
    embeddings,
    modules,
    profiles,
    progress,
    questions,
    search,
    sign_in,
    translations,
)
from src.api.routing import Resource

ROUTERS: tuple[Resource, ...] = (
    modules.router,
    chapters.router,
    progress.router,
    accounts.router,
    search.router,
    chat.router,
    questions.router,
    translations.router,
    embeddings.router,
    profiles.router,
    sign_in.router,
    capstone.router,
)
