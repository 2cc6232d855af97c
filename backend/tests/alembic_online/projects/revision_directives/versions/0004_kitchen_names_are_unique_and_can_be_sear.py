"""kitchen: names are unique and can be searched

Revision ID: 0004
Revises: 0003

"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade():
    op.alter_column("dish", "name", existing_type=sa.String(60), type_=sa.Text(), existing_nullable=False)
    op.create_unique_constraint("dish_name_key", "dish", ["name"])
    op.add_column(
        "dish",
        sa.Column(
            "words", postgresql.TSVECTOR(), sa.Computed("to_tsvector('simple'::regconfig, name)", persisted=True)
        ),
    )
    op.create_index("ix_dish_words", "dish", ["words"], postgresql_using="gin")


def downgrade():
    op.drop_index("ix_dish_words", table_name="dish", postgresql_using="gin")
    op.drop_column("dish", "words")
    op.drop_constraint("dish_name_key", "dish", type_="unique")
    op.alter_column("dish", "name", existing_type=sa.Text(), type_=sa.String(60), existing_nullable=False)
