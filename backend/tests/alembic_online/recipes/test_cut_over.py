"""Promise: every state between two commits serves the code that ran before, and no question is asked beside a lock."""

import psycopg
import pytest

from alembic_online.postgres.errors import UserError
from tests.alembic_online.project import Project
from tests.alembic_online.recipes.cases import BOOKS, Case
from tests.alembic_online.recipes.conftest import Direct, directly, the_way_up_converges, write
from tests.alembic_online.recipes.interruption import PATIENT
from tests.alembic_online.recipes.state import read_state, same
from tests.alembic_online.recipes.watch import watching
from tests.longer_proofs import every

__all__ = ["directly"]

SHOP = (
    BOOKS
    + """
    ALTER TABLE books ADD PRIMARY KEY (id), ALTER pages SET DEFAULT 0, ADD CONSTRAINT ck_pages CHECK (pages >= 0),
        ADD CONSTRAINT uq_title UNIQUE (title), ADD CONSTRAINT fk_author FOREIGN KEY (author_id) REFERENCES authors;
    CREATE INDEX ix_author ON books (author_id);
    CREATE UNIQUE INDEX ux_title ON books (title);
    CREATE VIEW long_books AS SELECT id, pages FROM books WHERE pages > 100;
    CREATE TYPE state AS ENUM ('draft', 'open', 'closed');
    CREATE TABLE tickets (id serial PRIMARY KEY, state state NOT NULL DEFAULT 'open', was state, body text,
        CONSTRAINT ck_closed CHECK (state <> 'closed'::state OR body IS NOT NULL));
    CREATE INDEX ix_open ON tickets (id) WHERE state = 'open';
    INSERT INTO tickets (body) SELECT 'ticket ' || i FROM generate_series(1, 60) i;
    CREATE VIEW open_tickets AS SELECT id, body FROM tickets WHERE state = 'open'::state;
    CREATE TABLE answers (id integer, ticket integer REFERENCES tickets, UNIQUE (ticket, id));
    INSERT INTO answers VALUES (1, 3);
"""
)
SHARED = (
    SHOP
    + """
    CREATE TABLE loans (book integer, reader integer DEFAULT 1, days integer, CONSTRAINT pk_loans PRIMARY KEY
        (book, reader), CONSTRAINT uq_days UNIQUE (days, reader, book) DEFERRABLE, CHECK (days > reader - book));
    CREATE TABLE fines (book integer, reader integer, FOREIGN KEY (book, reader) REFERENCES loans);
    CREATE INDEX ix_days ON loans (days, reader) INCLUDE (book) WHERE book > 1;
    CREATE UNIQUE INDEX ix_sum ON loans (reader, (book + days));
    CREATE STATISTICS st_loans ON book, reader, days FROM loans;
    CREATE VIEW long_loans AS SELECT book, reader FROM loans WHERE days > 30;
    COMMENT ON CONSTRAINT pk_loans ON loans IS 'the key';
    COMMENT ON INDEX ix_days IS 'by days';
    ALTER TABLE loans REPLICA IDENTITY USING INDEX pk_loans;
    INSERT INTO loans SELECT i, 1, i FROM generate_series(1, 90) i;
    INSERT INTO fines VALUES (3, 1);
"""
)
MOODS = (
    SHOP
    + """
    CREATE TYPE mood AS ENUM ('draft', 'open', 'closed');
    ALTER TABLE tickets ADD mood mood;
    UPDATE tickets SET mood = 'open' WHERE id < 9;
"""
)
CLOSES = (
    MOODS
    + """
    CREATE TYPE closes AS (a integer);
    UPDATE tickets SET mood = 'closed' WHERE id = 20;
    CREATE UNIQUE INDEX ux_mood ON tickets (mood) WHERE mood = 'closed'::mood;
"""
)
MORE_MOODS = (
    MOODS
    + """
    ALTER TABLE tickets ALTER mood SET DEFAULT 'open',
        ADD CONSTRAINT ck_mood CHECK (mood <> 'draft'::mood OR body IS NOT NULL);
    CREATE VIEW open_moods AS SELECT id FROM tickets WHERE mood = 'open'::mood;
"""
)
EVENTS = (
    SHOP
    + """
    CREATE TABLE events (id integer CONSTRAINT pk_events PRIMARY KEY, day integer) PARTITION BY RANGE (id);
    CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (50);
    CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (50) TO (99);
    INSERT INTO events SELECT i, i FROM generate_series(1, 98) i;
    CREATE TABLE visits (event integer CONSTRAINT fk_event REFERENCES events);
"""
)
TURNS = (
    SHOP
    + """
    CREATE TABLE turns (id integer PRIMARY KEY, place integer, kind varchar(10) NOT NULL, n smallint NOT NULL,
        CONSTRAINT "uq ""q"" all" UNIQUE (kind, n), CONSTRAINT uq_place UNIQUE (n, place));
    CREATE INDEX ix_turns ON turns (n, lower(kind)) WHERE kind <> 'q';
    CREATE STATISTICS st_turns ON kind, n FROM turns;
    CREATE VIEW places AS SELECT place FROM turns;
    INSERT INTO turns SELECT i, i, 'k', i FROM generate_series(1, 90) i;
"""
)
TABLES = [
    "books",
    "authors",
    "tickets",
    "answers",
    "loans",
    "fines",
    "events",
    "events_1",
    "events_2",
    "visits",
    "shelves",
    "turns",
]
OLD_CODE = [
    "INSERT INTO books (id, author_id, title) VALUES (1000, 1, 'new'); SELECT 1 / coalesce((pages = 0)::int, 0)"
    " FROM books WHERE id = 1000",
    "SELECT count(*) FROM long_books",
    "INSERT INTO tickets (body) VALUES ('new')",
    "UPDATE tickets SET state = CAST('closed' AS state) WHERE id = 3",
    "SELECT count(*) FROM open_tickets",
    'SELECT "Long Name" FROM books LIMIT 1',
    "SELECT name FROM authors LIMIT 1",
    "DO $$ BEGIN IF to_regtype('mood') IS NOT NULL THEN UPDATE tickets SET mood = CAST('open' AS mood) WHERE id = 3;"
    " END IF; END $$",
    "DO $$ BEGIN IF to_regtype('pair') IS NOT NULL THEN UPDATE tickets SET moods = CAST('{open}' AS mood[]),"
    " felt = CAST('open' AS felt), pair = CAST(('open', 'open') AS pair) WHERE id = 3; END IF; END $$",
    "DO $$ BEGIN IF to_regtype('computed') IS NOT NULL THEN PERFORM twice FROM books; PERFORM twice FROM doubled;"
    " END IF; END $$",
    "DO $$ BEGIN IF to_regtype('counted') IS NOT NULL THEN SET LOCAL ROLE counter; PERFORM twice FROM books; END IF;"
    " END $$",
    "DO $$ BEGIN IF to_regclass('opened') IS NOT NULL THEN PERFORM is_open FROM opened; UPDATE tickets"
    " SET state = CAST('closed' AS state) WHERE id = 5 AND is_open; PERFORM 1 / count(*) FROM tickets"
    " WHERE id = 5 AND body = 'noted'; END IF; END $$",
    # What must not be: the old rules hold.
    *(
        f"DO $$ BEGIN {wrong}; RAISE 'let in'; EXCEPTION WHEN integrity_constraint_violation THEN NULL; END $$"
        for wrong in (
            "INSERT INTO books (id, title, pages) VALUES (2000, 'negative', -1)",
            "INSERT INTO books (id, title) VALUES (2000, 'title 1')",
            "INSERT INTO books (id, title) VALUES (1, 'twice')",
            "INSERT INTO books (id, title, author_id) VALUES (2000, 'nobody', 999)",
            "INSERT INTO tickets (state, body) VALUES ('closed', NULL)",
            "IF to_regtype('closes') IS NULL THEN RAISE unique_violation; END IF;"
            " UPDATE tickets SET mood = 'closed' WHERE id = 3",
            "IF to_regclass('events') IS NULL THEN RAISE unique_violation; END IF; INSERT INTO events VALUES (1, 1)",
        )
    ),
]
LARGER = 'op.alter_column("books", "pages", type_=sa.BigInteger())'
CREATE_VIEW = 'op.execute("CREATE VIEW long_books AS SELECT id, pages FROM books WHERE pages > 100")'
CHECK = 'op.create_check_constraint("ck_pages", "books", "pages >= 0")'
OTHER_STATES = """op.execute("DROP VIEW open_tickets")
    op.drop_constraint("ck_closed", "tickets", type_="check")
    op.drop_index("ix_open", "tickets")
    op.execute("ALTER TYPE state RENAME TO state_old")
    op.execute("CREATE TYPE state AS ENUM ('open', 'closed', 'new')")
    op.alter_column("tickets", "state", server_default=None)
    op.execute("ALTER TABLE tickets ALTER COLUMN state TYPE state USING state::text::state")
    op.execute("ALTER TABLE tickets ALTER COLUMN was TYPE state USING was::text::state")
    op.alter_column("tickets", "state", server_default="open")
    op.execute("DROP TYPE state_old")
    op.create_check_constraint("ck_closed", "tickets", "state <> 'closed'::state OR body IS NOT NULL")
    op.execute("CREATE VIEW open_tickets AS SELECT id, body FROM tickets WHERE state = 'open'::state")
    op.create_index("ix_open", "tickets", ["id"], postgresql_where=sa.text("state = 'open'"))"""

