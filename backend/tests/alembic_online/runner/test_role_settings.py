"""What a role has been given for its daily work does not end its migrations."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.alembic_online.project import Project
from tests.alembic_online.runner.outcomes import outcomes

SETTINGS = {
    "statement_timeout": "'1s'",
    "lock_timeout": "'1ms'",
    "idle_in_transaction_session_timeout": "'1s'",
    "idle_session_timeout": "'1s'",
    "default_transaction_isolation": "serializable",
    "transaction_timeout": "'1s'",
    "jit": "on",
}


@pytest.fixture
def hurried(database: str, watcher: psycopg.Connection) -> Iterator[str]:
    """The URL of a role whose every limit is short, but for what a session's first statement needs."""
    watcher.execute("CREATE ROLE hurried LOGIN; GRANT ALL ON SCHEMA public TO hurried")
    for name, value in SETTINGS.items():
        if watcher.execute("SELECT 1 FROM pg_settings WHERE name = %s", [name]).fetchone():
            watcher.execute(f"ALTER ROLE hurried SET {name} = {value}")
    yield database.replace("//postgres:", "//hurried:")
    watcher.execute("DROP OWNED BY hurried; DROP ROLE hurried")


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_a_roles_own_limits_do_not_end_a_migration(
    project: Project, hurried: str, watcher: psycopg.Connection, driver: str
) -> None:
    lines = [
        "op.get_bind().execute(sa.text('SELECT pg_sleep(1.1)')).all()",
        "import time; time.sleep(1.1)",
        "op.execute('CREATE TABLE books (id integer)')",
        "op.execute('SELECT pg_sleep(1.1)')",
        "op.create_index('ix', 'books', ['id'], postgresql_concurrently=True)",
        "op.execute('INSERT INTO books SELECT 1 FROM pg_sleep(1.1)')",
    ]
    project.revision("001_a", upgrade="\n    ".join(lines))
    project.alembic(hurried.replace("postgresql:", f"postgresql+{driver}:"), "upgrade", "head")
    assert outcomes(watcher) == ["done"]


def test_nothing_is_compiled_under_a_lock(project: Project, hurried: str, watcher: psycopg.Connection) -> None:
    project.revision("001_a", upgrade="assert op.get_bind().scalar(sa.text('SHOW jit')) == 'off'")
    project.alembic(hurried, "upgrade", "head")
    assert outcomes(watcher) == ["done"]
