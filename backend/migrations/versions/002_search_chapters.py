"""search chapters

A column with the words of each chapter, the trigger that keeps it, and the index that full-text search asks. A generated
column would rewrite the table under a lock that stops everybody; this one is added in no time, and filled by 003.

Revision ID: 002_search_chapters
Revises: 001_initial_schema
Create Date: 2026-11-22 11:30:00.000000

"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "002_search_chapters"
down_revision: str | None = "001_initial_schema"
branch_labels: str | None = None
depends_on: str | None = None

# The parser passes over HTML's tags and entities. Cut, because a tsvector may have 1 MB and an INSERT must not fail by it.
CREATE_FUNCTION = """\
CREATE FUNCTION set_search_document() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.search_document :=
        setweight(to_tsvector('english', NEW.title), 'A')
        || setweight(to_tsvector('english', left(NEW.description, 20000)), 'B')
        || setweight(to_tsvector('english', left(array_to_string(NEW.learning_objectives, ' '), 20000)), 'B')
        || setweight(to_tsvector('english', left(coalesce(NEW.content_html, ''), 150000)), 'C');
    RETURN NEW;
END
$$"""

CREATE_TRIGGER = (
    "CREATE TRIGGER set_search_document"
    " BEFORE INSERT OR UPDATE OF title, description, learning_objectives, content_html, search_document"
    " ON chapters FOR EACH ROW EXECUTE FUNCTION set_search_document()"
)


def upgrade() -> None:
    """Add the column, then what keeps it, then the index: empty as yet, but built without stopping anybody."""
    op.add_column("chapters", sa.Column("search_document", postgresql.TSVECTOR()))
    op.execute(CREATE_FUNCTION)
    op.execute(CREATE_TRIGGER)
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_chapters_search_document",
            "chapters",
            ["search_document"],
            postgresql_using="gin",
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    """Drop the column, and with it its index."""
    op.execute("DROP TRIGGER set_search_document ON chapters")
    op.execute("DROP FUNCTION set_search_document()")
    op.drop_column("chapters", "search_document")