BY_BIND = OTHER_STATES.replace(
    """op.execute("CREATE TYPE state AS ENUM ('open', 'closed', 'new')")""",
    'sa.Enum("open", "closed", "new", name="state").create(op.get_bind(), checkfirst=True)',
).replace('op.execute("DROP TYPE state_old")', 'sa.Enum(name="state_old").drop(op.get_bind())')
RENAMED_AFTERWARDS = """op.execute("DROP VIEW open_moods")
    op.drop_constraint("ck_mood", "tickets", type_="check")
    op.alter_column("tickets", "mood", server_default=None)
    sa.Enum("draft", "open", name="mood_new").create(op.get_bind())
    op.execute("ALTER TABLE tickets ALTER COLUMN mood TYPE mood_new USING mood::text::mood_new")
    op.execute("DROP TYPE mood")
    op.execute("ALTER TYPE mood_new RENAME TO mood")
    op.alter_column("tickets", "mood", server_default="open")
    op.create_check_constraint("ck_mood", "tickets", "mood <> 'draft'::mood OR body IS NOT NULL")
    op.execute("CREATE VIEW open_moods AS SELECT id FROM tickets WHERE mood = 'open'::mood")"""
WITH_NOTHING_ELSE = """sa.Enum("draft", "open", name="mood_new").create(op.get_bind())
    op.execute("ALTER TABLE tickets ALTER COLUMN mood TYPE mood_new USING mood::text::mood_new")
    sa.Enum(name="mood").drop(op.get_bind())
    op.execute("ALTER TYPE mood_new RENAME TO mood")"""
NESTED_MOODS = MOODS + (
    "CREATE DOMAIN felt AS mood; CREATE TYPE pair AS (mood mood, felt felt);"
    "ALTER TABLE tickets ADD moods mood[], ADD felt felt, ADD pair pair;"
    "UPDATE tickets SET moods = '{open, NULL}', felt = 'open', pair = ('open', 'closed') WHERE id < 20;"
)
NESTED = """op.execute("ALTER TYPE mood RENAME TO mood_old")
    op.execute("ALTER DOMAIN felt RENAME TO felt_old")
    op.execute("ALTER TYPE pair RENAME TO pair_old")
    op.execute("CREATE TYPE mood AS ENUM ('open', 'closed')")
    op.execute("CREATE DOMAIN felt AS mood")
    op.execute("CREATE TYPE pair AS (mood mood, felt felt)")
    op.execute("ALTER TABLE tickets ALTER moods TYPE mood[] USING moods::text[]::mood[]")
    op.execute("ALTER TABLE tickets ALTER felt TYPE felt USING felt::text::felt")
    op.execute("ALTER TABLE tickets ALTER pair TYPE pair USING pair::text::pair")
    op.execute("ALTER TABLE tickets ALTER mood TYPE mood USING mood::text::mood")
    op.execute("DROP TYPE pair_old")
    op.execute("DROP DOMAIN felt_old")
    op.execute("DROP TYPE mood_old")"""


TO_IDENTITY = (
    'op.execute("ALTER TABLE tickets ALTER COLUMN id DROP DEFAULT")',
    'op.execute("DROP SEQUENCE tickets_id_seq")',
    'op.execute("ALTER TABLE tickets ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY")',
)
LAST_NUMBER = "SELECT setval(pg_get_serial_sequence('tickets', 'id'), (SELECT max(id) FROM tickets))"


def case(name: str, *lines: str) -> Case:
    """Only the way up: the way down is that of other tests."""
    return Case(name, "\n    ".join(lines), "pass", SHOP)


