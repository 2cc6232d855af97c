"""Every resource of the API, one file each; `app` serves them below `/api/v1`."""

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

ROUTERS = (
    sign_in.router,
    accounts.router,
    profiles.router,
    modules.router,
    chapters.router,
    translations.router,
    progress.router,
    capstone.router,
    embeddings.router,
    search.router,
    chat.router,
    questions.router,
)
