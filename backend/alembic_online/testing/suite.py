"""The test that a project imports into a module of its own."""

from alembic_online.testing.kit import Kit


def test_migrations(migration_kit: Kit, migration_check: str) -> None:
    """One check of the kit finds nothing."""
    found = [str(finding) for finding in migration_kit.findings(migration_check)]
    assert found == [], "\n".join(found)