CASES = [
    case(
        "a column with a default in the place of another one",
        'op.add_column("authors", sa.Column("text", sa.Text()))',
        """op.execute("UPDATE authors SET text = name")""",
        'op.alter_column("authors", "text", nullable=False, server_default="none")',
        'op.drop_column("authors", "name")',
        'op.alter_column("authors", "text", new_column_name="name")',
    ),
    case(
        "a default",
        'op.alter_column("books", "pages", server_default=None)',
        LARGER,
        'op.alter_column("books", "pages", server_default="0")',
    ),
    case(
        "a default, by hand",
        'op.execute("ALTER TABLE books ALTER pages DROP DEFAULT")',
        'op.execute("ALTER TABLE books ALTER pages TYPE bigint")',
        'op.execute("ALTER TABLE books ALTER pages SET DEFAULT 0")',
    ),
    case(
        "a default, below a new column of that name in another table",
        'op.add_column("tickets", sa.Column("pages", sa.Integer))',
        'op.alter_column("books", "pages", server_default=None)',
        'op.alter_column("books", "pages", type_=sa.BigInteger(), server_default="0")',
    ),
    case(
        "not null, with its default",
        """op.execute("UPDATE tickets SET was = 'open'")""",
        'op.alter_column("tickets", "was", nullable=False, server_default="open", new_column_name="before")',
        """op.alter_column("tickets", "body", nullable=False, server_default=sa.literal_column("'none'"))""",
        'op.create_index("ix_before", "tickets", ["before"])',
    ),
    case(
        "not null, and its default below",
        """op.execute("UPDATE tickets SET was = 'open'")""",
        'op.alter_column("tickets", "was", nullable=False)',
        'op.create_index("ix_body", "tickets", ["body"])',
        'op.alter_column("tickets", "was", server_default="open")',
    ),
    case(
        "a view and a check",
        'op.execute("DROP VIEW long_books")',
        'op.drop_constraint("ck_pages", "books")',
        LARGER,
        CHECK,
        CREATE_VIEW,
    ),
    case(
        "after what is not to be committed alone",
        """op.execute("SET LOCAL lock_timeout = '5s'")""",
        """op.execute("SELECT setval(pg_get_serial_sequence('tickets', 'id'), 1000)")""",
        """op.execute("DO $$ BEGIN PERFORM 1; END $$")""",
        "with op.get_bind().begin_nested():",
        """    op.execute("UPDATE authors SET id = id WHERE id = 1")""",
        'op.execute("DROP VIEW long_books")',
        'op.alter_column("books", "pages", server_default=None)',
        LARGER,
        'op.alter_column("books", "pages", server_default="0")',
        CREATE_VIEW,
    ),
    case(
        "a check that is made again before the type, with others that get another name",
        'op.drop_constraint("ck_pages", "books")',
        'op.alter_column("books", "pages", server_default=None)',
        'op.create_index("ix_pages", "books", ["pages"])',
        CHECK,
        'op.execute("ALTER TABLE books RENAME CONSTRAINT books_pkey TO pk_books")',
        'op.execute("ALTER INDEX ix_pages RENAME TO by_pages")',
        'op.execute("ALTER TABLE books RENAME CONSTRAINT ck_pages TO ck_positive")',
        'op.alter_column("books", "pages", type_=sa.BigInteger(), server_default="0")',
    ),
    case(
        "what is said of a column before its type",
        'op.execute("DROP VIEW long_books")',
        'op.execute("GRANT SELECT (pages) ON books TO PUBLIC")',
        'op.alter_column("books", "pages", comment="of the book")',
        'op.execute("ALTER TABLE books ALTER pages SET STATISTICS 300, ADD CHECK (pages < 9999)")',
        'op.create_unique_constraint("uq_pages", "books", ["pages", "id"])',
        'op.alter_column("books", "pages", server_default=None)',
        'op.alter_column("books", "pages", type_=sa.BigInteger(), server_default="0")',
        CREATE_VIEW,
    ),
    case(
        "all of them, mixed",
        'op.drop_constraint("ck_pages", "books")',
        'op.drop_index("ix_author", "books")',
        'op.alter_column("books", "pages", server_default=None)',
        'op.execute("DROP VIEW long_books")',
        'op.alter_column("books", "author_id", nullable=False)',
        LARGER,
        CREATE_VIEW,
        'op.alter_column("books", "pages", server_default="0")',
        CHECK,
        'op.create_index("ix_author", "books", ["author_id", "id"])',
    ),
    case(
        "a free change",
        'op.execute("DROP VIEW long_books")',
        'op.alter_column("books", "Long Name", type_=sa.String(100))',
        CREATE_VIEW,
    ),
    case(
        "both sides of a foreign key",
        'op.drop_constraint("fk_author", "books")',
        'op.alter_column("books", "author_id", type_=sa.BigInteger())',
        'op.alter_column("authors", "id", type_=sa.BigInteger())',
        'op.create_foreign_key("fk_author", "books", "authors", ["author_id"], ["id"])',
    ),
    case("another enum", OTHER_STATES),
    case("another enum, by the connection", BY_BIND),
    Case("another enum, renamed afterwards", RENAMED_AFTERWARDS, "pass", MORE_MOODS),
    Case("another enum and nothing else", WITH_NOTHING_ELSE, "pass", MOODS),
    Case("another enum in arrays, a domain and a composite type", NESTED, "pass", NESTED_MOODS),
    case(
        "a column twice",
        'op.alter_column("books", "pages", server_default="0")',
        'op.alter_column("books", "title", type_=sa.String(90))',
        'op.alter_column("books", "title", type_=sa.String(80), postgresql_using="rtrim(title)")',
    ),
    case(
        "columns filled against the order of their names, and a new one",
        'op.alter_column("books", "pages", server_default=None)',
        'op.alter_column("books", "title", type_=sa.String(90))',
        LARGER,
        'op.alter_column("books", "author_id", type_=sa.BigInteger())',
        'op.add_column("books", sa.Column("code", sa.Float(), server_default=sa.text("random() * 0 + 1")))',
        'op.alter_column("books", "pages", server_default="0")',
    ),
    Case(
        "columns that share indexes",
        """op.alter_column("loans", "reader", server_default=None)
    op.execute("DROP VIEW long_loans")
    op.alter_column("loans", "book", type_=sa.BigInteger())
    op.alter_column("loans", "reader", type_=sa.BigInteger())
    op.alter_column("loans", "days", type_=sa.BigInteger())
    op.alter_column("loans", "reader", server_default="1")
    op.execute("CREATE VIEW long_loans AS SELECT book, reader FROM loans WHERE days > 30")""",
        "pass",
        SHARED,
    ),
    Case(
        "a key that goes, of a column that gets its type at once and of one that is exchanged",
        """op.alter_column("turns", "place", type_=sa.BigInteger())
    op.drop_constraint('uq "q" all', "turns", type_="unique")
    op.alter_column("turns", "kind", type_=sa.String(20))
    op.alter_column("turns", "n", type_=sa.Integer())
    op.create_unique_constraint("uq_turns", "turns", ["n", "kind", "place"])""",
        "pass",
        TURNS.replace("CREATE VIEW places AS SELECT place", "CREATE VIEW places AS SELECT id"),
    ),
    Case(
        "indexes that stay, of a column that gets its type at once and of one that is exchanged",
        """op.execute("DROP VIEW places")
    op.alter_column("turns", "kind", type_=sa.Text())
    op.alter_column("turns", "n", type_=sa.Integer())
    op.execute("CREATE VIEW places AS SELECT place FROM turns")""",
        "pass",
        TURNS,
    ),
    *(
        Case(
            f"a new foreign key, and below {words}",
            f"""op.execute("DROP VIEW long_loans")
    op.alter_column("loans", "book", type_=sa.BigInteger())
    op.create_foreign_key("fk_fines", "fines", "loans", ["book", "reader"], ["book", "reader"])
    {below}""",
            "pass",
            f"{SHARED}; ALTER TABLE fines DROP CONSTRAINT fines_book_reader_fkey; DROP STATISTICS st_loans",
        )
        for words, below in {
            "its table gets a name": 'op.rename_table("fines", "fees")',
            "its table gets a schema": 'op.execute("CREATE SCHEMA old; ALTER TABLE fines SET SCHEMA old")',
            "it gets a name": 'op.execute("ALTER TABLE fines RENAME CONSTRAINT fk_fines TO fk_fees")',
            "its column goes": 'op.drop_column("fines", "reader")',
        }.items()
    ),
    case(
        "a primary key",
        'op.drop_constraint("books_pkey", "books")',
        'op.create_primary_key("books_pkey", "books", ["id"])',
    ),
    case(
        "a unique constraint",
        'op.drop_constraint("uq_title", "books")',
        'op.create_unique_constraint("uq_title", "books", ["title", "author_id"])',
    ),
    case(
        "a unique constraint of another name, by hand",
        'op.execute("ALTER TABLE books DROP CONSTRAINT uq_title")',
        'op.execute("ALTER TABLE books ADD CONSTRAINT uq_other UNIQUE (title)")',
    ),
    case(
        "a foreign key",
        'op.drop_constraint("fk_author", "books")',
        'op.create_foreign_key("fk_author", "books", "authors", ["author_id"], ["id"], ondelete="CASCADE")',
    ),
    case(
        "a key under a foreign key",
        'op.drop_constraint("fk_author", "books")',
        'op.drop_constraint("authors_pkey", "authors")',
        'op.create_primary_key("authors_pkey", "authors", ["id"])',
        'op.create_foreign_key("fk_author", "books", "authors", ["author_id"], ["id"])',
    ),
    case(
        "keys that PostgreSQL names, one with all that refers to it",
        'op.execute("ALTER TABLE tickets DROP CONSTRAINT tickets_pkey CASCADE")',
        'op.execute("ALTER TABLE tickets ADD PRIMARY KEY (id, state)")',
        'op.execute("ALTER TABLE tickets ADD UNIQUE (id)")',
        'op.execute("ALTER TABLE answers ADD FOREIGN KEY (ticket) REFERENCES tickets (id) ON DELETE CASCADE")',
        'op.drop_constraint("answers_ticket_id_key", "answers")',
        'op.create_unique_constraint(None, "answers", ["ticket", "id"], deferrable=True)',
    ),
    case(
        "a key of another type under a foreign key",
        'op.drop_constraint("fk_author", "books")',
        'op.drop_constraint("authors_pkey", "authors")',
        'op.drop_constraint("books_pkey", "books")',
        'op.alter_column("authors", "id", type_=sa.BigInteger())',
        'op.alter_column("books", "author_id", type_=sa.BigInteger())',
        'op.alter_column("books", "id", type_=sa.BigInteger())',
        'op.create_primary_key("authors_pkey", "authors", ["id"])',
        'op.create_primary_key("books_pkey", "books", ["id"])',
        'op.create_foreign_key("fk_author", "books", "authors", ["author_id"], ["id"])',
    ),
    case(
        "a check",
        'op.drop_constraint("ck_pages", "books")',
        'op.create_check_constraint("ck_pages", "books", "pages > -1")',
    ),
    case(
        "a unique index",
        'op.drop_index("ux_title", "books")',
        'op.create_index("ux_title", "books", ["title"], unique=True)',
    ),
    case(
        "a unique index in the place of a key",
        'op.drop_constraint("books_pkey", "books")',
        'op.create_index("books_pkey", "books", ["id"], unique=True)',
    ),
    case(
        "a column in the place of another of its name, and its index",
        'op.drop_column("books", "Long Name")',
        'op.add_column("books", sa.Column("Long Name", sa.Integer(), nullable=False, server_default="1"))',
        'op.create_index("ix_name", "books", ["Long Name"])',
        """op.execute('ALTER TABLE authors DROP COLUMN name')""",
        """op.execute('ALTER TABLE authors ADD COLUMN name integer NOT NULL DEFAULT 2')""",
        'op.create_unique_constraint("uq_id_name", "authors", ["id", "name"])',
    ),
    case(
        "a unique index, by hand",
        'op.execute("DROP INDEX ux_title")',
        'op.execute("CREATE UNIQUE INDEX ux_title ON books (title)")',
    ),
]


