"""orders may get lost

Revision ID: 94aa1d6b30ef
Revises: 1b9d03e7c6aa

"""

from alembic import op

revision = "94aa1d6b30ef"
down_revision = "1b9d03e7c6aa"
branch_labels = None
depends_on = None


def upgrade():
    with op.get_context().autocommit_block():
        op.execute("ALTER TYPE order_state ADD VALUE IF NOT EXISTS 'lost'")
    op.execute("UPDATE orders SET state = 'lost' WHERE id % 50 = 0")


def downgrade():
    op.execute("UPDATE orders SET state = 'sent' WHERE state = 'lost'")
    op.execute("ALTER TABLE orders ALTER COLUMN state DROP DEFAULT")
    op.execute("ALTER TYPE order_state RENAME TO order_state_old")
    op.execute("CREATE TYPE order_state AS ENUM ('new', 'paid', 'sent')")
    op.execute("ALTER TABLE orders ALTER COLUMN state TYPE order_state USING state::text::order_state")
    op.execute("ALTER TABLE orders ALTER COLUMN state SET DEFAULT 'new'")
    op.execute("DROP TYPE order_state_old")
