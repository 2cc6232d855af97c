"""kitchen: dishes

Revision ID: 0001
Revises:

"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.execute("CREATE TABLE dish (id serial PRIMARY KEY, name varchar(60) NOT NULL, minutes integer)")
    op.execute("INSERT INTO dish (name, minutes) SELECT 'dish ' || n, n % 90 FROM generate_series(1, 150) n")


def downgrade():
    op.execute("DROP TABLE dish")