COMPUTED = Case(
    "the type of what a generated column reads, line by line",
    """op.execute("DROP VIEW doubled")
    op.drop_column("books", "twice")
    op.create_index("ix_name", "authors", ["name"])
    op.alter_column("books", "pages", server_default=None)
    op.alter_column("books", "pages", type_=sa.BigInteger())
    op.execute("UPDATE authors SET name = name || '.'")
    op.add_column("books", sa.Column("twice", sa.BigInteger(), sa.Computed("pages * 2", persisted=True)))
    op.alter_column("books", "pages", server_default="0")
    op.execute("CREATE VIEW doubled AS SELECT id, twice FROM books")
    op.execute("GRANT SELECT (twice) ON books TO counter")""",
    "pass",
    f"{SHOP}; CREATE TYPE computed AS (a integer); ALTER TABLE books ADD twice integer GENERATED ALWAYS AS (pages * 2)"
    " STORED; CREATE VIEW doubled AS SELECT id, twice FROM books; CREATE TYPE counted AS (a integer);"
    " DO $$ BEGIN CREATE ROLE counter; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
    " GRANT SELECT (twice) ON books TO counter",
)
COMPUTED_NOW = Case(
    "plain columns are computed from now on, and what one of them reads gets another type",
    """op.execute("DROP VIEW doubled")
    op.drop_index("ix_twice", "books")
    op.drop_column("books", "twice")
    op.drop_column("books", "half")
    op.alter_column("books", "pages", type_=sa.BigInteger())
    op.add_column("books", sa.Column("twice", sa.BigInteger(), sa.Computed("pages * 2", persisted=True)))
    op.execute("ALTER TABLE books ADD COLUMN IF NOT EXISTS half bigint GENERATED ALWAYS AS (pages / 2) STORED")
    op.create_index("ix_twice", "books", ["twice"])
    op.execute("CREATE VIEW doubled AS SELECT id, twice FROM books")
    op.execute("ALTER TABLE authors DROP name, ADD COLUMN name text GENERATED ALWAYS AS ('a' || id) STORED")
    op.execute("ALTER TABLE events DROP COLUMN IF EXISTS next")
    op.execute("ALTER TABLE events ADD next integer GENERATED ALWAYS AS (id + 1) STORED")""",
    "pass",
    f"{EVENTS}; CREATE TYPE computed AS (a integer); ALTER TABLE books ADD twice integer, ADD half integer;"
    " ALTER TABLE events ADD next integer; UPDATE books SET twice = pages * 3;"
    " CREATE INDEX ix_twice ON books (twice); CREATE VIEW doubled AS SELECT id, twice FROM books",
)
NUMBERED = [
    case(
        "a new column is filled, NOT NULL, and only then an identity",
        'op.add_column("tickets", sa.Column("number", sa.BigInteger()))',
        'op.execute("UPDATE tickets SET number = id")',
        """op.execute("ALTER TABLE tickets ALTER number SET NOT NULL, ALTER number ADD GENERATED ALWAYS AS IDENTITY"
               " (START WITH 500 INCREMENT BY 10)")""",
        'op.add_column("tickets", sa.Column("place", sa.Integer()))',
        'op.execute("UPDATE tickets SET place = id")',
        'op.alter_column("tickets", "place", nullable=False)',
        'op.create_unique_constraint("uq_place", "tickets", ["place"])',
        'op.alter_column("tickets", "place", server_default=sa.Identity())',
        f"""op.execute("{LAST_NUMBER.replace("'id'", "'place'")}")""",
    ),
    case(
        "a serial becomes an identity, with work in between",
        *TO_IDENTITY[:2],
        'op.create_index("ix_body", "tickets", ["body"])',
        TO_IDENTITY[2],
        LARGER,
        'op.execute("UPDATE authors SET name = name")',
        f'op.execute("{LAST_NUMBER}")',
    ),
    case(
        "a column that no index begins with and that had no default becomes an identity",
        'op.alter_column("answers", "id", nullable=False)',
        'op.execute("ALTER TABLE answers ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY")',
        f'op.execute("{LAST_NUMBER.replace("tickets", "answers")}")',
    ),
    Case(
        "a column that no index begins with and that had another default becomes an identity, and gets another type",
        f"""op.alter_column("answers", "id", server_default=None)
    op.alter_column("answers", "id", type_=sa.BigInteger())
    op.execute("ALTER TABLE answers ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY")
    op.execute("{LAST_NUMBER.replace("tickets", "answers")}")
    op.alter_column("events", "day", server_default=None)
    op.execute("ALTER TABLE events ALTER COLUMN day ADD GENERATED BY DEFAULT AS IDENTITY")
    op.execute("SELECT setval(pg_get_serial_sequence('events', 'day'), max(day)) FROM events HAVING max(day) >= 1")""",
        "pass",
        f"{EVENTS}; ALTER TABLE answers ALTER id SET NOT NULL, ALTER id SET DEFAULT 7;"
        "ALTER TABLE events ALTER day SET NOT NULL, ALTER day SET DEFAULT 7",
    ),
    case(
        "a serial becomes an identity, by operations and the connection",
        'op.execute("DROP SEQUENCE tickets_id_seq CASCADE")',
        'op.alter_column("tickets", "id", server_default=sa.Identity())',
        f'op.get_bind().execute(sa.text("{LAST_NUMBER}"))',
    ),
    case(
        "a serial becomes an identity, by expressions and parameters",
        *TO_IDENTITY,
        'op.execute(sa.select(sa.func.setval("tickets_id_seq", 60)))',
        'op.get_bind().execute(sa.select(sa.func.setval(sa.func.pg_get_serial_sequence("tickets", "id"), 60)))',
        """op.get_bind().execute(sa.text("SELECT setval('tickets_id_seq', :last)"), {"last": 60})""",
        LARGER,
    ),
    case(
        "a serial becomes an identity of another type, and a number is written out",
        TO_IDENTITY[0],
        TO_IDENTITY[1],
        TO_IDENTITY[2],
        """op.execute("SELECT setval('public.tickets_id_seq', 60, true)")""",
        'op.alter_column("tickets", "id", type_=sa.BigInteger())',
    ),
    Case(
        "an identity of another type becomes a serial",
        """op.execute("ALTER TABLE tickets ALTER COLUMN id DROP IDENTITY")
    op.execute("CREATE SEQUENCE tickets_id_seq OWNED BY tickets.id")
    op.execute("ALTER TABLE tickets ALTER COLUMN id SET DEFAULT nextval('tickets_id_seq')")
    op.execute("SELECT setval('tickets_id_seq', (SELECT max(id) FROM tickets))")
    op.alter_column("tickets", "id", type_=sa.BigInteger())""",
        "pass",
        f"{SHOP}; ALTER TABLE tickets ALTER id DROP DEFAULT; DROP SEQUENCE tickets_id_seq;"
        f"ALTER TABLE tickets ALTER id ADD GENERATED BY DEFAULT AS IDENTITY; {LAST_NUMBER}",
    ),
]
NEW_PARTITION = Case(
    "a partition, then what all of them have",
    """op.execute("CREATE TABLE events_3 PARTITION OF events FOR VALUES FROM (99) TO (200)")
    op.execute("CREATE TABLE more_authors () INHERITS (authors)")
    op.alter_column("authors", "name", type_=sa.Text(), nullable=False)
    op.execute("COMMENT ON COLUMN events_1.day IS 'of the first'")
    op.execute("ALTER TABLE events_2 ALTER day SET STATISTICS 300")
    op.alter_column("events", "day", type_=sa.BigInteger(), server_default="1")""",
    "pass",
    EVENTS,
)
KEYS = [
    case(
        "a foreign key and a check that are replaced twice",
        'op.drop_constraint("answers_ticket_fkey", "answers")',
        'op.create_foreign_key("answers_ticket_fkey", "answers", "tickets", ["ticket"], ["id"])',
        'op.drop_constraint("answers_ticket_fkey", "answers")',
        'op.create_foreign_key(None, "answers", "tickets", ["ticket"], ["id"], ondelete="SET NULL")',
        'op.drop_constraint("ck_pages", "books")',
        'op.create_check_constraint("ck_pages", "books", "pages > -1")',
        'op.drop_constraint("ck_pages", "books")',
        CHECK,
    ),
    case(
        "keys, with a foreign key to one, that are replaced before other columns get other types",
        'op.drop_constraint("uq_title", "books")',
        'op.create_unique_constraint("uq_title", "books", ["title", "pages"])',
        'op.drop_constraint("fk_author", "books")',
        'op.drop_constraint("authors_pkey", "authors")',
        'op.create_primary_key("authors_pkey", "authors", ["id"])',
        'op.create_foreign_key("fk_author", "books", "authors", ["author_id"], ["id"])',
        'op.alter_column("authors", "name", type_=sa.String(90))',
        'op.alter_column("books", "pages", server_default=None)',
        'op.alter_column("books", "pages", type_=sa.BigInteger(), server_default="0")',
    ),
    case(
        "a key over a column that is rebuilt, and was nullable",
        'op.drop_constraint("books_pkey", "books")',
        'op.alter_column("books", "author_id", type_=sa.BigInteger())',
        'op.create_primary_key("books_pkey", "books", ["id", "author_id"])',
    ),
    Case(
        "a key of a partitioned table",
        """op.drop_constraint("fk_event", "visits")
    op.drop_constraint("pk_events", "events")
    op.create_primary_key("pk_events", "events", ["id"])
    op.create_foreign_key("fk_event", "visits", "events", ["event"], ["id"])""",
        "pass",
        EVENTS,
    ),
    Case(
        "a key of a partitioned table, over a column that is rebuilt",
        """op.drop_constraint("fk_event", "visits")
    op.drop_constraint("pk_events", "events")
    op.alter_column("events", "day", type_=sa.BigInteger(), nullable=False)
    op.create_primary_key("pk_events", "events", ["id", "day"])""",
        "pass",
        EVENTS,
    ),
]
ENUMS = [
    Case(
        "another enum, its indexes before the view",
        OTHER_STATES.rpartition("\n    op.create_index")[0].replace(
            "op.create_check",
            """op.create_index("ix_open", "tickets", ["id"], postgresql_where=sa.text("state = 'open'"))
    op.create_check""",
        )
        + """\n    op.execute("COMMENT ON INDEX ix_open IS 'those that are open'")""",
        "pass",
        SHOP,
    ),
    Case(
        "another enum, renamed afterwards, with an index on a label",
        """op.drop_index("ix_mood", "tickets")
    op.execute("CREATE TYPE mood_new AS ENUM ('draft', 'open')")
    op.execute("ALTER TABLE tickets ALTER COLUMN mood TYPE mood_new USING mood::text::mood_new")
    op.execute("DROP TYPE mood")
    op.execute("ALTER TYPE mood_new RENAME TO mood")
    op.create_index("ix_mood", "tickets", ["id"], postgresql_where=sa.text("mood = 'open'"))""",
        "pass",
        MOODS + "CREATE INDEX ix_mood ON tickets (id) WHERE mood = 'open';",
    ),
    Case(
        "another enum, with a unique index on a label",
        """op.drop_index("ux_mood", "tickets")
    op.execute("ALTER TYPE mood RENAME TO mood_old")
    op.execute("CREATE TYPE mood AS ENUM ('draft', 'open', 'closed', 'new')")
    op.execute("ALTER TABLE tickets ALTER mood TYPE mood USING mood::text::mood")
    op.execute("DROP TYPE mood_old")
    op.create_index("ux_mood", "tickets", ["mood"], unique=True, postgresql_where=sa.text("mood = 'closed'::mood"))""",
        "pass",
        CLOSES,
    ),
    Case(
        "another enum, renamed afterwards, with a unique index by hand",
        """op.drop_index("ux_mood", "tickets")
    op.execute("CREATE TYPE mood_new AS ENUM ('draft', 'open', 'closed', 'new')")
    op.execute("ALTER TABLE tickets ALTER mood TYPE mood_new USING mood::text::mood_new")
    op.execute("DROP TYPE mood")
    op.execute("ALTER TYPE mood_new RENAME TO mood")
    op.execute("CREATE UNIQUE INDEX ux_mood ON tickets (mood) WHERE mood = 'closed'::mood")""",
        "pass",
        CLOSES,
    ),
    Case(
        "an index over another type in the place of a key",
        """op.drop_constraint("uq_three", "tickets")
    op.alter_column("tickets", "number", type_=sa.BigInteger())
    op.create_index("uq_three", "tickets", ["number"], unique=True)""",
        "pass",
        f"{SHOP}; ALTER TABLE tickets ADD number int CONSTRAINT uq_three UNIQUE",
    ),
    Case(
        "another enum, of a column beside the old one",
        """op.execute("CREATE TYPE mood_new AS ENUM ('draft', 'open')")
    op.execute("ALTER TABLE tickets ADD COLUMN next mood_new")
    op.execute("UPDATE tickets SET next = mood::text::mood_new")
    op.drop_column("tickets", "mood")
    op.execute("DROP TYPE mood")
    op.alter_column("tickets", "next", new_column_name="mood")
    op.execute("ALTER TYPE mood_new RENAME TO mood")""",
        "pass",
        MOODS,
    ),
    Case(
        "another enum, whose name has a dot",
        """op.execute('ALTER TYPE "mood.v4" RENAME TO "mood.v4_old"')
    op.execute("CREATE TYPE \\"mood.v4\\" AS ENUM ('open')")
    op.execute('ALTER TABLE tickets ALTER mood TYPE "mood.v4" USING mood::text::"mood.v4"')
    op.execute('DROP TYPE "mood.v4_old"')""",
        "pass",
        f"""{SHOP}; CREATE TYPE "mood.v4" AS ENUM ('open', 'closed'); ALTER TABLE tickets ADD mood "mood.v4";
        UPDATE tickets SET mood = 'open'""",
    ),
    Case(
        "another enum, filled before the old one goes, though another schema has one of that name",
        """op.execute("ALTER TYPE mood RENAME TO mood_old")
    op.execute("CREATE TYPE mood AS ENUM ('draft', 'open', 'shut')")
    op.execute("ALTER TABLE tickets ALTER mood TYPE mood USING mood::text::mood")
    op.execute("UPDATE tickets SET mood = 'shut' WHERE mood = 'draft'")
    op.execute("DROP TYPE mood_old")""",
        "pass",
        MOODS
        + """
        CREATE SCHEMA tenant; CREATE TYPE tenant.mood AS ENUM ('draft');
        CREATE TABLE tenant.moods (mood tenant.mood); CREATE TABLE tenant.tickets (mood tenant.mood);
        """,
    ),
]
LABELS_BY_TEXT = """op.alter_column("tickets", "state", server_default=None)
    op.execute("DROP VIEW open_tickets")
    op.drop_constraint("ck_closed", "tickets", type_="check")
    op.drop_index("ix_open", "tickets")
    op.alter_column("tickets", "state", type_=sa.Text(), postgresql_using="state::text")
    op.execute("ALTER TABLE tickets ALTER was TYPE varchar(20) USING was::text")
    op.execute("DROP TYPE state")
    op.execute("CREATE TYPE state AS ENUM ('open', 'closed', 'new')")
    op.execute("UPDATE tickets SET state = 'new' WHERE state = 'draft' AND id < 40")
    op.execute("UPDATE tickets SET was = upper(tickets.was)")
    op.execute("UPDATE tickets AS t SET state = CASE WHEN t.state IN ('new', 'draft') THEN 'new' ELSE state END")
    op.execute("ALTER TABLE tickets ALTER was TYPE state USING lower(was)::state")
    op.alter_column("tickets", "state", type_=sa.Enum(name="state"), postgresql_using="state::state")
    op.alter_column("tickets", "state", server_default="open")
    op.create_check_constraint("ck_closed", "tickets", "state <> 'closed'::state OR body IS NOT NULL")
    op.execute("CREATE VIEW open_tickets AS SELECT id, body FROM tickets WHERE state = 'open'::state")"""
