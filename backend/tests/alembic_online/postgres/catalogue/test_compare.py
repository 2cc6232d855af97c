"""What is compared, in which order it is listed, and how it reads as a text."""

from sqlalchemy import Connection, create_engine

from alembic_online.postgres.catalogue import (
    Attribute,
    Catalogue,
    Difference,
    Identity,
    Kind,
    compare,
    describe,
    read_catalogue,
)
from tests.servers import Server

POSITION = Identity(Kind.COLUMN, "public", "chapters", "position")


def test_differences_are_grouped_by_table_a_line_each(bench: Connection) -> None:
    before = read_catalogue(bench)
    after = _after(
        bench,
        "CREATE SCHEMA archive; CREATE TABLE archive.chapters (id int)",
        "ALTER TABLE users ADD CONSTRAINT uq_users_email UNIQUE (email)",
        "CREATE TYPE theme AS ENUM ('light')",
        "DROP INDEX ix_chapters_position",
        "ALTER TABLE chapters ALTER title TYPE text; COMMENT ON TABLE chapters IS 'Lessons'",
    )

    assert describe(compare(before, after)).splitlines() == [
        "schema archive: added",
        "archive.chapters",
        "  table: added",
        "chapters",
        "  table: comment none -> 'Lessons'",
        "  column title: type varchar(255) -> text",
        "  index ix_chapters_position: removed",
        "enum theme: added",
        "users",
        "  constraint uq_users_email: added",
    ]


def test_nothing_changed_is_described_by_nothing(bench: Connection) -> None:
    catalogue = read_catalogue(bench)

    assert describe(compare(catalogue, catalogue)) == ""


def test_a_long_definition_shows_the_lines_that_differ(bench: Connection) -> None:
    bench.exec_driver_sql("CREATE VIEW titles AS SELECT id, title, position, body FROM chapters")
    before = read_catalogue(bench)
    after = _after(
        bench,
        "CREATE OR REPLACE VIEW titles AS SELECT id, title, position, body FROM chapters WHERE id > 0",
        "CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
    )

    assert describe(compare(before, after)).splitlines() == [
        "titles",
        "  view: definition changed",
        "    @@ -4,2 +4,3 @@",
        "         body",
        "    -   FROM public.chapters;",
        "    +   FROM public.chapters",
        "    +  WHERE (id > 0);",
        "function touch(): definition changed",
        "  @@ -3,2 +3,2 @@",
        "    LANGUAGE plpgsql",
        "  -AS $function$BEGIN RETURN NEW; END$function$",
        "  +AS $function$BEGIN RETURN OLD; END$function$",
    ]


def test_a_long_line_shows_only_the_words_around_the_change(bench: Connection) -> None:
    check = "position > 0 AND position < 1000 AND length(title) > 2 AND length(body) > {} AND id > 0 AND user_id > 0"
    bench.exec_driver_sql(f"ALTER TABLE chapters ADD CONSTRAINT ck CHECK ({check.format(3)})")
    before = read_catalogue(bench)
    bench.exec_driver_sql("ALTER TABLE chapters DROP CONSTRAINT ck")
    after = _after(bench, f"ALTER TABLE chapters ADD CONSTRAINT ck CHECK ({check.format(4)})")

    assert [str(difference) for difference in compare(before, after)] == [
        "chapters: constraint ck: definition ... (length(body) > 3) AND (id ... -> ... (length(body) > 4) AND (id ..."
    ]


def test_what_hangs_on_a_new_table_is_not_listed_beside_it_but_is_in_the_catalogue(bench: Connection) -> None:
    before = read_catalogue(bench)
    after = _after(bench, "CREATE TABLE notes (id serial CONSTRAINT pk_notes PRIMARY KEY)")
    table = Identity(Kind.TABLE, "public", "", "notes")
    key = Identity(Kind.CONSTRAINT, "public", "notes", "pk_notes")
    column = Identity(Kind.COLUMN, "public", "notes", "id")

    assert compare(before, after) == [Difference(table, "added")]
    assert compare(after, before) == [Difference(table, "removed")]
    assert after[column].parent == table
    assert after[Identity(Kind.INDEX, "public", "notes", "pk_notes")].parent == key
    assert after[Identity(Kind.SEQUENCE, "public", "", "notes_id_seq")].parent == column


def test_a_difference_carries_the_values_as_postgresql_prints_them(bench: Connection) -> None:
    before = read_catalogue(bench)
    after = _after(bench, "ALTER TABLE chapters ALTER position TYPE numeric(5, 1)")

    assert compare(before, after) == [Difference(POSITION, "changed", Attribute.TYPE, "integer", "numeric(5,1)")]


def test_column_order_is_compared_only_on_demand_and_without_gaps(bench: Connection) -> None:
    before = read_catalogue(bench)
    gap = _after(
        bench, "ALTER TABLE chapters ADD slug text; ALTER TABLE chapters DROP slug; ALTER TABLE users ADD a int"
    )
    last = _after(bench, "ALTER TABLE chapters DROP title; ALTER TABLE chapters ADD title varchar(255)")

    assert compare(gap, last) == []
    assert [str(difference) for difference in compare(gap, last, column_order=True)] == [
        "table chapters: column order id, title, position, user_id, body -> id, position, user_id, body, title"
    ]
    assert [str(difference) for difference in compare(before, gap, column_order=True)] == ["users: column a: added"]


def test_owners_are_compared_only_on_demand(bench: Connection) -> None:
    bench.exec_driver_sql("CREATE ROLE catalogue_owner")
    before = read_catalogue(bench)
    owner = before[Identity(Kind.TABLE, "public", "", "users")].text(Attribute.OWNER)
    after = _after(bench, "ALTER TABLE users OWNER TO catalogue_owner")

    assert before == after
    assert [str(difference) for difference in compare(before, after, owners=True)] == [
        f"table users: owner {owner} -> catalogue_owner"
    ]


def test_two_databases_made_by_different_roles_are_equal(server: Server) -> None:
    statements = [
        "CREATE TABLE users (id int PRIMARY KEY)",
        "GRANT SELECT ON users TO PUBLIC; REVOKE DELETE ON users FROM CURRENT_USER",
        "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "REVOKE EXECUTE ON FUNCTION one() FROM PUBLIC",
    ]
    with server.database() as url:
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
        with engine.connect() as connection:
            mine = _after(connection, *statements)
            connection.rollback()
            connection.exec_driver_sql("CREATE ROLE catalogue_owner; GRANT CREATE ON SCHEMA public TO catalogue_owner")
            connection.exec_driver_sql("SET LOCAL ROLE catalogue_owner")
            theirs = _after(connection, *statements)
        engine.dispose()

    assert [str(difference) for difference in compare(mine, theirs)] == [
        "schema public: privileges granted CREATE to catalogue_owner"
    ]


def test_equality_is_that_of_everything_compared(bench: Connection) -> None:
    before = read_catalogue(bench)
    after = _after(bench, "COMMENT ON COLUMN chapters.title IS 'shown'")

    assert before != after
    assert before.fingerprint != after.fingerprint
    assert before != "a catalogue"
    assert Catalogue(before.values()) == before
    assert len(before.fingerprint) == 64


def _after(connection: Connection, *statements: str) -> Catalogue:
    for statement in statements:
        connection.exec_driver_sql(statement)
    return read_catalogue(connection)
