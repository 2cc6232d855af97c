"""How the runs of a migration ended, by the history."""

import psycopg


def outcomes(watcher: psycopg.Connection) -> list[str]:
    """From the first run on."""
    return [row[0] for row in watcher.execute("SELECT outcome FROM alembic_history ORDER BY id")]