DRAFTS = SHOP + ("UPDATE tickets SET state = 'draft', was = 'open' WHERE id % 3 = 0;")
DRAFT_NOTES = DRAFTS + (
    "CREATE TABLE notes (id integer PRIMARY KEY, states state[] NOT NULL DEFAULT '{draft}');"
    "INSERT INTO notes SELECT i, '{open,draft}' FROM generate_series(1, 30) i;"
)
BY_TEXT = [
    Case("a label goes by way of text", LABELS_BY_TEXT, "pass", DRAFTS),
    Case(
        "a label goes by way of text, of two tables and in a batch",
        """from sqlalchemy.dialects import postgresql
    kind = postgresql.ENUM("open", "closed", "new", name="state")
    label = "draft"
    op.execute("DROP VIEW open_tickets")
    op.drop_constraint("ck_closed", "tickets", type_="check")
    op.drop_index("ix_open", "tickets")
    with op.batch_alter_table("tickets") as batch:
        batch.alter_column("state", type_=sa.String(length=20), server_default=None)
        batch.alter_column("was", type_=sa.String(length=20))
    op.execute("ALTER TABLE notes ALTER states DROP DEFAULT, ALTER states TYPE text[] USING states::text[]")
    sa.Enum(name="state").drop(op.get_bind())
    kind.create(op.get_bind())
    op.execute(f"UPDATE tickets SET state = 'new' WHERE state = '{label}'")
    op.execute(f"UPDATE notes SET states = array_replace(states, '{label}', 'new')")
    op.execute("ALTER TABLE notes ALTER states TYPE state[] USING states::state[], ALTER states SET DEFAULT '{new}'")
    with op.batch_alter_table("tickets") as batch:
        batch.alter_column("state", type_=kind, server_default="open", postgresql_using="state::state")
        batch.alter_column("was", type_=kind, postgresql_using="was::state")
    op.create_check_constraint("ck_closed", "tickets", "state <> 'closed'::state OR body IS NOT NULL")
    op.execute("CREATE VIEW open_tickets AS SELECT id, body FROM tickets WHERE state = 'open'::state")""",
        "pass",
        DRAFT_NOTES,
    ),
    Case(
        "an enum for a while",
        """op.execute("CREATE TYPE state_tmp AS ENUM ('draft', 'open', 'closed', 'shut')")
    op.execute("ALTER TABLE tickets ALTER COLUMN was TYPE state_tmp USING was::text::state_tmp")
    op.execute("UPDATE tickets SET was = 'shut' WHERE was = 'closed'")
    op.execute("DROP VIEW open_tickets")
    op.drop_constraint("ck_closed", "tickets")
    op.drop_index("ix_open", "tickets")
    op.execute("ALTER TABLE tickets ALTER state DROP DEFAULT, ALTER state TYPE text")
    op.execute("DROP TYPE state")
    op.execute("CREATE TYPE state AS ENUM ('open', 'closed', 'draft', 'shut')")
    op.execute("ALTER TABLE tickets ALTER was TYPE state USING was::text::state")
    op.execute("ALTER TABLE tickets ALTER state TYPE state USING state::state, ALTER state SET DEFAULT 'open'")
    op.execute("DROP TYPE state_tmp")
    op.create_check_constraint("ck_closed", "tickets", "state <> 'closed'::state OR body IS NOT NULL")
    op.execute("CREATE VIEW open_tickets AS SELECT id, body FROM tickets WHERE state = 'open'::state")""",
        "pass",
        DRAFTS,
    ),
    case(
        "several actions in one statement",
        'op.execute("DROP VIEW long_books")',
        'op.execute("ALTER TABLE books ALTER pages DROP DEFAULT, ALTER pages SET NOT NULL, DROP CONSTRAINT ck_pages,'
        " ADD CONSTRAINT ck_pages CHECK (pages > -1), ALTER pages TYPE bigint, ALTER pages SET DEFAULT 0,"
        ' ADD COLUMN code integer, ADD UNIQUE (pages, id)")',
        CREATE_VIEW,
    ),
]
OF_ENUM = Case(
    "another enum, with what is computed of it, a policy, a trigger and views",
    """op.execute("DROP POLICY shown ON tickets")
    op.execute("DROP TRIGGER closing ON tickets")
    op.execute("DROP VIEW opened")
    op.execute("DROP VIEW open_tickets")
    op.drop_index("ix_is_open", "tickets")
    op.drop_index("ix_open", "tickets")
    op.drop_constraint("ck_closed", "tickets", type_="check")
    op.drop_column("tickets", "is_open")
    op.execute("ALTER TYPE state RENAME TO state_old")
    op.execute("CREATE TYPE state AS ENUM ('open', 'closed', 'new')")
    op.alter_column("tickets", "state", server_default=None)
    op.alter_column("tickets", "state", type_=sa.Enum(name="state"), postgresql_using="state::text::state",
                    server_default="open")
    op.execute("ALTER TABLE tickets ALTER was TYPE state USING was::text::state")
    op.execute("DROP TYPE state_old")
    op.add_column("tickets", sa.Column("is_open", sa.Boolean(), sa.Computed("state = 'open'::state", persisted=True)))
    op.create_check_constraint("ck_closed", "tickets", "state <> 'closed'::state OR body IS NOT NULL")
    op.create_index("ix_is_open", "tickets", ["is_open"])
    op.create_index("ix_open", "tickets", ["id"], postgresql_where=sa.text("state = 'open'"))
    op.execute("CREATE VIEW open_tickets AS SELECT id, body FROM tickets WHERE state = 'open'::state")
    op.execute("CREATE VIEW opened AS SELECT id, is_open FROM tickets")
    op.execute("CREATE TRIGGER closing BEFORE UPDATE OF state ON tickets FOR EACH ROW WHEN (NEW.state = 'closed')"
               " EXECUTE FUNCTION noted()")
    op.execute("CREATE POLICY shown ON tickets USING (state <> 'closed'::state)")""",
    "pass",
    f"""{SHOP}; ALTER TABLE tickets ADD is_open boolean GENERATED ALWAYS AS (state = 'open'::state) STORED;
    CREATE INDEX ix_is_open ON tickets (is_open);
    CREATE VIEW opened AS SELECT id, is_open FROM tickets;
    CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.body := 'noted'; RETURN NEW; END $$;
    CREATE TRIGGER closing BEFORE UPDATE OF state ON tickets FOR EACH ROW WHEN (NEW.state = 'closed')
        EXECUTE FUNCTION noted();
    CREATE POLICY shown ON tickets USING (state <> 'closed'::state); ALTER TABLE tickets ENABLE ROW LEVEL SECURITY""",
)

