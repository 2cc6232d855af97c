"""Running a backfill from a test."""

import asyncio
from collections.abc import Callable
from typing import Any

from sqlalchemy import pool

from alembic_online.backfill.definition import Backfill
from alembic_online.backfill.monitor import Report
from alembic_online.backfill.run import backfill
from alembic_online.policy import Policy
from alembic_online.postgres.connection.engine import async_engine, resolve_url

QUICK = Policy(backfill_pause_ratio=0)


def run(url: str, definition: Backfill, *, policy: Policy = QUICK, **options: Any) -> list[Report]:
    """Run it to its end; returns all reports."""
    reports: list[Report] = []
    asyncio.run(_run(url, definition, policy, reports.append, options))
    return reports


async def _run(
    url: str, definition: Backfill, policy: Policy, on_report: Callable[[Report], None], options: dict[str, Any]
) -> None:
    engine = async_engine(resolve_url(url), application_name="backfill", poolclass=pool.NullPool)
    try:
        await backfill(engine, definition, policy=policy, **{"on_report": on_report, **options})
    finally:
        await engine.dispose()
