"""an audit log, in its own schema

Revision ID: 48b1fa9e60c3
Revises: c2ee50b4917d

"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "48b1fa9e60c3"
down_revision = "c2ee50b4917d"
branch_labels = None
depends_on = None


def upgrade():
    op.execute("CREATE SCHEMA audit")
    op.create_table(
        "entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("old", postgresql.JSONB(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        schema="audit",
    )
    op.execute(
        """
        CREATE FUNCTION audit.note() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO audit.entry (at, what, old) VALUES
                ('2026-01-01', TG_TABLE_NAME || ' ' || lower(TG_OP), to_jsonb(OLD));
            RETURN NULL;
        END
        $$
        """
    )
    op.execute("CREATE TRIGGER note AFTER UPDATE OR DELETE ON account FOR EACH ROW EXECUTE FUNCTION audit.note()")
    op.execute("UPDATE account SET balance = balance + 1 WHERE id <= 10")


def downgrade():
    op.execute("DROP TRIGGER note ON account")
    op.execute("DROP FUNCTION audit.note()")
    op.drop_table("entry", schema="audit")
    op.execute("DROP SCHEMA audit")
    op.execute("UPDATE account SET balance = balance - 1 WHERE id <= 10")