INTERRUPTED = (
    "a default",
    "not null, with its default",
    "a unique index in the place of a key",
    "a key under a foreign key",
    NUMBERED[0].name,
    NUMBERED[2].name,
)
LONG = (
    "a key of another type under a foreign key",
    "another enum",
    "another enum, by the connection",
    "another enum, renamed afterwards",
    "another enum in arrays, a domain and a composite type",
    "columns that share indexes",
)
ROWS_BETWEEN = Case(
    "rows are changed in between",
    f"""op.execute("DROP VIEW long_books")
    op.alter_column("books", "pages", server_default=None)
    op.execute("UPDATE authors SET id = id")
    op.create_check_constraint("ck_id", "books", "id > 0")
    op.alter_column("books", "pages", server_default="0")
    {CREATE_VIEW}""",
    "pass",
    f"{SHOP}; CREATE TABLE fans (author integer REFERENCES authors ON DELETE CASCADE)",
)
COMMITS_BETWEEN = case(
    "the revision reads, writes and commits in between",
    'op.execute("DROP VIEW long_books")',
    'op.alter_column("books", "pages", server_default=None)',
    'for (book,) in op.get_bind().execute(sa.text("SELECT id FROM books WHERE id < 3")).all():',
    """    op.get_bind().execute(sa.text("UPDATE books SET author_id = 2 WHERE id = :book"), {"book": book})""",
    "op.get_bind().commit()",
    "op.get_bind().rollback()",
    'op.execute("COMMIT")',
    'kinds = op.create_table("kinds", sa.Column("id", sa.Integer(), primary_key=True))',
    'op.bulk_insert(kinds, [{"id": 1}])',
    'sa.inspect(op.get_bind()).get_columns("authors")',
    'op.add_column("authors", sa.Column("kind", sa.Integer(), sa.ForeignKey("kinds.id", name="fk_kind")))',
    'op.execute("UPDATE authors SET kind = 1")',
    "with op.get_context().autocommit_block():",
    '    op.execute("CREATE INDEX CONCURRENTLY ix_pages ON books (pages)")',
    LARGER,
    'op.alter_column("books", "pages", server_default="0")',
    CREATE_VIEW,
)
KEEPS_RULES = Case(
    "rules that the rows in between keep",
    """op.execute("REVOKE SELECT ON books FROM reader")
    op.execute("DROP FUNCTION shown(integer)")
    op.drop_constraint("uq_title", "books")
    op.drop_constraint("fk_author", "books")
    op.drop_index("ux_title", "books")
    op.execute("UPDATE books SET pages = pages + 1 WHERE title <> 'title 9'")
    op.create_foreign_key("fk_author", "books", "authors", ["author_id"], ["id"], ondelete="CASCADE")
    op.create_unique_constraint("uq_title", "books", ["title"])
    op.create_index("ux_title", "books", ["title"], unique=True)
    op.execute("CREATE FUNCTION shown(integer) RETURNS boolean LANGUAGE sql RETURN $1 > 1")
    op.execute("GRANT SELECT ON books TO reader")""",
    "pass",
    SHOP
    + """
    CREATE FUNCTION shown(integer) RETURNS boolean LANGUAGE sql RETURN true;
    DO $$ BEGIN CREATE ROLE reader; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
    GRANT SELECT ON books TO reader;
    """,
)
TYPE_BETWEEN = Case(
    "another enum, and rows of another table in between",
    """op.execute("ALTER TYPE mood RENAME TO mood_old")
    op.execute("CREATE TYPE mood AS ENUM ('draft', 'open')")
    op.execute("UPDATE authors SET name = name")
    op.execute("ALTER TABLE tickets ALTER mood TYPE mood USING mood::text::mood")
    op.execute("DROP TYPE mood_old")""",
    "pass",
    MOODS,
)
NULL_BETWEEN = case(
    "NOT NULL is taken away and set again, rows of other columns in between",
    'op.alter_column("books", "pages", nullable=True)',
    'op.execute("UPDATE books SET title = title")',
    'op.alter_column("books", "pages", nullable=False)',
    'op.execute("UPDATE books SET title = title")',
)
DELETED_BETWEEN = Case(
    "another enum, and rows changed in between of a table with a trigger of another event or column",
    """op.execute("ALTER TYPE mood RENAME TO mood_old")
    op.execute("CREATE TYPE mood AS ENUM ('draft', 'open')")
    op.execute("DELETE FROM notes WHERE id = 3")
    op.execute("UPDATE notes SET body = 'other' WHERE id = 4")
    op.execute("ALTER TABLE tickets ALTER mood TYPE mood USING mood::text::mood")
    op.execute("DROP TYPE mood_old")""",
    "pass",
    MOODS
    + """
    CREATE TABLE notes (id integer PRIMARY KEY, body text);
    INSERT INTO notes SELECT generate_series(1, 9);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
    CREATE TRIGGER noting BEFORE UPDATE OF id ON notes FOR EACH ROW EXECUTE FUNCTION note();
    """,
)
GUARDED = Case(
    "row security is off, and a policy gone, for rows of who is above it",
    """op.execute("ALTER TABLE shelves NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY")
    op.execute("DROP POLICY first ON shelves")
    op.execute("UPDATE shelves SET room = room + 1")
    op.create_index("ix_room", "shelves", ["room"])
    op.execute("CREATE POLICY first ON shelves USING (id < 10)")
    op.execute("ALTER TABLE shelves ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")""",
    "pass",
    SHOP
    + """
    DO $$ BEGIN CREATE ROLE reader; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
    CREATE TABLE shelves (id integer PRIMARY KEY, room integer);
    INSERT INTO shelves SELECT i, i FROM generate_series(1, 30) i;
    CREATE POLICY first ON shelves USING (id < 10); GRANT SELECT ON shelves TO reader;
    ALTER TABLE shelves ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
    """,
)
RULES_OF_PARTS = Case(
    "rules of a partition, a child and the table under a view are gone while rows in between break them",
    f"""op.execute("DROP VIEW long_books")
    op.drop_constraint("ck_day", "events_2")
    op.drop_constraint("ck_name", "authors")
    op.drop_constraint("ck_id", "poets")
    op.execute("UPDATE events SET day = 2000 WHERE id > 60")
    op.execute("UPDATE people SET called = 'nobody'")
    op.execute("UPDATE authors SET id = 1000 WHERE id = 500")
    {LARGER}
    {CREATE_VIEW}
    op.create_check_constraint("ck_day", "events_2", "day < 3000")
    op.create_check_constraint("ck_id", "poets", "id < 2000")""",
    "pass",
    EVENTS
    + """
    ALTER TABLE events_2 ADD CONSTRAINT ck_day CHECK (day < 1000);
    ALTER TABLE authors ADD CONSTRAINT ck_name CHECK (name <> 'nobody');
    CREATE TABLE poets (CONSTRAINT ck_id CHECK (id < 1000)) INHERITS (authors);
    INSERT INTO poets VALUES (500, 'poet');
    CREATE VIEW people AS SELECT id, name AS called FROM authors WHERE id < 400;
    """,
)
ELEMENT_BETWEEN = Case(
    "elements of a column that a rule is about are changed in between",
    f"""op.execute("DROP VIEW long_books")
    op.drop_constraint("ck_tags", "books")
    op.execute("UPDATE books SET title = title, tags[1] = 9, pages = 5 WHERE id = 5")
    {LARGER}
    {CREATE_VIEW}
    op.create_check_constraint("ck_tags", "books", "tags[1] < 10")""",
    "pass",
    f"{SHOP}; ALTER TABLE books ADD tags integer[], ADD CONSTRAINT ck_tags CHECK (tags[1] < 5)",
)
KEYS_BETWEEN = case(
    "a view is gone while a foreign key is replaced twice",
    'op.execute("DROP VIEW long_books")',
    """for rule in ("CASCADE", "SET NULL"):
        op.drop_constraint("fk_author", "books")
        op.create_foreign_key("fk_author", "books", "authors", ["author_id"], ["id"], ondelete=rule)""",
    CREATE_VIEW,
)
KEY_BROKEN = Case(
    "a view is gone while rows break a key that is gone",
    f"""op.execute("DROP VIEW long_books")
    op.drop_constraint("uq_name", "authors")
    op.execute("UPDATE authors SET name = 'the same'")
    {LARGER}
    {CREATE_VIEW}""",
    "pass",
    f"{SHOP}; ALTER TABLE authors ADD CONSTRAINT uq_name UNIQUE (name)",
)
COLUMN_BETWEEN = Case(
    "a computed column and a view come back, and rows are changed in between of a table that loses a column",
    f"""op.execute("DROP VIEW long_books")
    op.drop_column("books", "twice")
    op.drop_column("rooms", "floor")
    op.execute("UPDATE rooms SET size = size - 1")
    {LARGER}
    op.add_column("books", sa.Column("twice", sa.BigInteger(), sa.Computed("pages * 2", persisted=True)))
    {CREATE_VIEW}""",
    "pass",
    f"{SHOP}; CREATE TABLE rooms (id integer PRIMARY KEY, size integer, floor integer);"
    "INSERT INTO rooms SELECT i, i, i FROM generate_series(1, 40) i; CREATE TYPE counted AS (a integer);"
    "ALTER TABLE books ADD twice integer GENERATED ALWAYS AS (pages * 2) STORED;"
    " DO $$ BEGIN CREATE ROLE counter; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
    "GRANT SELECT ON books TO counter",
)
ROWS_IN_BETWEEN = [
    TYPE_BETWEEN,
    ROWS_BETWEEN,
    COMMITS_BETWEEN,
    KEEPS_RULES,
    NULL_BETWEEN,
    DELETED_BETWEEN,
    GUARDED,
    RULES_OF_PARTS,
    ELEMENT_BETWEEN,
    KEYS_BETWEEN,
    KEY_BROKEN,
    COLUMN_BETWEEN,
]

