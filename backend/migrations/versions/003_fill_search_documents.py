"""fill search documents

The chapters that were there before 002 become searchable. Their `updated_at` moves, as with every UPDATE.

Revision ID: 003_fill_search_documents
Revises: 002_search_chapters
Create Date: 2026-11-22 11:31:00.000000

"""

from alembic import op

revision: str = "003_fill_search_documents"
down_revision: str | None = "002_search_chapters"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Touch the rows that have none; the trigger of 002 writes it. A course has hundreds of chapters: one statement."""
    op.execute("UPDATE chapters SET search_document = NULL WHERE search_document IS NULL")


def downgrade() -> None:
    """Nothing to bring back: the words are those of the row, and the trigger would write them again."""
