"""count sign-outs

Tokens are signed and kept nowhere, so a sign-out needs something to hold them against: each token names how often its
account had signed out when it was issued, and is good as long as that is still the number.

Revision ID: 004_count_sign_outs
Revises: 003_fill_search_documents
Create Date: 2026-11-22 11:36:00.000000

"""

import sqlalchemy as sa
from alembic import op

revision: str = "004_count_sign_outs"
down_revision: str | None = "003_fill_search_documents"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Add the column; a constant default rewrites nothing."""
    op.add_column("users", sa.Column("sign_outs", sa.Integer(), server_default=sa.text("0"), nullable=False))


def downgrade() -> None:
    """Drop the column. A token that was signed out before is good again until it expires: at most 30 days."""
    op.drop_column("users", "sign_outs")
