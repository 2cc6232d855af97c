"""What keeps `chapters.search_document`: the words of a chapter, weighted by where they stand.

A trigger, because a generated column could be added only by rewriting the table under a lock that stops everybody.
PostgreSQL's parser passes over HTML's tags and entities. Texts are cut, because a tsvector holds 1 MB at most
(PostgreSQL 16 to 18) and an INSERT must not fail by it.
"""

from alembic_online.postgres.declared import SQLObject

SEARCH_DOCUMENT = (
    SQLObject(
        """\
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
    ),
    SQLObject(
        "CREATE TRIGGER set_search_document"
        " BEFORE INSERT OR UPDATE OF title, description, learning_objectives, content_html, search_document"
        " ON chapters FOR EACH ROW EXECUTE FUNCTION set_search_document()"
    ),
)
