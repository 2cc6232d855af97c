"""The small project is at hand in every test of the toolkit."""

from tests.alembic_online.project import project

__all__ = ["project"]