# Clients would miss something for as long as these run: by what the refusal says.
REFUSED = {
    "the trigger noting of tickets in line 11 and makes it again in line 13": (
        'op.execute("DROP TRIGGER noting ON tickets")',
        """op.execute("UPDATE tickets SET body = body || '.'")""",
        'op.execute("CREATE TRIGGER noting BEFORE UPDATE ON tickets FOR EACH ROW EXECUTE FUNCTION note()")',
    ),
    "switches trigger noting of tickets off in line 11 and on again in line 13": (
        'op.execute("ALTER TABLE tickets DISABLE TRIGGER noting")',
        """op.execute("UPDATE tickets SET body = body || '.'")""",
        'op.execute("ALTER TABLE tickets ENABLE TRIGGER noting")',
    ),
    "the trigger noting of events_2 in line 11 and makes it again in line 13": (
        'op.execute("DROP TRIGGER noting ON events_2")',
        'op.execute("UPDATE events SET day = day + 1")',
        'op.execute("CREATE TRIGGER noting BEFORE UPDATE ON events_2 FOR EACH ROW EXECUTE FUNCTION note()")',
    ),
    "the trigger noting of tickets in line 12 and makes it again in line 14": (
        "",
        'op.execute("DROP TRIGGER noting ON tickets")',
        """op.execute("UPDATE open_tickets SET body = body || '.'")""",
        'op.execute("CREATE TRIGGER noting BEFORE UPDATE ON tickets FOR EACH ROW EXECUTE FUNCTION note()")',
    ),
    "the default pages of books in line 11 and makes it again in line 13": (
        'op.alter_column("books", "pages", server_default=None)',
        """op.execute("INSERT INTO titles (id, name) VALUES (1000, 'x')")""",
        'op.alter_column("books", "pages", server_default="5")',
    ),
    "the view long_books in line 11 and makes it again in line 14": (
        'op.execute("DROP VIEW long_books")',
        'op.execute("DO $$ BEGIN PERFORM 1; END $$")',
        'op.create_index("ix_pages", "books", ["pages"])',
        CREATE_VIEW,
    ),
    "the view long_books in line 11 and makes it again in line 14: line 13, between them": (
        'op.execute("DROP VIEW long_books")',
        LARGER,
        'op.execute("SAVEPOINT before_it")',
        CREATE_VIEW,
        'op.execute("RELEASE SAVEPOINT before_it")',
    ),
    "tickets.was another type in line 12, and only line 14 makes state again": (
        """op.execute("CREATE TYPE state_tmp AS ENUM ('draft', 'open', 'closed', 'shut')")""",
        'op.execute("ALTER TABLE tickets ALTER COLUMN was TYPE state_tmp USING was::text::state_tmp")',
        """op.execute("UPDATE tickets SET was = 'shut' WHERE was = 'closed'")""",
        """op.execute("ALTER TYPE state_tmp RENAME TO state")""",
    ),
    "the column body of tickets in line 11, and line 12 makes it again in steps": (
        'op.drop_column("tickets", "body")',
        """op.add_column("tickets", sa.Column("body", sa.Text(), server_default=sa.text("gen_random_uuid()::text")))""",
    ),
    "tickets.id by another sequence in line 13, and says in line 15 where that goes on: line 14 would": (
        *TO_IDENTITY,
        'last = op.get_bind().scalar(sa.text("SELECT max(id) FROM tickets"))',
        """op.execute(f"SELECT setval('tickets_id_seq', {last})")""",
    ),
    "another sequence in line 13, and says in line 14 where that goes on: line 14 would": (
        *TO_IDENTITY,
        'last = op.get_bind().scalar(sa.select(sa.func.setval("tickets_id_seq", 60)))',
    ),
    "says in line 14 where that goes on: line 14 would": (
        *TO_IDENTITY,
        f'op.execute("DO $$ BEGIN PERFORM {LAST_NUMBER[7:]}; END $$")',
    ),
    "the column twice of authors in line 11 and makes it again in line 14: line 13, between": (
        'op.drop_column("authors", "twice")',
        'op.alter_column("authors", "id", type_=sa.BigInteger())',
        'op.execute("UPDATE authors SET name = twice::text")',
        'op.add_column("authors", sa.Column("twice", sa.BigInteger(), sa.Computed("id * 2", persisted=True)))',
    ),
    "gives the name of the type state to another one, from line 11 on: line 14 would have that": (
        'op.execute("ALTER TYPE state RENAME TO state_old")',
        """op.execute("CREATE TYPE state AS ENUM ('draft', 'open', 'closed', 'shut')")""",
        'op.execute("UPDATE tickets SET body = body")',
        'op.execute("ALTER TABLE tickets ALTER COLUMN was TYPE state USING was::text::state")',
        'op.execute("DROP TYPE state_old")',
    ),
    "that know state would fail.\nLeave state its name at first: CREATE TYPE state_new": (
        'op.execute("ALTER TYPE state RENAME TO state_old")',
        """op.execute("CREATE TYPE state AS ENUM ('draft', 'open', 'closed', 'shut')")""",
        'op.execute("ALTER TABLE tickets ADD COLUMN next state")',
        'op.execute("UPDATE tickets SET next = was::text::state")',
        'op.drop_column("tickets", "was")',
        'op.alter_column("tickets", "next", new_column_name="was")',
    ),
    "the name tickets to a new table": (
        'op.rename_table("tickets", "old_tickets")',
        'op.execute("CREATE TABLE tickets (LIKE old_tickets)")',
        'op.execute("INSERT INTO tickets SELECT * FROM old_tickets")',
    ),
}

