"""Every resource of the API, one file each, the most read ones first; and what whoever runs it asks for."""

from fastapi import APIRouter

from src.api.routers import (
    accounts,
    capstone,
    chapters,
    chat,
    embeddings,
    health,
    metrics,
    modules,
    profiles,
    progress,
    questions,
    search,
    sign_in,
    translations,
)

ROUTERS: tuple[APIRouter, ...] = (
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
    health.router,
    metrics.router,
)