# The index needs the new column in its place: the keys replace nothing, nor do they for who goes on after that.
KEYS_AFTER_SWAP = case(
    "keys come after a swap",
    'op.drop_constraint("books_pkey", "books")',
    'op.alter_column("books", "id", type_=sa.BigInteger())',
    'op.create_index("ix_pages", "books", ["pages", "id"])',
    'op.create_primary_key("books_pkey", "books", ["id"])',
    'op.drop_constraint("fk_author", "books")',
    'op.create_foreign_key("fk_author", "books", "authors", ["author_id"], ["id"])',
    'op.create_unique_constraint("uq_name", "authors", ["name"])',
)


@pytest.mark.parametrize(
    "change",
    # Of each kind some always.
    [
        param
        for kind in (
            CASES,
            ROWS_IN_BETWEEN,
            NUMBERED,
            KEYS,
            ENUMS,
            BY_TEXT,
            [OF_ENUM],
            [COMPUTED, COMPUTED_NOW],
            [NEW_PARTITION],
        )
        for param in every(23, kind)
    ],
)
def test_the_old_code_runs_between_any_two_commits(
    project: Project, database: str, change: Case, directly: Direct
) -> None:
    up = directly.up(change)
    write(project, database, change)
    with watching(database, TABLES, OLD_CODE) as watch:
        project.alembic.having(**PATIENT)(database, "upgrade", "head")
    assert watch.looks > 10
    assert watch.failures == {}
    assert watch.beside == []
    same(up, read_state(database))


@pytest.mark.prove
@pytest.mark.parametrize(
    "change", [*(each for each in (*CASES, *NUMBERED) if each.name in INTERRUPTED), ROWS_BETWEEN], ids=str
)
def test_it_converges_though_its_session_ends_around_every_step(
    project: Project, database: str, change: Case, directly: Direct
) -> None:
    the_way_up_converges(project, database, change, directly)


@pytest.mark.parametrize("words", REFUSED)
def test_what_clients_would_miss_meanwhile_is_refused(project: Project, database: str, words: str) -> None:
    noting = "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;"
    noting += "CREATE TRIGGER noting BEFORE UPDATE ON tickets FOR EACH ROW EXECUTE FUNCTION note();"
    noting += "CREATE TRIGGER noting BEFORE UPDATE ON events_2 FOR EACH ROW EXECUTE FUNCTION note();"
    noting += "CREATE VIEW titles AS SELECT id, title AS name FROM books;"
    noting += "ALTER TABLE authors ADD twice integer GENERATED ALWAYS AS (id * 2) STORED"
    write(project, database, Case("refused", "\n    ".join(REFUSED[words]), "pass", EVENTS + noting))
    before = read_state(database)
    with pytest.raises(UserError, match=f"(?s){words}") as refused:
        project.alembic.having(**PATIENT)(database, "upgrade", "head")
    if "Nothing of 001_a was changed" in str(refused.value):
        same(before, read_state(database))
    else:  # the new column is filled, and waits
        assert "TYPE state_tmp" in REFUSED[words][1] or LARGER in REFUSED[words]


def test_a_swap_that_is_refused_twice_for_the_same_fails(project: Project, database: str) -> None:
    """The project's own event trigger changes the table in the transaction of the swap, each time."""
    changing = f"""{SHOP}
    CREATE FUNCTION changing() RETURNS event_trigger LANGUAGE plpgsql AS $$
    BEGIN CREATE INDEX ix_late ON books (pages, author_id); END $$;
    CREATE EVENT TRIGGER changing ON ddl_command_end WHEN TAG IN ('DROP TRIGGER') EXECUTE FUNCTION changing()
"""
    lines = f'op.execute("DROP VIEW long_books")\n    {LARGER}'
    write(project, database, Case("refused twice", lines, "pass", changing))
    refused = "refused, twice for the same: Somebody has changed books or its pages meanwhile"
    with pytest.raises(UserError, match=refused):
        project.alembic.having(**PATIENT)(database, "upgrade", "head")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP EVENT TRIGGER changing")
    project.alembic.having(**PATIENT)(database, "upgrade", "head")


@pytest.mark.prove
def test_a_key_that_an_earlier_try_has_made_is_not_made_again(
    project: Project, database: str, directly: Direct
) -> None:
    up = directly.up(KEYS_AFTER_SWAP)
    write(project, database, KEYS_AFTER_SWAP)
    alembic = project.alembic.having(**PATIENT)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("INSERT INTO authors VALUES (1000, 'author 1')")
        with pytest.raises(UserError, match="uq_name on authors: values that occur more than once"):
            alembic(database, "upgrade", "head")
        connection.execute("DELETE FROM authors WHERE id = 1000")
    alembic(database, "upgrade", "head")
    same(up, read_state(database))


@pytest.mark.prove
@pytest.mark.parametrize(
    "change",
    [
        *(each for each in CASES if each.name in LONG),
        COMMITS_BETWEEN,
        KEEPS_RULES,
        *NUMBERED,
        *KEYS,
        *ENUMS,
        *BY_TEXT,
        OF_ENUM,
        COMPUTED_NOW,
    ],
    ids=str,
)
def test_a_long_one_converges_too(project: Project, database: str, change: Case, directly: Direct) -> None:
    the_way_up_converges(project, database, change, directly)
